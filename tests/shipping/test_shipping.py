"""What leaves the house predicts what the workflow predicts, from raw columns, or says why not."""

import sqlite3
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import REPOSITORY, network_options, trained
from network_samples import NETWORK
from prepared_samples import prepared_by
from shipped_samples import AS_IT_WAS, READING, WAYS, ship

from stillhouse.ensembles.pipeline import SinglePipeline
from stillhouse.errors import UserError
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.predictions.decisions import decide
from stillhouse.shipping.export import exported, largest_difference, metadata
from stillhouse.shipping.onnx.layers import add_module
from stillhouse.shipping.serving import Shipped, predict_file
from stillhouse.shipping.streams import as_csv


@pytest.fixture
def shipped(gappy, tmp_path):
    return ship("median", gappy, tmp_path)


@pytest.mark.parametrize("way", WAYS)
def test_the_file_agrees_with_the_workflow_on_every_row(way, gappy, tmp_path):
    path, table, prepared, model = ship(way, gappy, tmp_path)
    assert model.calibration
    assert largest_difference(path, table, SinglePipeline(prepared, model)) < 1e-6


NETWORKS = {
    "the default": {},
    "periodic numbers, batch norm, gelu": {"numbers": "periodic", "norm": "batch", "activation": "gelu"},
    "one head, layer norm, tanh": {"heads": 1, "norm": "layer", "activation": "tanh"},
    "numbers and words as they are, leaky": {"numbers": "none", "categorical": "onehot", "activation": "leaky_relu"},
    "a residual network": {"method": "resnet", "activation": "sigmoid"},
    "snapshots": {"snapshots": 2},
    "a transformer": {"method": "transformer", "embedding": 8, "attention_heads": 2},
    "a transformer of numbers as they are": {
        "method": "transformer",
        "embedding": 8,
        "numbers": "none",
        "heads": 1,
        "depth": 1,
    },
}


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_that_exports_agrees_with_the_workflow(network, gappy, tmp_path):
    given = {"epochs": 3, **NETWORKS[network]}
    options = network_options(**({"width": 8} if given.get("method") != "transformer" else {}), **given)
    path, table, prepared, model = ship("median", gappy, tmp_path, options)
    assert largest_difference(path, table, SinglePipeline(prepared, model)) < 1e-5


def test_a_layer_without_counterpart_is_refused():
    with pytest.raises(TypeError, match="a layer of type Softplus cannot be written"):
        add_module(None, "x", torch.nn.Softplus())


def raw(table, folder):
    path = folder / "rows.csv"
    table.drop(columns="row").to_csv(path, index=False, na_rep="?")
    return path


def test_predict_needs_only_the_file_and_a_raw_table(shipped, tmp_path):
    path, table, *_ = shipped
    script = REPOSITORY / "workflow" / "scripts" / "predict.py"
    out = tmp_path / "out.csv"
    command = [sys.executable, script, path, raw(table, tmp_path), "-o", out]
    blocked = "import sys; [sys.modules.__setitem__(m, None) for m in ('torch', 'sklearn', 'scipy', 'lightgbm', 'joblib', 'onnx', 'PIL')]; "
    blocked += (
        "import runpy; sys.argv = sys.argv[1:]; sys.path.insert(0, sys.argv[0].rsplit('/', 1)[0]); runpy.run_path(sys.argv[0])"
    )
    subprocess.run([command[0], "-c", blocked, *map(str, command[1:])], check=True, capture_output=True)
    found = pd.read_csv(out)
    scores = Shipped(path).predict(pd.read_csv(raw(table, tmp_path), dtype=str, na_values=["?"], keep_default_na=False))
    assert found["p_high"].to_numpy() == pytest.approx(scores["p_high"].to_numpy())
    assert set(found["prediction"]) <= {"low", "high"}
    decided = decide(found[["p_low", "p_high"]].to_numpy(), shipped[3].factors)
    assert found["decision"].tolist() == np.array(["low", "high"])[decided].tolist()
    assert len(found) == len(table)


@pytest.mark.parametrize("size", [1, 7])
def test_rows_predicted_in_pieces_are_the_same(shipped, tmp_path, monkeypatch, size):
    path, table, *_ = shipped
    rows = raw(table, tmp_path)
    predict_file(path, rows, tmp_path / "whole.csv")
    monkeypatch.setattr("stillhouse.intake.formats.CHUNK", size)
    predict_file(path, rows, tmp_path / "pieces.csv")
    whole, pieces = (pd.read_csv(tmp_path / name) for name in ("whole.csv", "pieces.csv"))
    pd.testing.assert_frame_equal(whole, pieces, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.drop(columns="age"), "the table has no column 'age'; its columns are dose, smoker, site"),
        (
            lambda table: table.assign(dose=["much", *map(str, table["dose"][1:])]),
            "column 'dose', row 1: 'much' is not a numeric value",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_refused_in_one_message(shipped, tmp_path, change, said):
    path, table, *_ = shipped
    with pytest.raises(UserError, match=said):
        predict_file(path, raw(change(table), tmp_path), tmp_path / "out.csv")
    assert not list(tmp_path.glob("out.csv*"))


def test_a_file_cut_in_half_is_refused(shipped, tmp_path):
    path, table, *_ = shipped
    half = tmp_path / "half.onnx"
    half.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match="is not a complete Stillhouse model"):
        predict_file(half, raw(table, tmp_path), tmp_path / "out.csv")


