"""Prices, slices and explanations: what a number costs, where it does not hold, and what it leans on."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from evaluation_samples import SETS

from stillhouse.errors import UserError
from stillhouse.evaluation.coverage import with_conformal
from stillhouse.evaluation.importance import importance, readable_conditions, surrogate
from stillhouse.evaluation.intervals import bootstrap_p, counts
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.slicing import against_rest, slices
from stillhouse.intake.task import Task
from stillhouse.report.sections.footprint import pareto_front
from stillhouse.seeds import generator

SETTINGS = {"draws": 200, "level": 0.95, "precision": 0.9, "quantile": 0.5, **SETS, "slice_rows": 50}
COLUMNS = [
    {"name": "age", "source": "age", "position": 0, "kind": "numeric"},
    {"name": "noise", "source": "noise", "position": 1, "kind": "numeric"},
    {"name": "site", "source": "site", "position": 2, "kind": "categorical"},
]
SCHEMA = {"task": "binary", "target": "outcome", "classes": ["no", "yes"], "costs": None, "columns": COLUMNS}
PROTOCOL = Protocol(Task.of(SCHEMA), SETTINGS, seed=1, ratio=0.5)


def case(rows=1200):
    """A table, its folds, and held-out predictions that are right but for the rows of one site."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"row": range(rows), "age": rng.normal(50, 10, rows), "noise": rng.normal(size=rows)})
    table["site"] = rng.choice(list("abcd"), rows)
    truth = 1 / (1 + np.exp(-(table["age"] - 50) / 4))
    table["label"] = (rng.random(rows) < truth).astype(float)
    said = np.where(table["site"] == "d", 1 - truth, truth)
    folds = pd.DataFrame({"row": range(rows), "fold": rng.integers(0, 3, rows)})
    rows = pd.DataFrame({"row": table["row"], "p_no": 1 - said, "p_yes": said, "label": table["label"], "part": "train"})
    return table.assign(part="train"), folds, rows.assign(fold=folds["fold"], decision=0)


def test_a_slice_on_which_a_model_errs_is_found_and_called_worse():
    table, _, rows = case()
    found = slices(rows, table, SCHEMA, ["site"], PROTOCOL)
    given = found[found["found"] == "given"].set_index("slice")
    assert given["worse"].to_dict() == {"site is a": False, "site is b": False, "site is c": False, "site is d": True}
    assert given.loc["site is d", "value"] < 0.3
    assert found.loc[found["found"] == "worst found", "slice"].iloc[0].startswith("site is d")


def test_a_slice_tells_how_far_its_probabilities_are_off_and_how_often_its_sets_hold():
    """Sites a to c are calibrated; at site e there is a third more than is said, and sets for all rows fail at site d."""
    table, _, rows = case(4000)
    table["site"] = np.where(table["site"] == "c", "e", table["site"])
    is_e = (table["site"] == "e").to_numpy()
    more = is_e & (np.random.default_rng(3).random(len(rows)) < 0.33) & (rows["label"] == 0)
    rows = rows.assign(label=np.where(more, 1.0, rows["label"]))
    sets = with_conformal({"held_out": {}}, rows, PROTOCOL, timed=False)[1]
    found = slices(rows, table, SCHEMA, ["site"], PROTOCOL, sets).set_index("slice")
    well, low = found.loc["site is a"], found.loc["site is e"]
    assert well["off_low"] < 0 < well["off_high"]
    assert low["off_low"] > 0.1
    own = rows[is_e]
    assert (low["predicted"], low["observed"]) == pytest.approx((own["p_yes"].mean(), own["label"].mean()))
    assert low["off"] == pytest.approx(low["observed"] - low["predicted"])
    assert found.loc["site is d", "covered_high"] < 0.9 < found.loc["site is a", "covered_low"]
    is_d = (table["site"] == "d").to_numpy()
    labels = rows["label"].to_numpy(int)
    is_in = sets[["in_no", "in_yes"]].to_numpy()[np.arange(len(rows)), labels]
    assert found.loc["site is d", "covered"] == pytest.approx(is_in[is_d].mean())
    unjudged = sets.assign(judged=~is_d, in_no=sets["in_no"] | is_d, in_yes=sets["in_yes"] | is_d)
    again = slices(rows, table, SCHEMA, ["site"], PROTOCOL, unjudged).set_index("slice")
    assert np.isnan(again.loc["site is d", "covered"])
    assert again.loc["site is a", "covered"] == found.loc["site is a", "covered"]


