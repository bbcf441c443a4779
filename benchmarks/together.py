"""A table with texts or pictures beside the same table without them, and beside these alone, for docs/benchmarks.md.

    python benchmarks/together.py TABLES FOLDER [texts pictures titanic]

TABLES is the folder that stands for data/; FOLDER keeps the results. `texts` and `pictures` are made here with a known truth:
the log odds of the label are a sum of what a number, a category, and a text or a picture tell, of which neither part tells all.
`titanic` is the real table with the names of passengers as texts. Each is learned from in three ways, whole and in both parts,
by boosted trees and a network, with the same folds, and their stacks are compared on the same held-out rows: differences of AUC
have 95 % intervals over bootstrap draws.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from PIL import Image
from sklearn.metrics import roc_auc_score
from students import make

ROWS, SEED, DRAWS = 3000, 1, 400
WORDS = {"good": "calm steady clear warm rested fine", "bad": "pain cough weak fever tired sore"}
OTHERS = "the a patient says since monday and was seen by nurse in ward two"
FOLDS = {"k": 4}


def truth(rng, told):
    """Return a number, a category and a label of each row, whose log odds they and ``told`` (rows,) add up to."""
    number, site = rng.normal(size=ROWS), rng.integers(0, 3, ROWS)
    odds = 1.5 * number + np.array([-0.7, 0.0, 0.7])[site] + told
    label = np.where(rng.random(ROWS) < 1 / (1 + np.exp(-odds)), "ill", "well")
    return pd.DataFrame({"age": (50 + 9 * number).round(1), "site": np.array(["a", "b", "c"])[site], "label": label})


def with_texts(folder, rng):
    """Write a table with notes in which good and bad words tell a part of the label."""
    bad = rng.integers(0, 5, ROWS)
    notes = []
    for count in bad:
        told = [*rng.choice(WORDS["bad"].split(), count), *rng.choice(WORDS["good"].split(), 4 - count)]
        notes.append(" ".join(rng.permutation([*told, *rng.choice(OTHERS.split(), 8)])))
    truth(rng, 1.2 * (bad - 2)).assign(note=notes).to_csv(folder / "table.csv", index=False)
    return {"target": "label", "positive": "ill", "kinds": {"note": "text"}}, ["note"], ["age", "site"]


def with_pictures(folder, rng):
    """Write a table with paths of pictures, in which the number of spots tells a part of the label."""
    spots, paths = rng.integers(0, 5, ROWS), []
    (folder / "pictures").mkdir(exist_ok=True)
    down, across = np.mgrid[:20, :20]
    for row, count in enumerate(spots):
        light = rng.normal(60, 15, (20, 20))
        for place in rng.choice(16, count, replace=False):
            y, x = 3 + 4.5 * (place // 4) + rng.normal(0, 0.4), 3 + 4.5 * (place % 4) + rng.normal(0, 0.4)
            light += 150 * np.exp(-((down - y) ** 2 + (across - x) ** 2) / 2)
        paths.append(f"pictures/{row}.png")
        Image.fromarray(light.clip(0, 255).astype(np.uint8)).save(folder / paths[-1])
    truth(rng, 1.2 * (spots - 2)).assign(scan=paths).to_csv(folder / "table.csv", index=False)
    return {"target": "label", "positive": "ill"}, ["scan"], ["age", "site"]


def with_names(folder, tables):
    """Write the table of the Titanic's passengers, without what was known only afterwards."""
    columns = ["pclass", "survived", "name", "sex", "age", "sibsp", "parch", "fare", "embarked"]
    rows = pd.read_csv(next((tables / "titanic").glob("*.csv")), na_values="?")[columns]
    rows.dropna(subset=["survived"]).to_csv(folder / "table.csv", index=False)
    return (
        {"target": "survived", "kinds": {"name": "text"}},
        ["name"],
        [name for name in columns if name not in ("name", "survived")],
    )


def run(folder, options, encoded, others):
    """Make the stacks of a table: whole, without its texts or pictures, and of these alone."""
    drops = {"whole": [], "without": encoded, "alone": others}
    has_pictures = (folder / "pictures").is_dir()
    network = {"prepare": {"impute": "median"}, "train": {"method": "mlp"}}
    convolutions = {"method": "cnn", "epochs": 20, "patience": 20, "schedule": "onecycle", "rate": 0.01}
    for name, drop in drops.items():
        kinds = {key: kind for key, kind in options.get("kinds", {}).items() if key not in drop}
        reader = {"prepare": {"impute": "whole"}, "train": convolutions} if has_pictures and name != "without" else network
        config = {
            "folds": FOLDS,
            "datasets": {name: {"train": "table.csv", **options, "kinds": kinds, "drop": drop}},
            "imputers": {"whole": {"method": "median", "pictures": {"method": "pixels"}}},
            "models": {
                "boosted": {"prepare": {"impute": "none"}, "fit": {"method": "boosting"}},
                "network": reader,
                "stack": {"stack": {"method": "linear", "members": ["boosted", "network"]}},
            },
            "report": {"control": []},
        }
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(config))
        make(folder, f"{name}.yaml", f"results/{name}/models/stack/predictions.parquet")


def predicted(folder, name):
    """Return the label, the fold and the prediction of each held-out row of a stack."""
    results = folder / "results" / name
    rows = pd.read_parquet(results / "models/stack/predictions.parquet").merge(
        pd.read_parquet(results / "table.parquet", columns=["row", "label"]), on="row"
    )
    return rows.merge(pd.read_parquet(results / "folds.parquet")[["row", "fold"]], on="row").sort_values(
        "row", ignore_index=True
    )


def auc(rows, drawn=None):
    """Return the mean AUC over folds, of all rows or of drawn ones."""
    rows = rows if drawn is None else rows.iloc[drawn]
    probability = next(name for name in reversed(rows.columns) if name.startswith("p_"))
    parts = [(len(part), roc_auc_score(part["label"], part[probability])) for _, part in rows.groupby("fold")]
    return float(np.average([value for _, value in parts], weights=[count for count, _ in parts]))


if __name__ == "__main__":
    tables, place, *names = sys.argv[1:]
    print("| table | together | without | alone | together less without | together less alone |\n|---|---|---|---|---|---|")
    for name in names or ["texts", "pictures", "titanic"]:
        folder = (Path(place) / name).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(SEED)
        makers = {"texts": with_texts, "pictures": with_pictures}
        described = makers[name](folder, rng) if name in makers else with_names(folder, Path(tables))
        run(folder, *described)
        rows = {way: predicted(folder, way) for way in ("whole", "without", "alone")}
        cells = [f"{auc(own):.4f}" for own in rows.values()]
        draws = [rng.integers(0, len(rows["whole"]), len(rows["whole"])) for _ in range(DRAWS)]
        for other in ("without", "alone"):
            gaps = [auc(rows["whole"], drawn) - auc(rows[other], drawn) for drawn in draws]
            low, high = np.quantile(gaps, [0.025, 0.975])
            cells.append(f"{auc(rows['whole']) - auc(rows[other]):+.4f} ({low:+.4f} to {high:+.4f})")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
