"""The leak guard: what a split must not see cannot change what it predicts, not by one bit."""

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import REPOSITORY, Run, write_table_with_categories
from test_methods import methods

from stillhouse.splits import held_out
from stillhouse.tables import write_table

pytestmark = pytest.mark.slow

SMALL = {
    "mlp": {"width": 8, "epochs": 4},
    "resnet": {"width": 8, "epochs": 4, "numbers": "periodic"},
    "transformer": {"embedding": 8, "epochs": 4, "batch": 64},
    "forest": {"trees": 10},
    "boosting": {"rounds": 20, "leaf": 5},
    "extratrees": {"trees": 10},
}
TAKES_GAPS = ("boosting", "extratrees", "forest", "tree")
CALIBRATE = ("isotonic", "platt", "temperature")
CHOICES = {
    "group": {"method": "group", "by": "site"},
    "columns": {"method": "columns", "each": {"worst area": "hotdeck"}},
    "draws": {"method": "iterative", "draw": True},
    "means": {"method": "median", "encode": "target", "categories": 2},
    "fewer": {"method": "mean", "columns_above": 0.1},
}


def with_every_method():
    """A configuration in which every imputer, weigher, resampler, model, network and stacker takes part."""
    models = {}
    for number, imputer in enumerate(sorted({*methods("imputers"), *CHOICES})):
        method = "tree" if imputer == "none" else "logistic"
        prepare = {"impute": imputer, "weigh": "logistic" if number % 2 else "none"}
        models[f"impute{imputer}"] = {"prepare": prepare, "fit": {"method": method}}
    for resampler in methods("resamplers"):
        models[f"resample{resampler}"] = {"prepare": {"resample": resampler, "weigh": "logistic"}, "fit": {"method": "tree"}}
    for method in methods("models"):
        impute = "none" if method in TAKES_GAPS else "median"
        models[f"model{method}"] = {"prepare": {"impute": impute}, "fit": {"method": method, **SMALL.get(method, {})}}
    for method in methods("networks"):
        models[f"network{method}"] = {"prepare": {"weigh": "logistic"}, "train": {"method": method, **SMALL[method]}}
    for method in methods("stackers"):
        members = ["modeltree"] if method in CALIBRATE else ["modeltree", "networkmlp"]
        models[f"stack{method}"] = {"stack": {"method": method, "members": members}}
    models["modelbagged"] = {"fit": {"method": "tree", "bag": 3}}
    models["modelboosted"] = {"fit": {"method": "tree", "boost": 3}}
    models["networkboosted"] = {"train": {"method": "mlp", "boost": 2, **SMALL["mlp"], "epochs": 20}}
    told = {"teacher": ["modeltree", "networkmlp"], "pool": "logits", "transfer": ["deploy", "synthetic"]}
    models["student"] = {"distill": {"method": "mlp", "teacher": "stacklinear", **SMALL["mlp"]}}
    models["studenttold"] = {"distill": {"method": "mlp", **told, "alpha": "auto", "temperature": 2, **SMALL["mlp"]}}
    models["studenthinted"] = {"distill": {"method": "mlp", "teacher": "networkmlp", "hints": 1, **SMALL["mlp"]}}
    models["studenttree"] = {"distill": {"method": "tree", **told, "alpha": "auto"}}
    return models


def configuration():
    demo = yaml.safe_load((REPOSITORY / "config" / "config.yaml").read_text())
    challenge = demo["datasets"]["breastcancer"]["challenge"] | {"thin": {}}
    dataset = {"train": "table.csv", "target": "diagnosis", "positive": "malignant", "challenge": challenge, "synthetic": {}}
    return {
        **demo,
        "datasets": {"breastcancer": dataset},
        "folds": {"k": 4},
        "imputers": CHOICES,
        "models": with_every_method(),
        "report": {"prepare": {"impute": "median"}},
    }


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """The predictions of every model on the table as it is."""
    run = Run(tmp_path_factory.mktemp("honest"), configuration())
    write_table_with_categories(run / "table.csv")
    run(*targets())
    return run


def targets():
    """Predictions of every model for split 0, and of those that others learn from for all splits."""
    models = configuration()["models"]
    learned_from = {"modeltree", "networkmlp", "stacklinear"}
    splits = {
        name: "all" if name in learned_from or ("fit" not in model and "train" not in model) else "0"
        for name, model in models.items()
    }
    return [f"results/breastcancer/models/{name}/split-{split}/predictions.parquet" for name, split in splits.items()]


def tampered_copy(honest, folder, tamper):
    """The same dataset and folds with some rows changed, ready for the models to be made again."""
    run, place = Run(folder, configuration()), folder / "results" / "breastcancer"
    shutil.copy(honest / "table.csv", folder)
    place.mkdir(parents=True)
    for name in ("table.parquet", "schema.json", "folds.parquet"):
        shutil.copy(honest / "results" / "breastcancer" / name, place)
    table, folds = pd.read_parquet(place / "table.parquet"), pd.read_parquet(place / "folds.parquet")
    write_table(tamper(table, (folds["fold"] == 0).to_numpy()), place / "table.parquet")
    (place / "folds.parquet").touch()
    run("--rerun-triggers", "mtime", "--", *targets())
    return run


def flip_and_shuffle(table, rows):
    """Flip every label of these rows, permute their features, and stretch numbers, so that no mean stays the same."""
    schema_columns = [name for name in table.columns if name not in ("row", "part", "label", "true_ratio")]
    order = np.random.default_rng(0).permutation(np.flatnonzero(rows))
    changed = table.copy()
    for name in schema_columns:
        changed.loc[rows, name] = table.loc[order, name].to_numpy()
        if pd.api.types.is_float_dtype(table[name]):
            changed.loc[rows, name] *= 1.5
    changed.loc[rows, "label"] = 1 - table.loc[rows, "label"]
    return changed


def predictions(run, target):
    table = pd.read_parquet(run / target)
    return table[[0 in held_out(split) if split != "none" else False for split in table["split"]]]


def differing(honest, other, target):
    """The rows, by split, whose predictions changed in splits that hold out fold 0."""
    before, after = (predictions(run, target).reset_index(drop=True) for run in (honest, other))
    pd.testing.assert_frame_equal(before[["split", "row"]], after[["split", "row"]])
    names = [name for name in before if name.startswith("p_")]
    return before[(before[names].to_numpy() != after[names].to_numpy()).any(axis=1)]


def test_no_prediction_changes_but_those_of_the_changed_rows(honest, tmp_path):
    tampered = tampered_copy(honest, tmp_path / "tampered", flip_and_shuffle)
    folds = pd.read_parquet(honest / "results/breastcancer/folds.parquet").set_index("row")["fold"]
    parents = pd.read_parquet(honest / "results/breastcancer/synthetic.parquet").set_index("row")["parents"]
    folds = pd.concat([folds, parents])
    for target in targets():
        changed = differing(honest, tampered, target)
        assert set(folds[changed["row"]]) <= {0}, target
        assert len(predictions(honest, target)), target


def test_the_guard_sees_what_it_should_see(honest, tmp_path):
    """Changing the rows of fold 1, which splits that hold out 0 do learn from, changes nearly every model."""
    folds = pd.read_parquet(honest / "results/breastcancer/folds.parquet")
    tampered = tampered_copy(
        honest, tmp_path / "seen", lambda table, _: flip_and_shuffle(table, (folds["fold"] == 1).to_numpy())
    )
    moved = [target for target in targets() if len(differing(honest, tampered, target))]
    assert moved == targets()
