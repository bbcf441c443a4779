"""What resampling does to probabilities, as learned and after its change of the prior is undone, for docs/benchmarks.md.

    python benchmarks/balancing.py TABLES [mammography …]

TABLES is the folder that stands for data/. Each table is read as tests/tables/ describes it; each resampler is set beside the
untouched rows by the Brier score of a logistic regression and of boosted trees on the held-out rows of the first fold of five.
"""

import os
import sys
from pathlib import Path

import numpy as np
import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

from stillhouse.columns import FOLD, LABEL, ROW, STOP, WEIGHT
from stillhouse.config.completion import complete_options, fill
from stillhouse.config.settings import load_schema, method_names
from stillhouse.intake.folds import make_folds
from stillhouse.intake.kinds import feature_columns
from stillhouse.intake.load import load
from stillhouse.learning.fitting import fit
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.preparation.features import Recipe, prepared
from stillhouse.preparation.sample import balanced_sample, training_sample
from stillhouse.splits import Split

SCHEMA = load_schema()
TABLES = ("mammography", "credit-default-taiwan", "nasa-kc1")
MODELS = ("logistic", "boosting")
SPLIT = Split("0", [1, 2, 3, 4], [0], {})


def rows_of(name):
    """Return the training sample of a table, its held-out features, and their labels."""
    dataset = yaml.safe_load((REPOSITORY / "tests" / "tables" / f"{name}.yaml").read_text())
    table, schema = load(fill(dataset, SCHEMA["$defs"]["dataset"], SCHEMA), np.random.default_rng(0))
    columns = feature_columns(schema)
    folds = make_folds(table, [column["name"] for column in columns], schema["classes"], 5, seed=1)
    imputer = complete_options(SCHEMA, "imputers", {"method": "median"}, where=())
    _, ready = prepared(table, None, folds, SPLIT, Recipe(columns, imputer, schema["classes"]), seed=1)
    weights = table[[ROW]].assign(**{WEIGHT: 1.0})
    sample = training_sample(ready, weights, table[[ROW, LABEL]], folds, SPLIT)
    held_out = (folds[FOLD] == 0).to_numpy()
    return sample, ready[held_out], table.loc[held_out, LABEL].to_numpy()


def briers(sample, held_out, labels, resampler, model):
    """Return the Brier score as learned, and with what resampling did undone."""
    options = complete_options(SCHEMA, "resamplers", {"method": resampler}, where=())
    fitted, ledger, _ = balanced_sample(sample, 2, 0.15, options, seed=1)
    settings = {**complete_options(SCHEMA, "estimators", {"method": model}, where=()), "bag": 0, "boost": 0}
    model = fit(fitted, settings, 2, threads=2, seed=1)
    undone = OnOriginalPrior(model, ledger, fitted[fitted[STOP]])
    return [float(((ready.predict(held_out)[:, 1] - labels) ** 2).mean()) for ready in (model, undone)]


def lines(name):
    """Yield a line of the table for each resampler."""
    rows = rows_of(name)
    untouched = {model: briers(*rows, "none", model)[1] for model in MODELS}
    for resampler in method_names(SCHEMA["$defs"]["methods"]["resamplers"]):
        cells = []
        for model in MODELS:
            learned, corrected = briers(*rows, resampler, model)
            cells += [f"{learned - untouched[model]:+.4f}", f"{corrected - untouched[model]:+.4f}"]
        yield f"| {name} | {resampler} | {' | '.join(cells)} |"


if __name__ == "__main__":
    folder, *names = sys.argv[1:]
    os.chdir(Path(folder).resolve().parent)
    print("Brier score less that of the untouched rows:\n")
    print("| table | resampler | logistic, as learned | corrected | boosted, as learned | corrected |")
    print("|---|---|---|---|---|---|")
    for name in names or TABLES:
        for line in lines(name):
            print(line, flush=True)
