"""What fitting members again on all training rows of their split gives a stack, for docs/benchmarks.md.

    python benchmarks/refit.py TABLES FOLDER [phoneme …]

TABLES is the folder that stands for data/; FOLDER keeps the results, so that a second call takes them up. Logistic
regression, a forest, extra trees and boosted trees, once with `refit: all` and once with `refit: shipped`, and a stack of each.
AUC is that of held-out rows; gaps have 95 % intervals over the same bootstrap draws.
"""

import sys
from pathlib import Path

import pandas as pd
from students import FOLDS, SEED, SETTINGS, dataset_of, gap, run_in

from stillhouse.evaluation.comparison import main_draws
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import scored
from stillhouse.intake.task import Task
from stillhouse.seeds import derive
from stillhouse.tables import read_json

# Two classes, from 2,000 to 11,000 rows.
TABLES = ("nasa-kc1", "phoneme", "telco-churn", "higgs-sample", "mammography")
MEMBERS = {"linear": "logistic", "forest": "forest", "extra": "extratrees", "boosted": "boosting"}
SHOWN = ("forest", "boosted", "stack")


def config_of(name):
    """Return the configuration of a table: every member and stack twice, the second of each with the suffix ``last``."""
    models = {}
    for suffix, refit in (("", "all"), ("last", "shipped")):
        models |= {f"{member}{suffix}": {"fit": {"method": method, "refit": refit}} for member, method in MEMBERS.items()}
        models[f"stack{suffix}"] = {"stack": {"method": "linear", "members": [f"{member}{suffix}" for member in MEMBERS]}}
    return {"seed": SEED, "folds": {"k": FOLDS}, "datasets": {name.replace("-", ""): dataset_of(name)}, "models": models}


def line_of(name):
    """Return a table's line: each model's AUC without stop rows, and its gain by them; the present folder is the run's."""
    place = Path("results") / name.replace("-", "")
    table, folds = (pd.read_parquet(place / f"{part}.parquet") for part in ("table", "folds"))
    protocol = Protocol(Task.of(read_json(place / "schema.json")), SETTINGS, derive(SEED, name.replace("-", "")))
    auc = pd.read_csv(place / "comparison.csv").set_index("model")["auc"]

    paths = {model: place / f"models/{model}/predictions.parquet" for shown in SHOWN for model in (shown, f"{shown}last")}
    drawn, _ = main_draws({model: scored(pd.read_parquet(path), table, folds) for model, path in paths.items()}, protocol)
    cells = []
    for model in SHOWN:
        last = f"{model}last"
        cells += [f"{auc[last]:.4f}", gap(auc[model] - auc[last], drawn[model] - drawn[last])]
    return f"| {' | '.join([name, *cells])} |"


if __name__ == "__main__":
    tables, place, *arguments = sys.argv[1:]
    print(f"| table | {' | '.join(f'{model} | gain' for model in SHOWN)} |")
    print(f"|{'---|' * (2 * len(SHOWN) + 1)}", flush=True)
    for name in arguments or TABLES:
        run_in(Path(place).resolve() / name, name, tables, config_of(name))
        print(line_of(name), flush=True)