def test_probabilities_are_on_the_original_prior(shipped):
    path, table, prepared, model = shipped
    expected = model.model.predict(prepared.transform(table)) * [0.8 / 0.5, 0.2 / 0.5]
    expected /= expected.sum(axis=1, keepdims=True)
    expected = model.calibration.predict(expected)
    raw_table = table.assign(smoker=table["smoker"].astype(object))
    assert Shipped(path).predict(raw_table)[["p_low", "p_high"]].to_numpy() == pytest.approx(expected, abs=1e-6)


def test_a_file_that_is_not_there_or_would_be_overwritten_is_named(shipped, tmp_path):
    path, table, *_ = shipped
    rows = raw(table, tmp_path)
    for arguments, said in (
        ((tmp_path / "no.onnx", rows, tmp_path / "out.csv"), "there is no file '.*no.onnx'"),
        ((path, tmp_path / "no.csv", tmp_path / "out.csv"), "there is no file '.*no.csv'"),
        ((path, rows, rows), "rows.csv: would be overwritten"),
        ((path, rows, tmp_path / "no" / "out.csv"), "out.csv: cannot be written"),
    ):
        with pytest.raises(UserError, match=said):
            predict_file(*arguments)
    assert pd.read_csv(rows).shape == (60, 4)


def test_columns_may_have_the_names_of_the_graph_itself(gappy, tmp_path):
    table, columns = gappy
    names = {"age": "probabilities", "dose": "constant.3", "smoker": "input", "site": "prediction"}
    table = table.rename(columns=names)
    columns = [{**column, "name": names[column["name"]], "source": names[column["name"]]} for column in columns]
    prepared = prepared_by(columns, "median").fit(table)
    sample = prepared.transform(table).assign(label=(table["row"] % 2).astype(float), weight=1.0, stop=table["row"] % 4 == 0)
    model, _ = trained(sample, {**NETWORK, "epochs": 2})
    schema = {"task": "binary", "target": "y", "classes": ["low", "high"], "columns": columns, "reading": READING}
    model, path = OnOriginalPrior(model, AS_IT_WAS, sample[:0]), tmp_path / "model.onnx"
    whole = SinglePipeline(prepared, model)
    path.write_bytes(exported(whole, metadata(schema, whole, "d", "m", {})))
    assert largest_difference(path, table, whole) < 1e-6


@pytest.mark.parametrize("form", ["rows.parquet", "rows.feather", "rows.tsv", "rows.csv.gz", "rows.sqlite"])
def test_every_format_that_is_read_for_training_is_read_for_prediction(shipped, tmp_path, form):
    path, table, *_ = shipped
    predict_file(path, raw(table, tmp_path), tmp_path / "expected.csv")
    rows, plain = tmp_path / form, table.drop(columns="row")
    write = {"parquet": plain.to_parquet, "feather": plain.to_feather}.get(form.split(".")[-1])
    if write:
        write(rows)
    elif form == "rows.sqlite":
        with sqlite3.connect(rows) as database:
            plain.to_sql("rows", database, index=False)
    else:
        plain.to_csv(rows, index=False, sep="\t" if "tsv" in form else ",")
    predict_file(path, rows, tmp_path / "found.csv")
    pd.testing.assert_frame_equal(*(pd.read_csv(tmp_path / name) for name in ("expected.csv", "found.csv")))


def test_a_headerless_table_with_semicolons_is_read_as_in_training(gappy, tmp_path):
    table, columns = gappy
    prepared = prepared_by(columns, "median").fit(table)
    sample = prepared.transform(table).assign(label=(table["dose"] > 2).astype(float), weight=1.0, stop=table["row"] % 4 == 0)
    model, _ = trained(sample, {**NETWORK, "epochs": 2})
    names = ["age", "dose", "smoker", "site"]
    reading = {**READING, "separator": ";", "columns": names, "decimal": ","}
    schema = {"task": "binary", "target": "y", "classes": ["low", "high"], "columns": columns, "reading": reading}
    path, rows = tmp_path / "model.onnx", tmp_path / "rows.data"
    model = OnOriginalPrior(model, AS_IT_WAS, sample[:0])
    whole = SinglePipeline(prepared, model)
    path.write_bytes(exported(whole, metadata(schema, whole, "d", "m", {})))
    table[names].to_csv(rows, index=False, header=False, sep=";", decimal=",")
    predict_file(path, rows, tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["p_high"].to_numpy() == pytest.approx(
        model.predict(prepared.transform(table))[:, 1], abs=1e-6
    )


def test_predictions_are_written_with_and_without_text_that_needs_quotes():
    plain = pd.DataFrame({"id": ["A1", None], "n": pd.array([3, 4], "int32"), "p": [0.25, 1e-7], "said": ["yes", "<=50K"]})
    assert as_csv(plain, header=True) == b"id,n,p,said\nA1,3,0.25,yes\n,4,1e-7,<=50K\n"
    assert as_csv(plain.assign(said=["yes", 'a, "b"']), header=False).endswith(b',"a, ""b"""\n')
    twice = pd.concat([plain[["id"]], plain[["id"]]], axis=1)
    assert as_csv(twice, header=True) == b"id,id\nA1,A1\n,\n"
    assert as_csv(plain[:0], header=True) == b"id,n,p,said\n"
