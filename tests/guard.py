"""What the leak guard is held to: a model of every method, and tables in which the rows of one fold are others."""

import numpy as np
import pandas as pd
from conftest import methods, resamplers_of_classes, write_table_with_categories

from stillhouse.columns import LABEL, PART, ROW, TRUE_RATIO

COLUMNS = ["mean texture", "mean area", "mean concavity", "worst symmetry"]
NETWORK = {"width": 8, "epochs": 4}
SMALL = {
    "mlp": NETWORK,
    "resnet": {**NETWORK, "numbers": "periodic"},
    "transformer": {"embedding": 8, "epochs": 4, "batch": 64},
    "forest": {"trees": 10},
    "boosting": {"rounds": 20, "leaf": 5},
    "catboost": {"rounds": 20, "depth": 3},
    "extratrees": {"trees": 10},
}
# The table has no texts and no pictures; `test_texts.py` and `test_picture_columns.py` hold what reads them to it.
OF_WHOLE = ("attention", "cnn", "resnet2d", "rnn", "textcnn", "wordbag")
TAKES_GAPS = ("boosting", "catboost", "extratrees", "forest", "tree")
CALIBRATE = ("isotonic", "platt", "temperature")
CHOICES = {
    "group": {"method": "group", "by": "site"},
    "columns": {"method": "columns", "each": {"mean area": "hotdeck"}},
    "draws": {"method": "iterative", "draw": True},
    "means": {"method": "median", "encode": "target", "categories": 2},
    "fewer": {"method": "mean", "columns_above": 0.1},
}


def with_every_method():
    """Models in which every imputer, weigher, resampler, model, network and stacker takes part, and every way of teaching."""
    models = {}
    for imputer in sorted({*methods("imputers"), *CHOICES}):
        models[f"impute{imputer}"] = fitted("tree" if imputer == "none" else "logistic", impute=imputer)
    models |= {f"weigh{weigher}": fitted("logistic", weigh=weigher) for weigher in methods("weighers")}
    for resampler in resamplers_of_classes():
        models[f"resample{resampler}"] = fitted("tree", resample=resampler, weigh="logistic")
    for method in methods("estimators"):
        models[f"model{method}"] = fitted(method, impute="none" if method in TAKES_GAPS else "median")
    models |= {f"network{method}": trained(method) for method in methods("architectures") if method not in OF_WHOLE}
    for method in methods("stackers"):
        members = ["modeltree"] if method in CALIBRATE else ["modeltree", "networkmlp"]
        models[f"stack{method}"] = {"stack": {"method": method, "members": members}}
    models["modelsearched"] = {"fit": {"method": "tree", "search": {"depth": [2, 4], "leaf": [2, 30]}, "trials": 3}}
    models["modelbagged"] = {"fit": {"method": "tree", "bag": 3}}
    models["modelboosted"] = {"fit": {"method": "tree", "boost": 3}}
    models["networkagain"] = {"train": {"method": "mlp", "refit": "all", **NETWORK}}
    models["modelshipped"] = {"fit": {"method": "boosting", "refit": "shipped", **SMALL["boosting"]}}
    models["networkbagged"] = {"train": {"method": "mlp", "bag": True, "seeds": 2, **NETWORK}}
    models["networkboosted"] = {"train": {"method": "mlp", "boost": 2, "width": 8, "epochs": 20}}
    models["networkstarted"] = {**trained("mlp"), "train": {"method": "mlp", "start": "networkmlp", **NETWORK}}
    return {**models, **students()}


def fitted(method, **prepare):
    """A model of ``fit`` after a preparation."""
    return {"prepare": prepare, "fit": {"method": method, **SMALL.get(method, {})}}


def trained(method):
    """A small network on weighed rows."""
    return {"prepare": {"weigh": "logistic"}, "train": {"method": method, **SMALL[method]}}


def students():
    """Students of a stack, of two teachers by rows without labels, and with hints; a network and a tree."""
    told = {"teacher": ["modeltree", "networkmlp"], "pool": "logits", "transfer": ["deploy", "synthetic"], "alpha": "auto"}
    options = {
        "student": {"method": "mlp", "teacher": "stacklinear", **NETWORK},
        "studenttold": {"method": "mlp", **told, "temperature": 2, **NETWORK},
        "studenthinted": {"method": "mlp", "teacher": "networkmlp", "hints": 1, **NETWORK},
        "studenttree": {"method": "tree", **told},
    }
    return {name: {"distill": given} for name, given in options.items()}


def configuration(models, folder):
    """The configuration of these models on a real table, written into a folder, with gaps, a category and deploy rows."""
    write_table_with_categories(folder / "table.csv", columns=COLUMNS)
    gaps = {"random": 0.05, "by_value": {"mean area": 0.2, "mean concavity": 0.2}}
    challenge = {"deploy": {"column": "mean texture", "share": 0.3, "strength": 1}, "gaps": gaps}
    dataset = {
        "train": str(folder / "table.csv"),
        "target": "diagnosis",
        "positive": "malignant",
        "challenge": challenge,
        "synthetic": {},
    }
    return {
        "datasets": {"cancer": dataset},
        "folds": {"k": 4},
        "imputers": CHOICES,
        "models": models,
        "report": {"prepare": {"impute": "median"}},
    }


def flip(table, rows):
    """Flip every label of these rows and leave their features alone."""
    return table.assign(**{LABEL: np.where(rows, 1 - table[LABEL], table[LABEL])})


def flip_and_shuffle(table, rows):
    """Flip every label of these rows, permute their features, and stretch numbers, so that no mean stays the same."""
    order = np.random.default_rng(0).permutation(np.flatnonzero(rows))
    changed = flip(table, rows)
    for name in (name for name in table.columns if name not in (ROW, PART, LABEL, TRUE_RATIO)):
        changed.loc[rows, name] = table.loc[order, name].to_numpy()
        if pd.api.types.is_float_dtype(table[name]):
            changed.loc[rows, name] *= 1.5
    return changed


def changed_rows(before, after):
    """Return the numbers of the rows of which two tables of predictions say something else, by a bit or more."""
    pd.testing.assert_index_equal(before.columns, after.columns)
    pd.testing.assert_series_equal(before[ROW], after[ROW])
    return set(before.loc[(before.to_numpy() != after.to_numpy()).any(axis=1), ROW])