@pytest.mark.slow
def test_a_run_whose_model_errs_nowhere_in_particular_seldom_calls_a_slice_worse():
    """Of all slices that a run looks at, one in twenty runs may call one worse."""
    table, _, rows = case()
    called = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        p = rng.uniform(0.05, 0.95, len(rows))
        labels = (rng.random(len(p)) < p).astype(float)
        noisy = rows.assign(p_no=1 - p, p_yes=p, label=labels)
        mixed = table.assign(site=rng.choice(list("abcdefgh"), len(table)))
        called.append(slices(noisy, mixed, SCHEMA, ["site", "age", "noise"], replace(PROTOCOL, seed=seed))["worse"].any())
    assert np.mean(called) <= 0.1


def test_a_slice_is_not_worse_for_having_more_rows_of_the_class_that_is_hard_everywhere():
    rng = np.random.default_rng(1)
    site = rng.choice(["well", "ill"], 4000)
    labels = (rng.random(4000) < np.where(site == "ill", 0.5, 0.1)).astype(int)
    said = np.where(labels == 1, rng.beta(2, 2, 4000), rng.beta(1, 9, 4000))
    table = pd.DataFrame({"row": range(4000), "site": site, "age": 1.0, "noise": 0.0, "label": labels, "part": "train"})
    rows = table[["row", "label", "part"]].assign(p_no=1 - said, p_yes=said, fold=0, decision=0)
    found = slices(rows, table, SCHEMA, ["site"], PROTOCOL).set_index("slice").loc["site is ill"]
    assert found["loss"] > 1.5 * -np.log(np.where(labels == 1, said, 1 - said))[site == "well"].mean()
    assert found["loss"] == pytest.approx(found["loss_elsewhere"], rel=0.15)
    assert not found["worse"]


def test_slices_that_are_compared_at_once_are_compared_as_each_alone():
    """Overlapping slices, one without other rows and one without other rows of a class, beside a plain program."""
    rng = np.random.default_rng(3)
    label, loss, group = rng.integers(0, 3, 400), rng.exponential(1, 400), np.arange(400) // 2
    rows = pd.DataFrame({"label": label * 1.0, "group": group})
    masks = [rng.random(400) < 0.4, label == 1, np.ones(400, dtype=bool), rng.random(400) < 0.5]
    sides = [(mask, ~mask) for mask in masks[:3]] + [(masks[3], ~masks[3] & masks[0] & (label != 2))]
    protocol = Protocol(Task("multiclass", ["a", "b", "c"]), {"draws": 200, "level": 0.95}, seed=4)
    W = counts(group, 200, generator(4, "bootstrap"))

    def gap_of(own, others, weight):
        codes = [code for code in range(3) if (own & (label == code)).any() and (others & (label == code)).any()]
        shares = np.array([(own & (label == code)).sum() for code in codes])
        means = [
            [np.average(loss[side & (label == code)], weights=weight[side & (label == code)]) for code in codes]
            for side in (own, others)
        ]
        return codes, [np.average(one, weights=shares) for one in means]

    found = against_rest(rows, loss, sides, protocol)
    assert found[1] == found[2] == (None, 1.0)
    for place in (0, 3):
        codes, (inside, outside) = gap_of(*sides[place], np.ones(400))
        drawn = np.array([np.subtract(*gap_of(*sides[place], weight)[1]) for weight in W])
        groups = len(np.unique(group[sides[place][0] & np.isin(label, codes)]))
        p = bootstrap_p(inside - outside, drawn, groups) / 2
        assert found[place] == (pytest.approx(outside), pytest.approx(p if inside > outside else 1 - p))


