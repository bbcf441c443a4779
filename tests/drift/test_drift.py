"""Later batches are predicted before they are learned from, and a changed world is noticed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import SCHEMA, trained
from network_samples import NETWORK
from prepared_samples import imputer_options, prepared_by

from stillhouse.config.completion import complete_options
from stillhouse.drift.following import Followed, as_table
from stillhouse.drift.monitoring import monitored, page_hinkley, page_hinkley_watch, sorted_by_time
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import row_losses
from stillhouse.intake.load import cut_into_batches
from stillhouse.intake.task import Task
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.preparation.ledger import Ledger

BINARY = {"task": "binary", "classes": ["no", "yes"], "costs": None}


def test_the_statistic_is_the_rise_since_the_least_sum():
    assert page_hinkley(np.array([1.0, -2, -1, 3, 1, -1])).tolist() == [1, 0, 0, 3, 4, 3]


@pytest.mark.slow
def test_equal_losses_raise_an_alarm_in_about_one_of_a_hundred_sequences():
    rng = np.random.default_rng(0)
    expected = rng.exponential(size=3000)
    alarms = [bool(page_hinkley_watch(rng.choice(expected, 500), expected, rng)[2]) for _ in range(200)]
    assert np.mean(alarms) <= 0.04


def test_each_rise_of_the_loss_is_noticed_soon_after_it():
    rng = np.random.default_rng(1)
    expected = rng.exponential(size=3000)
    level = np.repeat([1.0, 2.0, 3.5], [1000, 1000, 1000])
    statistic, threshold, alarms = page_hinkley_watch(level * rng.exponential(size=3000), expected, rng)
    assert 1000 <= alarms[0] < 1150
    assert any(2000 <= place < 2200 for place in alarms)
    assert len(alarms) <= 3
    assert (np.flatnonzero(statistic > threshold) == alarms).all()


def test_a_fall_of_the_loss_is_no_alarm():
    rng = np.random.default_rng(2)
    expected = rng.exponential(size=3000)
    assert page_hinkley_watch(rng.choice(expected, 1000) / 3, expected, rng)[2] == []


def turning_world(rows=1600, batch=200):
    """A table whose label follows one column, and from the third batch on its opposite."""
    rng = np.random.default_rng(0)
    x, site = rng.normal(size=rows), rng.choice(["a", "b"], rows)
    batches = np.maximum((np.arange(rows) - rows // 2) // batch + 1, 0)
    sign = np.where(batches >= 3, -1, 1)
    label = (sign * x + 0.5 * rng.normal(size=rows) > 0).astype(float)
    table = pd.DataFrame({"row": range(rows), "part": np.where(batches, "batches", "train"), "label": label, "batch": batches})
    columns = [{"name": "x", "position": 0, "kind": "numeric"}, {"name": "site", "position": 1, "kind": "categorical"}]
    folds = pd.DataFrame({"row": range(rows), "fold": np.where(batches, -2, np.arange(rows) % 4)})
    return table.assign(x=x, site=site), folds, columns


LEDGER = Ledger([0.8, 0.2], [0.5, 0.5], resampled=False)
OPTIONS = {
    "imputer": imputer_options("median"),
    "weigher": complete_options(SCHEMA, "weighers", {"method": "none"}, where=()),
    "resampler": {"method": "none"},
    "teachers": {},
    "model": {**NETWORK, "epochs": 15, "rate": 0.02},
    "stop": 0.2,
    "split": {"name": "none", "train": [0, 1, 2, 3], "held_out": [], "unseen": {}},
}


def follow(table, folds, columns, ledger=None):
    features = prepared_by(columns, "median").fit(table[folds["fold"] >= 0]).transform(table)
    sample = features.merge(table[["row", "label"]], on="row").assign(weight=1.0, stop=table["row"] % 5 == 0)
    model, _ = trained(sample[folds["fold"] >= 0], OPTIONS["model"])
    shipped = OnOriginalPrior(model, ledger or replace(LEDGER, before=[0.5, 0.5]), sample[:0]), features
    return as_table(
        Followed(table, folds, {**BINARY, "columns": columns}, shipped, OPTIONS, seed=1).scores(), BINARY["classes"]
    )


@pytest.fixture(scope="module")
def turned():
    table, folds, columns = turning_world()
    return table, folds, columns, follow(table, folds, columns)


def test_a_model_that_is_trained_on_recovers_where_a_frozen_one_does_not(turned):
    table, folds, _, updates = turned
    held_out = updates[updates["state"] == "frozen"].merge(table[["row", "label"]], on="row")
    settings = {"draws": 100, "level": 0.95, "precision": 0.9, "quantile": 0.5}
    seen = held_out[held_out["batch"] == 1]
    found = monitored(updates, table, folds, seen, Protocol(Task.of(BINARY), settings, 1), np.random.default_rng(0))
    auc = {b["batch"]: {state: m["auc"]["value"] for state, m in b["states"].items()} for b in found["batches"]}
    assert auc[1]["frozen"] == auc[1]["updated"] == auc[1]["retrained"] > 0.9
    assert auc[3]["updated"] < 0.1
    assert auc[4]["updated"] > 0.9 > 0.1 > auc[4]["frozen"]
    assert next(alarm["batch"] for alarm in found["alarms"]) == 3


def test_a_batch_is_predicted_before_its_labels_are_seen(turned):
    """Labels of batch 3 change nothing before batch 4, and what learned from them by then."""
    table, folds, columns, honest = turned
    flipped = table.assign(label=table["label"].where(table["batch"] != 3, 1 - table["label"]))
    other = follow(flipped, folds, columns)
    same = (honest["p_yes"] == other["p_yes"]).groupby([honest["batch"], honest["state"]]).all()
    assert same[:9].all()
    assert same[4].to_dict() == {"frozen": True, "retrained": False, "updated": False}


def test_the_frozen_model_is_the_shipped_one_and_its_ledger_is_undone(turned):
    table, folds, columns, plain = turned
    moved = follow(table, folds, columns, ledger=LEDGER)
    p, q = (found.loc[found["state"] == "frozen", "p_yes"].to_numpy() for found in (plain, moved))
    assert q == pytest.approx(0.2 * p / (0.2 * p + 0.8 * (1 - p)))


def test_a_batch_of_one_group_leaves_the_updated_model_as_it_is():
    table, folds, columns = turning_world()
    folds["group"] = np.where(table["batch"] > 0, -table["batch"], table["row"])
    updates = follow(table, folds, columns)
    frozen, updated = (updates.loc[updates["state"] == state, "p_yes"].to_numpy() for state in ("frozen", "updated"))
    assert (frozen == updated).all()


def test_the_watch_follows_time_and_not_the_order_of_the_file():
    rows = pd.DataFrame({"batch": [1, 1, 2], "row": [0, 1, 2], "time": [5.0, 4.0, 6.0]})
    assert sorted_by_time(rows, ["batch"])["row"].tolist() == [1, 0, 2]
    assert sorted_by_time(rows.drop(columns="time"))["row"].tolist() == [0, 1, 2]


def test_batches_are_cut_from_the_end_of_the_train_table_in_time():
    table = pd.DataFrame({"part": ["train"] * 10 + ["deploy"], "time": [*range(9, -1, -1), 99.0], "batch": 0})
    cut = cut_into_batches(table, {"share": 0.4, "count": 2})
    assert cut["batch"].tolist() == [2, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    assert (cut["part"] == "batches").tolist() == [True] * 4 + [False] * 7


def test_rows_of_one_time_are_not_cut_apart():
    table = pd.DataFrame({"part": "train", "time": [1.0, 1, 2, 2, 2, 3], "batch": 0})
    assert cut_into_batches(table, {"share": 0.4, "count": 1})["batch"].tolist() == [0, 0, 0, 0, 0, 1]


def test_the_loss_of_a_row_is_its_log_loss_or_squared_error():
    rows = pd.DataFrame({"label": [1.0, 0.0], "p_no": [0.5, 0.25], "p_yes": [0.5, 0.75]})
    assert row_losses(rows, Task.of(BINARY)) == pytest.approx([np.log(2), np.log(4)])
    assert row_losses(pd.DataFrame({"label": [3.0], "prediction": [1.0]}), Task("regression")).tolist() == [4]


@pytest.mark.parametrize("given", [{"batch": 64}, {"snapshots": 3, "rate": 10.0, "optimizer": "sgd", "clip": 1e9}])
def test_an_update_takes_small_batches_and_leaves_a_model_that_cannot_be_bettered(given):
    table, folds, columns = turning_world()
    features = prepared_by(columns, "median").fit(table[folds["fold"] >= 0]).transform(table)
    sample = features.merge(table[["row", "label"]], on="row").assign(weight=1.0, stop=table["row"] % 5 == 0)
    model, _ = trained(sample[folds["fold"] >= 0], OPTIONS["model"] | {"snapshots": given.get("snapshots", 1)})
    shipped = OnOriginalPrior(model, None, sample[:0])
    options = {**OPTIONS, "model": OPTIONS["model"] | given}
    world = table, folds, {"classes": ["no", "yes"], "columns": columns}
    updated = Followed(*world, (shipped, features), options, 1).updated(shipped, table["row"][:24], 1)
    assert len(updated.model.networks) == len(model.networks)
    if "snapshots" in given:
        assert (updated.predict(features) == shipped.predict(features)).all()
