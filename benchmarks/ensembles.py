"""What pools of models gain over their best member on six tables, for docs/benchmarks.md.

    python benchmarks/ensembles.py TABLES FOLDER [phoneme …]

TABLES is the folder that stands for data/; FOLDER keeps the results, so that a second call takes them up. Members are boosted
trees, a forest, extra trees and a network with their default settings; every pool is a model of the workflow, which learns from
members' predictions of rows that they did not see. AUC is that of held-out rows; gaps have 95 % intervals over the same
bootstrap draws.
"""

import sys
from pathlib import Path

import pandas as pd
from students import FOLDS, MEMBERS, SEED, SETTINGS, dataset_of, gap, run_in

from stillhouse.evaluation.comparison import main_draws
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import scored
from stillhouse.intake.task import Task
from stillhouse.seeds import derive
from stillhouse.tables import read_json

# Chosen before any of them was looked at.
TABLES = ("adult", "credit-default-taiwan", "hr-job-change", "mammography", "phoneme", "letter-recognition")
ALONE = {**MEMBERS, "extra": {"fit": {"method": "extratrees"}}}
POOLS = {
    "linear": {"method": "linear"},
    "nonnegative": {"method": "linear", "nonnegative": True},
    "greedy": {"method": "greedy"},
    "mean": {"method": "mean"},
    "confidence": {"method": "confidence"},
}


def config_of(name):
    """Return the configuration of a table."""
    pools = {pool: {"stack": {**options, "members": list(ALONE)}} for pool, options in POOLS.items()}
    dataset = {name.replace("-", ""): dataset_of(name)}
    return {"seed": SEED, "folds": {"k": FOLDS}, "datasets": dataset, "models": {**ALONE, **pools}}


def line_of(name):
    """Return a table's line: the best member, and each pool's gap to it; the present folder is that of the run."""
    place = Path("results") / name.replace("-", "")
    schema, table, folds = (
        read_json(place / "schema.json"),
        *(pd.read_parquet(place / f"{p}.parquet") for p in ("table", "folds")),
    )
    auc = pd.read_csv(place / "comparison.csv").set_index("model")["auc"]
    paths = {model: place / f"models/{model}/predictions.parquet" for model in (*ALONE, *POOLS)}
    rows = {model: scored(pd.read_parquet(path), table, folds) for model, path in paths.items()}
    drawn, _ = main_draws(rows, Protocol(Task.of(schema), SETTINGS, derive(SEED, name.replace("-", ""))))
    best = auc[list(ALONE)].idxmax()
    gaps = [gap(auc[pool] - auc[best], drawn[pool] - drawn[best]) for pool in POOLS]
    return f"| {' | '.join([name, f'{best}, {auc[best]:.4f}', *gaps])} |"


if __name__ == "__main__":
    tables, place, *arguments = sys.argv[1:]
    print(f"| table | best member | {' | '.join(POOLS)} |")
    print(f"|{'---|' * (len(POOLS) + 2)}", flush=True)
    for name in arguments or TABLES:
        run_in(Path(place).resolve() / name, name, tables, config_of(name))
        print(line_of(name), flush=True)
