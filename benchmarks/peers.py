"""The workflow and AutoGluon in the same time on the same rows of six tables, for docs/benchmarks.md.

    python benchmarks/peers.py TABLES FOLDER --autogluon PYTHON [--folds 0 1] [--names phoneme …]

TABLES is the folder that stands for data/; PYTHON is that of an environment with autogluon.tabular. The rows of a table are cut
into five outer folds; each that is asked for is the test table of a run. The workflow has what `new.py` writes for the other
rows, two cores, and takes the time that it takes, students and evaluation included. AutoGluon has `best_quality`, the same
cores and the same seconds. What is in FOLDER/results.csv is not measured again; all of it is printed at the end.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from students import REPOSITORY, labelled_table, seconds_of_run

# Chosen before any of them was compared: two classes, from 1,000 to 11,000 rows.
TABLES = ("german-credit", "nasa-kc1", "phoneme", "telco-churn", "higgs-sample", "mammography")
FOLDS = 5
AUTOGLUON = """
import sys, pandas as pd
from autogluon.tabular import TabularPredictor
train, test, out, seconds = sys.argv[1:]
rows, held_out = pd.read_csv(train), pd.read_csv(test).drop(columns="target")
fitted = TabularPredictor("target", eval_metric="roc_auc", path=out + ".models", verbosity=0).fit(
    rows, presets="best_quality", time_limit=float(seconds), num_cpus=2, num_gpus=0)
fitted.predict_proba(held_out).to_csv(out, index=False)
"""


def outer_fold(name, tables, fold, folder):
    """Write the rows of a table that are learned from as train.csv, and those that are scored as test.csv."""
    table = labelled_table(name, tables)
    parts = list(StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(table, table["target"]))[fold]
    folder.mkdir(parents=True, exist_ok=True)
    for part, positions in zip(("train", "test"), parts, strict=True):
        table.iloc[positions].to_csv(folder / f"{part}.csv", index=False)


def of_workflow(folder):
    """Yield a line for each model of what `new.py` writes for train.csv, scored on test.csv."""
    new = [sys.executable, REPOSITORY / "workflow" / "scripts" / "new.py", "train.csv", "--target", "target", "-o", "new.yaml"]
    subprocess.run(new, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    written = (folder / "new.yaml").read_text().replace('train: "train.csv"', 'train: "train.csv"\n    test: test.csv')
    (folder / "new.yaml").write_text(written)
    seconds, results = seconds_of_run(folder), folder / "results" / "train"
    footprints = json.loads((results / "footprints.json").read_text())
    for path in sorted(results.glob("models/*/metrics.json")):
        found, cost = json.loads(path.read_text())["held_out"]["metrics"], footprints[path.parent.name]
        scores = {"auc": found["auc"]["value"], "log_loss": found["log_loss"]["value"]}
        yield {"system": path.parent.name, "seconds": seconds, **scores, "bytes": cost.get("bytes")}


def of_autogluon(folder, python, seconds):
    """Return AutoGluon's line, fitted on train.csv for so many seconds and scored on test.csv."""
    truth, begin = pd.read_csv(folder / "test.csv")["target"].astype(str), time.time()
    command = [python, "-c", AUTOGLUON, folder / "train.csv", folder / "test.csv", folder / "autogluon.csv", str(seconds)]
    subprocess.run(command, check=True, cwd=folder)
    p, took = pd.read_csv(folder / "autogluon.csv"), time.time() - begin
    scores = {"auc": roc_auc_score(truth == p.columns[1], p.iloc[:, 1]), "log_loss": log_loss(truth, p, labels=list(p.columns))}
    size = sum(path.stat().st_size for path in folder.glob("autogluon.csv.models/**/*") if path.is_file())
    return {"system": "AutoGluon", "seconds": took, **scores, "bytes": size}


def main(tables, place, python, names, folds):
    """Measure what is not measured yet, and print the mean ranks."""
    place.mkdir(parents=True, exist_ok=True)
    results = place / "results.csv"
    done = pd.read_csv(results) if results.exists() else pd.DataFrame(columns=["table", "fold"])
    for fold in folds:
        for name in names:
            if ((done["table"] == name) & (done["fold"] == fold)).any():
                continue
            folder = place / f"{name}-{fold}"
            outer_fold(name, tables, fold, folder)
            lines = list(of_workflow(folder))
            lines.append(of_autogluon(folder, python, lines[0]["seconds"]))
            done = pd.concat([done, pd.DataFrame(lines).assign(table=name, fold=fold)], ignore_index=True)
            done.to_csv(results, index=False)
            print(done[(done["table"] == name) & (done["fold"] == fold)].to_string(), flush=True)
    auc = done.pivot_table(index=["table", "fold"], columns="system", values="auc")
    print(auc.round(4).to_string())
    print(auc.rank(axis=1, ascending=False).mean().sort_values().round(2).to_string())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("tables", type=lambda text: Path(text).resolve())
    parser.add_argument("folder", type=lambda text: Path(text).resolve())
    parser.add_argument("--autogluon", required=True)
    parser.add_argument("--folds", type=int, nargs="+", default=[0])
    parser.add_argument("--names", nargs="+", default=TABLES)
    given = parser.parse_args()
    main(given.tables, given.folder, given.autogluon, given.names, given.folds)
