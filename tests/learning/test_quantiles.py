"""Quantiles beside a value: learned, shipped, and made into intervals that are as wide as a row is uncertain."""

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import model_options, network_options, trained
from evaluation_samples import SETS
from prepared_samples import prepared_by
from shipped_samples import READING

from stillhouse.config.checks.configuration import checked
from stillhouse.config.completion import ConfigError
from stillhouse.ensembles.pipeline import SinglePipeline, StackedPipeline
from stillhouse.ensembles.stackers.mean import Mean
from stillhouse.evaluation.conformal import HeldOut
from stillhouse.evaluation.coverage import with_conformal
from stillhouse.evaluation.protocol import Protocol
from stillhouse.intake.task import Task
from stillhouse.learning.fitting import fit, fitted_again
from stillhouse.networks.losses import Loss
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.shipping.export import exported, largest_difference, metadata
from stillhouse.shipping.serving import Shipped

LEVELS = [0.05, 0.5, 0.95]
NETWORK = network_options(numbers="none", heads=2, width=32, depth=2, epochs=60, quantiles=LEVELS)
TREES = model_options("boosting", quantiles=LEVELS)
SETTINGS = {"draws": 100, "level": 0.95, **SETS}


def noisy(rows, seed):
    """A sample whose values are three times x, and noise that grows from .1 to 2.1 with it."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 1, rows)
    label = 3 * x + (0.1 + 2 * x) * rng.normal(size=rows)
    table = pd.DataFrame({"row": range(rows), "n0:x": x.astype("float32"), "n1:z": rng.normal(size=rows).astype("float32")})
    return table.assign(fold=np.arange(rows) % 4, label=label, weight=1.0, stop=np.arange(rows) % 6 == 0)


def learned(method, sample):
    if method == "boosting":
        return fit(sample, TREES, 0, threads=1, seed=1)
    return trained(sample, NETWORK, n_classes=0)[0]


@pytest.fixture(scope="module", params=["boosting", "network"])
def found(request):
    """The outputs of a fitted model for new rows, and these rows."""
    new = noisy(4000, seed=1)
    return learned(request.param, noisy(6000, seed=0)).predict(new), new


def test_as_many_new_rows_lie_below_a_quantile_as_its_level_says(found):
    outputs, new = found
    assert outputs.shape == (4000, 4)
    shares = (new["label"].to_numpy()[:, None] <= outputs[:, 1:]).mean(axis=0)
    assert shares == pytest.approx(LEVELS, abs=0.06)


def test_quantiles_do_not_cross_and_are_further_apart_where_there_is_more_noise(found):
    outputs, new = found
    assert (np.diff(outputs[:, 1:], axis=1) >= 0).all()
    width, x = outputs[:, 3] - outputs[:, 1], new["n0:x"]
    assert width[x > 0.8].mean() > 3 * width[x < 0.2].mean()


def test_the_trees_of_the_value_are_those_without_quantiles():
    sample = noisy(800, seed=0)
    alone, beside = (fit(sample, options, 0, threads=1, seed=1) for options in (model_options("boosting"), TREES))
    assert (alone.predict(sample)[:, 0] == beside.predict(sample)[:, 0]).all()


def test_trees_fitted_again_have_as_many_rounds_for_each_quantile_as_the_stop_rows_allowed():
    sample = noisy(800, seed=0)
    model = fit(sample, TREES, 0, threads=1, seed=1)
    rounds = model.estimator.rounds_
    assert len(rounds) == 4 and len(set(rounds)) > 1
    again = fitted_again(model, sample.assign(stop=False), TREES, 0, threads=1, seed=1)
    assert again.estimator.rounds_ == rounds
    trees = [one.booster_.num_trees() for one in (again.estimator.booster_, *again.estimator.of_quantiles_)]
    assert trees == rounds


def test_the_pinball_loss_of_each_quantile_is_added_to_the_loss_of_the_value():
    """A value of 2 that is told as 1, with quantiles .1 at 0 (below by 2) and .9 at 5 (above by 3)."""
    outputs, hard = torch.tensor([[1.0, 0.0, 5.0]]), torch.tensor([[2.0, 2.0, 2.0]])
    loss = Loss("auto", 0, levels=[0.1, 0.9])
    assert loss(outputs, hard, None, 1.0, None).tolist() == pytest.approx([1 + 0.1 * 2 + 0.1 * 3])
    assert loss(outputs, hard, torch.tensor([[3.0]]), 0.5, None).tolist() == pytest.approx([0.5 * 1 + 0.5 * 4 + 0.5])


@pytest.mark.parametrize("method", ["boosting", "network"])
def test_a_shipped_file_has_the_quantiles_and_a_stack_the_value_alone(gappy, tmp_path, method):
    table, columns = gappy
    label = table["dose"] + table["age"].fillna(50) / 50
    prepared = prepared_by(columns, "median", indicators=True).fit(table)
    sample = prepared.transform(table).assign(label=label, weight=1.0, stop=table["row"] % 5 == 0)
    model = learned(method, sample) if method == "boosting" else trained(sample, {**NETWORK, "epochs": 3}, n_classes=0)[0]
    single = SinglePipeline(prepared, OnOriginalPrior(model, None, sample[sample["stop"]]))
    linear = fit(sample, model_options("logistic"), 0, threads=1, seed=1)
    other = SinglePipeline(prepared, OnOriginalPrior(linear, None, sample[sample["stop"]]))
    stacked = StackedPipeline([single, other], Mean().fit(np.zeros((2, 1, 1)), np.zeros(1), 0), None)
    schema = {"target": "y", "reading": READING, "columns": [], "task": "regression", "classes": None}
    for whole, names in ((single, ["prediction", "q0.05", "q0.5", "q0.95"]), (stacked, ["prediction"])):
        path = tmp_path / "model.onnx"
        path.write_bytes(exported(whole, metadata(schema, whole, "d", "m", {})))
        assert largest_difference(path, table, whole) < 1e-5
        raw = table.rename(columns={column["name"]: column["source"] for column in columns})
        assert list(Shipped(path).predict(raw)) == names
        assert whole.predict(table).shape == (len(table), 1)


def predicted(outputs, new):
    names = ["prediction", "q0.05", "q0.5", "q0.95"]
    return new[["row", "label", "fold"]].assign(part="train", **dict(zip(names, outputs.T, strict=True)))


def test_conformal_intervals_hold_the_value_as_often_as_stated_where_rows_are_sure_and_where_they_are_not(found):
    rows = predicted(*found)
    x, protocol = found[1]["n0:x"].to_numpy(), Protocol(Task("regression"), SETTINGS, seed=1)
    plain = rows.drop(columns=["q0.05", "q0.5", "q0.95"])
    (metrics, own), (constant, even) = (with_conformal({"held_out": {}}, one, protocol, timed=False) for one in (rows, plain))
    assert metrics["held_out"]["conformal"]["value"] == pytest.approx(0.9, abs=0.01)
    within, by_constant = ((sets["low"] <= rows["label"]) & (rows["label"] <= sets["high"]) for sets in (own, even))
    assert [within[x < 0.2].mean(), within[x > 0.8].mean()] == pytest.approx([0.9, 0.9], abs=0.06)
    assert by_constant[x < 0.2].mean() > 0.99
    assert by_constant[x > 0.8].mean() < 0.8
    assert metrics["held_out"]["conformal"]["size"] < 0.95 * constant["held_out"]["conformal"]["size"]
    shares = metrics["held_out"]["quantiles"]
    assert [shares[name]["value"] for name in shares] == pytest.approx(LEVELS, abs=0.06)
    assert constant["held_out"]["quantiles"] == {}


def test_intervals_of_new_rows_are_widened_from_the_quantiles_of_each_split():
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"row": range(30), "label": rng.normal(size=30), "fold": np.arange(30) % 3, "prediction": 0.0})
    rows = rows.assign(**{"q0.1": rng.normal(-2, 1, 30), "q0.9": rng.normal(2, 1, 30)})
    new = {
        k: pd.DataFrame({"row": [90], "prediction": 0.0, "q0.1": rng.normal(-2, 1, 1), "q0.9": rng.normal(2, 1, 1)})
        for k in range(3)
    }
    found = HeldOut(rows, None, {**SETS, "coverage": 0.8}, timed=False).sets_of_new(new, np.ones(30))
    scores = np.maximum(rows["q0.1"] - rows["label"], rows["label"] - rows["q0.9"]).to_numpy()
    assert (scores < 0).any()
    rank = int(np.ceil(0.8 * 31)) - 1
    low, high = (np.array([new[k][name].iloc[0] for k in rows["fold"]]) for name in ("q0.1", "q0.9"))
    assert found["high"].iloc[0] == pytest.approx(np.sort(high + scores)[rank])
    assert found["low"].iloc[0] == pytest.approx(np.sort(low - scores)[::-1][rank])


@pytest.mark.parametrize(
    ("model", "task", "said"),
    [
        ({"fit": {"method": "boosting", "quantiles": [0.9, 0.1]}}, "regression", "give the levels in rising order"),
        ({"fit": {"method": "boosting", "quantiles": [0.1]}}, "binary", "quantiles are of values"),
        ({"fit": {"method": "boosting", "quantiles": [0.1], "bag": 3}}, "regression", "and not as `bag`"),
        (
            {"distill": {"method": "boosting", "quantiles": [0.1], "teacher": "linear"}},
            "regression",
            "from labels alone, and not as a student",
        ),
        (
            {"distill": {"method": "mlp", "quantiles": [0.1], "teacher": "linear", "transfer": ["synthetic"]}},
            "regression",
            "rows of `transfer` have no labels",
        ),
        ({"train": {"method": "mlp", "quantiles": [0.1], "mixup": 0.4}}, "regression", "mixed labels vary less"),
        (
            {"fit": {"method": "boosting", "search": {"quantiles": [[0.1], [0.2]]}}},
            "regression",
            "levels say what is asked for",
        ),
    ],
)
def test_quantiles_that_cannot_be_learned_are_refused(schema, model, task, said):
    dataset = {"train": "sklearn:iris", "target": "target", "task": task, "synthetic": {}}
    config = {"datasets": {"d": dataset}, "models": {"linear": {"fit": {"method": "logistic"}}, "m": model}}
    with pytest.raises(ConfigError, match=rf"models.m.[\w.]+.quantiles: .*{said}"):
        checked(config, schema)
