"""AUC of networks beside boosted trees and scikit-learn's network, mean over five folds, for docs/benchmarks.md.

    python benchmarks/teachers.py TABLES [adult …] [width=256 …]

TABLES is the folder that stands for data/. Each table is read as tests/tables/ describes it, and given test rows are
rows like the others. Every model sees the training folds alone, prepared with the defaults (median, one-hot); boosted trees get
gaps as they are. Networks have the default settings but for those that are given.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
import yaml
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "workflow" / "scripts"))

from stillhouse.columns import FOLD, LABEL, ROW, STOP, WEIGHT, features
from stillhouse.config.completion import complete_options, fill, shared_options
from stillhouse.config.settings import load_schema
from stillhouse.intake.folds import make_folds
from stillhouse.intake.kinds import feature_columns
from stillhouse.intake.load import load
from stillhouse.learning.fitting import fit
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.preparation.features import Recipe, prepared
from stillhouse.preparation.sample import balanced_sample, training_sample
from stillhouse.splits import Split

SCHEMA = load_schema()
TABLES = ("adult", "credit-default-taiwan", "hr-job-change", "mammography", "phoneme", "letter-recognition")
FOLDS = 5


def read(name):
    """Return a table's rows, its schema, and its folds."""
    dataset = yaml.safe_load((REPOSITORY / "tests" / "tables" / f"{name}.yaml").read_text())
    if "test" in dataset:
        dataset["train"] = [dataset["train"], dataset.pop("test")]
    table, schema = load(fill(dataset, SCHEMA["$defs"]["dataset"], SCHEMA), np.random.default_rng(0))
    columns = feature_columns(schema)
    return table, schema, make_folds(table, [column["name"] for column in columns], schema["classes"], FOLDS, seed=1)


def samples(table, schema, folds, imputer):
    """Return for each fold the sample to fit on and the prepared rows of the fold."""
    options = complete_options(SCHEMA, "imputers", {"method": imputer}, where=())
    weights, found = table[[ROW]].assign(**{WEIGHT: 1.0}), []
    for fold in range(FOLDS):
        split = Split(str(fold), [other for other in range(FOLDS) if other != fold], [fold], {})
        _, ready = prepared(table, None, folds, split, Recipe(feature_columns(schema), options, schema["classes"]), seed=1)
        sample = training_sample(ready, weights, table[[ROW, LABEL]], folds, split)
        balancing = complete_options(SCHEMA, "resamplers", {"method": "none"}, where=())
        sample, _, _ = balanced_sample(sample, len(schema["classes"]), 0.15, balancing, seed=1)
        found.append((sample, ready[(folds[FOLD] == fold).to_numpy()]))
    return found


def networks(found, n_classes, given):
    """Return the predictions of networks for each fold."""
    shared = shared_options(SCHEMA, "train", "architectures")
    options = complete_options(SCHEMA, "architectures", {"method": "mlp", **given}, where=(), shared=shared)
    sets = [TrainingSet(sample, None, options, n_classes, seed=fold) for fold, (sample, _) in enumerate(found)]
    return [model.predict(rows) for (model, _), (_, rows) in zip(train(sets, threads=2), found, strict=True)]


def boosted(found, n_classes, given):
    """Return the predictions of boosted trees for each fold."""
    options = {**complete_options(SCHEMA, "estimators", {"method": "boosting"}, where=()), "bag": 0, "boost": 0}
    return [fit(sample, options, n_classes, threads=2, seed=1).predict(rows) for sample, rows in found]


def sklearn_network(found, n_classes, given):
    """Return the predictions of scikit-learn's network, as it comes, for each fold."""
    scores = []
    for sample, rows in found:
        fitted = sample[~sample[STOP]]
        names = features(sample)
        model = MLPClassifier(random_state=1).fit(fitted[names].to_numpy(), fitted[LABEL].to_numpy())
        scores.append(model.predict_proba(rows[names].to_numpy()))
    return scores


def auc(table, folds, scores, n_classes):
    """Return the mean over folds of the AUC, and over classes of each against the rest where there are more than two."""
    values = []
    for fold, p in enumerate(scores):
        labels = table.loc[(folds[FOLD] == fold).to_numpy(), LABEL].to_numpy()
        values.append(roc_auc_score(labels, p[:, 1] if n_classes == 2 else p, multi_class="ovr"))
    return float(np.mean(values))


if __name__ == "__main__":
    folder, *arguments = sys.argv[1:]
    given = {key: yaml.safe_load(value) for key, value in (argument.split("=", 1) for argument in arguments if "=" in argument)}
    models = {"boosted": boosted, "network": networks, "sklearn": sklearn_network}
    chosen = given.pop("models", "boosted,network,sklearn").split(",")
    os.chdir(Path(folder).resolve().parent)
    print("| table | " + " | ".join(chosen) + " | seconds |\n|---|" + "---|" * (len(chosen) + 1))
    for name in [argument for argument in arguments if "=" not in argument] or TABLES:
        table, schema, folds = read(name)
        n_classes, cells, seconds = len(schema["classes"]), [], []
        for key in chosen:
            found, start = samples(table, schema, folds, "none" if key == "boosted" else "median"), time.perf_counter()
            cells.append(f"{auc(table, folds, models[key](found, n_classes, given), n_classes):.4f}")
            seconds.append(f"{time.perf_counter() - start:.0f}")
        print(f"| {name} | {' | '.join(cells)} | {', '.join(seconds)} |", flush=True)