def test_the_target_itself_may_make_slices():
    table, _, rows = case()
    found = slices(rows, table, SCHEMA, ["outcome"], PROTOCOL)
    assert found.loc[found["found"] == "given", "slice"].tolist() == ["outcome is no", "outcome is yes"]


def test_slices_are_no_smaller_than_asked_and_of_known_columns():
    table, _, rows = case(300)
    found = slices(rows, table, SCHEMA, ["age", "site"], replace(PROTOCOL, settings={**SETTINGS, "slice_rows": 70}))
    assert (found["rows"] >= 70).all()
    assert found["slice"].str.startswith("age").sum() == 4
    with pytest.raises(UserError, match="slices: there is no column 'sit'; did you mean 'site'"):
        slices(rows, table, SCHEMA, ["sit"], PROTOCOL)


class ByAge:
    """A model that looks at age alone."""

    def predict(self, rows):
        p = 1 / (1 + np.exp(-(rows["age"].to_numpy() - 50) / 4))
        return np.c_[1 - p, p]


def test_importance_is_what_a_column_is_worth_and_nothing_for_one_that_is_not_read():
    table, folds, _ = case()
    found = importance({0: ByAge(), 1: ByAge(), 2: ByAge()}, table, folds, SCHEMA, PROTOCOL, np.random.default_rng(0))
    assert found["column"].iloc[0] == "age"
    by_column = found.set_index("column")
    assert by_column.loc["age", "loss"] > 0.25
    assert by_column.loc["age", "low"] > 0
    assert (by_column.loc[["noise", "site"], "loss"] == 0).all()
    assert by_column["direction"].to_dict() == {"age": "rises", "noise": "", "site": ""}


@pytest.mark.parametrize("scored", [3, 1])
def test_the_surrogate_says_in_words_what_the_model_says_and_reads_no_label(scored):
    table, _, rows = case()
    p = ByAge().predict(table)
    rows = rows.assign(p_no=p[:, 0], p_yes=p[:, 1], fold=rows["fold"] % scored)
    found = surrogate(rows, table, SCHEMA, fold=scored - 1)
    assert found["fidelity"] > 0.9
    assert all(leaf["where"].startswith("age") for leaf in found["leaves"])
    assert found["leaves"][0]["says"] < 0.2 < 0.8 < found["leaves"][-1]["says"]
    assert surrogate(rows.assign(label=1 - rows["label"]), table, SCHEMA, fold=scored - 1) == found


def test_the_surrogate_of_many_classes_names_the_likeliest():
    table, _, rows = case()
    chosen = np.digitize(table["age"], [40, 60])
    p = np.full((len(table), 3), 0.1)
    p[np.arange(len(table)), chosen] = 0.8
    rows = pd.concat([rows[["row", "label", "part", "fold"]], pd.DataFrame(p, columns=["p_x", "p_y", "p_z"])], axis=1)
    found = surrogate(rows, table, {**SCHEMA, "classes": ["x", "y", "z"], "task": "multiclass"}, fold=2)
    assert found["fidelity"] > 0.98
    assert {leaf["says"] for leaf in found["leaves"]} == {"x", "y", "z"}


def test_bounds_of_one_column_are_said_together():
    conditions = [
        ("n0:age", "above", 40.0),
        ("c2:site=a", "above", 0.5),
        ("n0:age", "at most", 60.0),
        ("n0:age", "above", 45.0),
    ]
    assert readable_conditions(conditions) == "site is a and age above 45, at most 60"
    assert readable_conditions([("c2:site=a=b", "at most", 0.5)]) == "site is not a=b"
    assert readable_conditions([]) == "every row"


def test_the_front_holds_what_nothing_cheaper_beats():
    prices = {name: {"bytes": size} for name, size in {"small": 1, "dud": 2, "good": 3, "dear": 9, "alike": 3}.items()}
    scores = {"small": 0.7, "dud": 0.6, "good": 0.9, "dear": 0.9, "alike": 0.8}
    assert pareto_front(prices, scores, "bytes") == ["small", "good"]
