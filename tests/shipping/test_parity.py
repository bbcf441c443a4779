"""Workflow, shipped file and `predict.py` say the same of every row of real tables, gaps and unseen categories planted."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import REPOSITORY, SCHEMA, model_options, network_options
from prepared_samples import prepared_by

from stillhouse.config.completion import fill
from stillhouse.config.dataset import as_list
from stillhouse.ensembles.pipeline import SinglePipeline, StackedPipeline
from stillhouse.ensembles.stackers.mean import Mean
from stillhouse.intake.kinds import CATEGORICAL, feature_columns
from stillhouse.intake.load import load
from stillhouse.learning.fitting import fit
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.preparation.ledger import Ledger
from stillhouse.shipping.export import exported, largest_difference, metadata

pytestmark = pytest.mark.slow
TABLES = {"adult": 48842, "heart-disease": 920, "letter-recognition": 20000}


def planted(paths, dataset, folder):
    """The rows of raw files in one of the same form, a tenth of the cells emptied, with a word that there never was in places."""
    form = {"sep": dataset["separator"] or ","}
    names = {"header": None, "names": dataset["columns"]} if "columns" in dataset else {}
    parts = [pd.read_csv(path, dtype=str, na_filter=False, skipinitialspace=True, **form, **names) for path in paths]
    raw, rng = pd.concat(parts, ignore_index=True), np.random.default_rng(0)
    for name in (name for name in raw if name != dataset["target"]):
        if raw[name].str.contains("[a-zA-Z]").mean() > 0.5:
            raw.loc[rng.random(len(raw)) < 0.05, name] = "never seen"
        raw.loc[rng.random(len(raw)) < 0.1, name] = "?"
    path = folder / "planted.csv"
    raw.to_csv(path, index=False, header="columns" not in dataset, **form)
    return path


def loaded(name, tables, folder, monkeypatch):
    """A table with its planted rows as deploy rows, its schema, and the file that these are in."""
    (folder / "data").symlink_to(tables)
    monkeypatch.chdir(folder)
    dataset = yaml.safe_load((REPOSITORY / "tests" / "tables" / f"{name}.yaml").read_text())
    dataset = fill({**dataset, "missing": ["?"]}, SCHEMA["$defs"]["dataset"], SCHEMA)
    dataset.pop("source", None)
    files = [*as_list(dataset["train"]), *as_list(dataset.get("test", []))]
    path = planted([folder / place for place in files], dataset, folder)
    return *load({**dataset, "deploy": str(path)}, np.random.default_rng(0)), path


def fitted(table, schema):
    """A stack of a network and boosted trees, each after its own preparation; what it is worth does not matter here."""
    columns, n_classes = feature_columns(schema), len(schema["classes"])
    members, ledger = [], Ledger([1 / n_classes] * n_classes, [1 / n_classes] * n_classes, resampled=False)
    for imputer in ("median", "none"):
        prepared = prepared_by(columns, imputer, indicators=imputer == "median").fit(table)
        sample = prepared.transform(table).assign(label=table["label"], weight=1.0, stop=table["row"] % 5 == 0)
        if imputer == "median":
            options = network_options(epochs=2, width=64)
            model = train([TrainingSet(sample, None, options, n_classes, seed=1)])[0][0]
        else:
            options = model_options("boosting", rounds=10, patience=10, rate=0.1, leaves=15, leaf=5)
            model = fit(sample, options, n_classes, threads=2, seed=1)
        members.append(SinglePipeline(prepared, OnOriginalPrior(model, ledger, sample[sample["stop"]])))
    return members[0], StackedPipeline(
        members, Mean().restored({"weights": [0.6, 0.5], "intercept": [0.0] * n_classes}), np.ones(n_classes)
    )


@pytest.mark.parametrize("name", TABLES)
def test_workflow_file_and_script_agree_on_every_row(name, shared_tables, tmp_path, monkeypatch):
    table, schema, path = loaded(name, shared_tables, tmp_path, monkeypatch)
    deploy = table[table["part"] == "deploy"].reset_index(drop=True)
    columns = feature_columns(schema)
    assert len(deploy) == TABLES[name]
    assert all(deploy[column["name"]].isna().mean() > 0.05 for column in columns)
    words = [column["name"] for column in columns if column["kind"] == CATEGORICAL]
    assert all((deploy[word] == "never seen").any() for word in words if table[word].str.contains("[a-zA-Z]").mean() > 0.5)
    for place, whole in enumerate(fitted(table[table["part"] != "deploy"], schema)):
        shipped, out = tmp_path / f"{place}.onnx", tmp_path / f"{place}.csv"
        shipped.write_bytes(exported(whole, metadata(schema, whole, name, "m", {})))
        assert largest_difference(shipped, table, whole) < 1e-5
        script = REPOSITORY / "workflow" / "scripts" / "predict.py"
        subprocess.run([sys.executable, script, shipped, path, "-o", out], check=True, capture_output=True)
        found = pd.read_csv(out)[[f"p_{label}" for label in schema["classes"]]]
        assert np.abs(found.to_numpy() - whole.predict(deploy)).max() < 1e-5
