"""AUC of networks beside boosted trees and scikit-learn's network, mean over five folds, for docs/benchmarks.md.

    python benchmarks/teachers.py TABLES [adult …] [width=256 …] [models=network,tabm,realmlp pytabkit=PYTHON]

TABLES is the folder that stands for data/. Each table is read as tests/tables/ describes it, and given test rows are
rows like the others. Every model sees the training folds alone, prepared with the defaults (median, one-hot); boosted trees get
gaps as they are. Networks have the default settings but for those that are given. TabM-D and RealMLP-TD are those of pytabkit,
in an environment of its own with this PYTHON: they get raw categories, and medians for gaps of numbers. Seconds are those of
processors.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
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
PYTABKIT = """
import sys, pandas as pd
from pytabkit import RealMLP_TD_Classifier, TabM_D_Classifier
which, folder = sys.argv[1:]
rows, held_out = (pd.read_pickle(f"{folder}/{part}.pickle") for part in ("train", "test"))
method = {"tabm": TabM_D_Classifier, "realmlp": RealMLP_TD_Classifier}[which]
model = method(device="cpu", random_state=1, n_threads=2).fit(rows.drop(columns="label"), rows["label"])
pd.DataFrame(model.predict_proba(held_out), columns=map(str, model.classes_)).to_pickle(f"{folder}/predicted.pickle")
"""
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


def raw_parts(table, schema, folds, fold):
    """Return the raw rows to fit on, with their label, and those of a fold; categories as such, medians in gaps of numbers."""
    is_own = (folds[FOLD] == fold).to_numpy()
    kinds = {column["name"]: column["kind"] for column in feature_columns(schema)}
    X = table[list(kinds)].copy()
    for name, kind in kinds.items():
        numbers = None if kind == "categorical" else X[name].astype("float64")
        X[name] = X[name].astype("str").astype("category") if numbers is None else numbers.fillna(numbers[~is_own].median())
    return X[~is_own].assign(label=table.loc[~is_own, LABEL].astype(int)), X[is_own]


def of_pytabkit(which, python, table, schema, folds):
    """Return the predictions of a network of pytabkit for each fold."""
    scores = []
    for fold in range(FOLDS):
        with tempfile.TemporaryDirectory() as folder:
            for part, rows in zip(("train", "test"), raw_parts(table, schema, folds, fold), strict=True):
                rows.to_pickle(f"{folder}/{part}.pickle")
            command = [python, "-c", PYTABKIT, which, folder]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            scores.append(pd.read_pickle(f"{folder}/predicted.pickle").to_numpy())
    return scores


def processor_seconds():
    """Return the seconds of processors that this process and those that it ran have taken."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


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
    chosen, python = given.pop("models", "boosted,network,sklearn").split(","), given.pop("pytabkit", None)
    os.chdir(Path(folder).resolve().parent)
    print("| table | " + " | ".join(chosen) + " | seconds |\n|---|" + "---|" * (len(chosen) + 1))
    for name in [argument for argument in arguments if "=" not in argument] or TABLES:
        table, schema, folds = read(name)
        n_classes, cells, seconds = len(schema["classes"]), [], []
        for key in chosen:
            start = processor_seconds()
            if key in models:
                found = samples(table, schema, folds, "none" if key == "boosted" else "median")
                scores = models[key](found, n_classes, given)
            else:
                scores = of_pytabkit(key, python, table, schema, folds)
            cells.append(f"{auc(table, folds, scores, n_classes):.4f}")
            seconds.append(f"{processor_seconds() - start:.0f}")
        print(f"| {name} | {' | '.join(cells)} | {', '.join(seconds)} |", flush=True)
