"""Trees, forests, boosting, linear models, bags and stacks in a file predict what they predict in the workflow."""

import numpy as np
import pandas as pd
import pytest
from conftest import model_options, trained
from network_samples import NETWORK
from prepared_samples import prepared_by
from shipped_samples import AS_IT_WAS, READING

from stillhouse.ensembles.pipeline import SinglePipeline, StackedPipeline
from stillhouse.ensembles.stackers.mean import Mean
from stillhouse.learning.fitting import fit
from stillhouse.networks.architecture import parameter_count
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.preparation.ledger import Ledger
from stillhouse.shipping.export import exported, largest_difference, metadata
from stillhouse.shipping.footprint import file_footprint, parameters
from stillhouse.shipping.serving import Shipped

SMALL = {"forest": {"trees": 9, "leaf": 1}, "boosting": {"rounds": 12, "leaf": 2, "patience": 12}, "tree": {"leaf": 1}}
SMALL["catboost"] = {"rounds": 12, "depth": 3, "patience": 12}
METHODS = ("logistic", "tree", "forest", "boosting", "catboost")
SCHEMA = {"target": "y", "reading": READING, "columns": []}
TASKS = {0: {"task": "regression", "classes": None}, 2: {"task": "binary", "classes": ["a", "b"]}}
TASKS[3] = {"task": "multiclass", "classes": ["a", "b", "c"]}


def labelled(table, n_classes):
    value = table["dose"] + (table["site"] == "a") + table["age"].fillna(50) / 50
    return value if n_classes == 0 else pd.qcut(value, n_classes, labels=False).astype(float)


def made(gappy, n_classes, method, impute="median", bag=0, boost=0, ledger=AS_IT_WAS, known=None):
    """A preparation and a model fitted after it."""
    table, columns = gappy
    label = labelled(table, n_classes)
    prepared = prepared_by(columns, impute, indicators=True).fit(table)
    sample = prepared.transform(table).assign(label=label, weight=1.0, stop=table["row"] % 5 == 0)
    sample = sample if known is None else sample[sample["label"].isin(known)]
    model = fit(sample, model_options(method, **SMALL.get(method, {}), bag=bag, boost=boost), n_classes, threads=1, seed=1)
    equal = Ledger([1 / n_classes] * n_classes, [1 / n_classes] * n_classes, resampled=False) if n_classes else None
    ledger = equal if ledger is AS_IT_WAS or not n_classes else ledger
    return SinglePipeline(prepared, OnOriginalPrior(model, ledger, sample[sample["stop"]]))


def odd(table):
    """The table with categories that no row had before, and gaps where there were none."""
    changed = table.assign(site=table["site"].where(table.index % 5 != 0, "never seen"))
    return changed.assign(dose=changed["dose"].mask(changed.index % 8 == 3))


def written(whole, n_classes, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(exported(whole, metadata({**SCHEMA, **TASKS[n_classes]}, whole, "d", "m", {})))
    return path


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("bag", [0, 3])
@pytest.mark.parametrize("method", METHODS)
def test_a_model_agrees_on_every_row(gappy, tmp_path, method, bag, n_classes):
    whole = made(gappy, n_classes, method, bag=bag)
    assert largest_difference(written(whole, n_classes, tmp_path), odd(gappy[0]), whole) < 1e-6


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("method", ["tree", "forest", "boosting", "catboost"])
def test_gaps_that_trees_learn_from_go_the_same_way(gappy, tmp_path, method, n_classes):
    whole = made(gappy, n_classes, method, impute="none")
    assert largest_difference(written(whole, n_classes, tmp_path), odd(gappy[0]), whole) < 1e-6


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("known", [[0, 2], [1]])
def test_a_class_that_no_training_row_had_has_no_probability(gappy, tmp_path, method, known):
    whole = made(gappy, 3, method, known=known)
    path = written(whole, 3, tmp_path)
    assert largest_difference(path, odd(gappy[0]), whole) < 1e-6


def test_a_resampled_model_speaks_on_the_original_prior(gappy, tmp_path):
    ledger = Ledger([0.9, 0.1], [0.5, 0.5], resampled=True)
    whole = made(gappy, 2, "forest", ledger=ledger)
    assert whole.model.calibration
    assert largest_difference(written(whole, 2, tmp_path), odd(gappy[0]), whole) < 1e-6


def network(gappy, n_classes):
    table, columns = gappy
    prepared = prepared_by(columns, "mean").fit(table)
    sample = prepared.transform(table).assign(label=labelled(table, n_classes), weight=1.0, stop=table["row"] % 5 == 0)
    model, _ = trained(sample, {**NETWORK, "epochs": 3}, n_classes)
    ledger = Ledger([1 / n_classes] * n_classes, [1 / n_classes] * n_classes, resampled=False) if n_classes else None
    return SinglePipeline(prepared, OnOriginalPrior(model, ledger, sample[sample["stop"]]))


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_a_stack_of_trees_and_networks_each_with_its_own_preparation_is_one_file(gappy, tmp_path, n_classes):
    members = [made(gappy, n_classes, "boosting", impute="none"), made(gappy, n_classes, "logistic"), network(gappy, n_classes)]
    factors = np.arange(1.0, 1 + n_classes) if n_classes else None
    intercept = np.linspace(-0.2, 0.3, n_classes or 1)
    whole = StackedPipeline(members, Mean().restored({"weights": [0.5, 0.1, 0.6], "intercept": intercept}), factors)
    path = written(whole, n_classes, tmp_path)
    assert largest_difference(path, odd(gappy[0]), whole) < 1e-5
    assert [column["name"] for column in Shipped(path).columns] == ["age", "dose", "smoker", "site"]


def test_what_a_file_costs_is_its_bytes_what_was_learned_and_the_time_of_a_row(gappy, tmp_path):
    whole = network(gappy, 2)
    path = written(whole, 2, tmp_path)
    found = file_footprint(path, gappy[0], whole)
    assert found["bytes"] == path.stat().st_size
    assert found["parameters"] == parameter_count(whole.model.model.networks[0])
    assert 0 < found["milliseconds"]["median"] <= found["milliseconds"]["p99"]


def test_a_tree_has_learned_a_threshold_a_node_and_a_share_a_leaf(gappy):
    whole = made(gappy, 0, "tree")
    tree = whole.model.model.estimator.tree_
    # Leaves have a place among the thresholds too; the last number is what is added to the sum.
    assert parameters(whole.model.model) == tree.node_count + tree.n_leaves + 1


def test_a_model_without_counterpart_is_refused(gappy, tmp_path):
    whole = made(gappy, 2, "tree", boost=3)
    with pytest.raises(TypeError, match="cannot be written as ONNX nodes"):
        written(whole, 2, tmp_path)
