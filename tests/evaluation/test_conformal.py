"""Conformal sets contain the label as often as they say: of all rows, of each class, and of each group."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from evaluation_samples import BINARY, PROTOCOL, SETTINGS, assessed, predicted
from scipy import stats

from stillhouse.errors import UserError
from stillhouse.evaluation.conformal import HeldOut, threshold, threshold_among_others
from stillhouse.evaluation.coverage import share, with_conformal
from stillhouse.evaluation.intervals import draws, share_interval
from stillhouse.evaluation.metrics import mean
from stillhouse.evaluation.nonconformity import drawn_share, nonconformity_score
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.sets import threshold_sets
from stillhouse.evaluation.strata import groups_of
from stillhouse.intake.task import Task


def test_a_conformal_threshold_is_the_usual_rank_and_with_weights_the_weighted_one():
    found = np.arange(1.0, 10)
    assert threshold(found, np.ones(9), np.array([1.0]), 0.9)[0] == 9
    assert threshold(found, np.ones(9), np.array([1.0]), 0.8)[0] == 8
    assert threshold(found[:8], np.ones(8), np.array([1.0]), 0.95)[0] == np.inf
    assert threshold(found, np.r_[np.zeros(8), 9], np.array([1.0]), 0.5)[0] == 9
    assert threshold(found, np.r_[9, np.zeros(8)], np.array([1.0]), 0.9)[0] == 1


def test_conformal_sets_hold_the_label_as_often_as_stated_for_any_task():
    rows = predicted(1, 2.0, rows=6000)
    found = assessed(rows)["held_out"]["conformal"]
    assert found["value"] == pytest.approx(0.9, abs=0.01)
    assert found["low"] < found["value"] < found["high"]
    assert 1 < found["size"] < 2
    rng, n = np.random.default_rng(0), 6000
    values = pd.DataFrame({"row": range(n), "prediction": rng.normal(size=n), "part": "train", "fold": rng.integers(0, 4, n)})
    values["label"] = values["prediction"] + rng.standard_t(3, n)
    found = assessed(values, Task("regression"))["held_out"]["conformal"]
    assert found["value"] == pytest.approx(0.9, abs=0.012)
    assert found["size"] == pytest.approx(2 * stats.t.ppf(0.95, 3), rel=0.08)


def test_in_time_a_row_is_judged_by_earlier_blocks_alone():
    rows = predicted(1, 2.0, rows=900)
    metrics, table = with_conformal(assessed(rows), rows, PROTOCOL, timed=True)
    assert metrics["held_out"]["conformal"]["rows"] == (rows["fold"] > 0).sum()
    first = table[rows["fold"] == 0]
    assert first[["in_a", "in_b"]].all().all()
    later = rows.assign(label=np.where(rows["fold"] == 2, 1 - rows["label"], rows["label"]))
    pd.testing.assert_frame_equal(with_conformal(metrics, later, PROTOCOL, timed=True)[1], table)


def test_a_row_is_judged_by_all_other_rows_whatever_their_fold():
    """The quantile of the other scores, as it is by leaving each row out in turn; ties and weights included."""
    rng = np.random.default_rng(0)
    scores, weight = rng.integers(0, 9, 60) / 10, rng.choice([0.5, 1, 3], 60)
    for level in (0.5, 0.8, 0.95):
        others = [np.delete(np.arange(60), row) for row in range(60)]
        expected = [threshold(scores[rest], weight[rest], weight[[row]], level)[0] for row, rest in enumerate(others)]
        assert threshold_among_others(scores, weight, level).tolist() == expected


def test_sets_cover_where_one_fold_has_a_model_of_no_use():
    """Judged by other folds alone, hardly any row of that fold would be covered."""
    rows = predicted(1, 1.0, rows=3000)
    useless = rows["fold"] == 1
    rows = rows.assign(p_a=np.where(useless, 0.4, rows["p_a"]), p_b=np.where(useless, 0.6, rows["p_b"]))
    assert assessed(rows)["held_out"]["conformal"]["value"] == pytest.approx(0.9, abs=0.015)


def test_coverage_is_told_by_class_and_holds_in_each_where_sets_are_made_by_class():
    rng = np.random.default_rng(0)
    labels = (rng.random(6000) < 0.05).astype(float)
    p = 1 / (1 + np.exp(-(3 * labels - 4 + rng.normal(size=6000))))
    rows = pd.DataFrame({"row": range(6000), "p_a": 1 - p, "p_b": p, "label": labels, "part": "train"})
    rows = rows.assign(fold=rng.integers(0, 4, 6000), decision=0)
    found = assessed(rows)["held_out"]["conformal"]
    assert found["value"] == pytest.approx(0.9, abs=0.01)
    assert found["classes"]["b"]["value"] < 0.5
    protocol = Protocol(BINARY, {**SETTINGS, "by_class": True}, seed=1)
    by_class = with_conformal({"held_out": {}}, rows, protocol, timed=False)[0]["held_out"]["conformal"]
    assert by_class["classes"]["a"]["value"] == pytest.approx(0.9, abs=0.01)
    assert by_class["classes"]["b"]["value"] == pytest.approx(0.9, abs=0.04)
    assert by_class["size"] > found["size"]


@pytest.mark.parametrize("grouped", [False, True])
def test_intervals_of_values_cover_rows_and_rows_of_new_groups(grouped):
    rng, covered = np.random.default_rng(0), []
    for _ in range(30):
        group = np.repeat(np.arange(60), 10)
        noise = rng.normal(size=60)[group] + rng.normal(size=600) if grouped else rng.normal(size=600)
        rows = pd.DataFrame({"row": range(600), "prediction": 0.0, "label": noise, "part": "train", "fold": group % 4})
        rows = rows.assign(group=group) if grouped else rows
        metrics, _ = with_conformal({"held_out": {}}, rows, Protocol(Task("regression"), SETTINGS), timed=False)
        covered.append(metrics["held_out"]["conformal"]["value"])
    assert np.mean(covered) == pytest.approx(0.9, abs=0.02)


def test_deploy_rows_are_covered_by_the_models_of_all_splits():
    """Each split has a model of its own, and one of them is bad; what is said of new rows holds all the same."""
    rng, covered = np.random.default_rng(0), {"a": [], "b": [], "values": []}
    for _ in range(60):
        labels, fold = rng.integers(0, 2, 400), np.r_[np.arange(200) % 4, np.full(200, -1)]
        quality = np.array([1.0, 2.0, 0.2, 1.5])
        score = 2 * labels - 1 + rng.normal(size=400)
        by_split = {k: 1 / (1 + np.exp(-quality[k] * score)) for k in range(4)}
        p = np.where(fold >= 0, np.choose(np.maximum(fold, 0), [by_split[k] for k in range(4)]), 0.5)
        rows = pd.DataFrame({"row": range(400), "p_a": 1 - p, "p_b": p, "label": labels * 1.0, "fold": fold})
        rows["part"] = np.where(fold >= 0, "train", "deploy")
        new = {k: rows[200:].assign(p_b=one[200:], p_a=1 - one[200:]) for k, one in by_split.items()}
        metrics, table = with_conformal({"held_out": {}, "deploy": {}}, rows, PROTOCOL, timed=False, of_splits=new)
        assert len(table) == 400
        for name, found in metrics["deploy"]["conformal"]["classes"].items():
            covered[name].append(found["value"])
        values = rows.assign(prediction=0.0, label=rng.normal(size=400))
        centres = {k: values[200:].assign(prediction=0.1 * k) for k in range(4)}
        regression = Protocol(Task("regression"), SETTINGS)
        metrics, _ = with_conformal({"held_out": {}, "deploy": {}}, values, regression, timed=False, of_splits=centres)
        covered["values"].append(metrics["deploy"]["conformal"]["value"])
    assert np.mean([covered["a"], covered["b"]]) == pytest.approx(0.9, abs=0.03)
    assert np.mean(covered["values"]) >= 0.88


def test_intervals_by_cv_plus_have_the_ends_that_sorting_all_values_gives():
    rng = np.random.default_rng(3)
    rows = pd.DataFrame(
        {"row": range(30), "prediction": rng.normal(size=30), "label": rng.normal(size=30), "fold": np.arange(30) % 3}
    )
    judge = HeldOut(rows, None, {**SETTINGS, "coverage": 0.8}, timed=False)
    new = {k: pd.DataFrame({"row": [90, 91], "prediction": rng.normal(size=2)}) for k in range(3)}
    found = judge.sets_of_new(new, np.ones(30))
    scores, fold = np.abs(rows["label"] - rows["prediction"]).to_numpy(), rows["fold"].to_numpy()
    for place in range(2):
        centre = np.array([new[k]["prediction"].iloc[place] for k in fold])
        rank = int(np.ceil(0.8 * 31)) - 1
        assert found["high"].iloc[place] == pytest.approx(np.sort(centre + scores)[rank])
        assert found["low"].iloc[place] == pytest.approx(np.sort(centre - scores)[::-1][rank])


def test_sets_hold_the_classes_that_are_not_too_strange():
    rows = pd.DataFrame({"row": [7, 8], "p_a": [0.9, 0.55], "p_b": [0.1, 0.45]})
    assert threshold_sets(rows, np.array([[0.5], [0.5]]), ["a", "b"], SETTINGS).values.tolist() == [
        [7, True, False],
        [8, True, False],
    ]
    assert threshold_sets(rows, np.array([[0.5], [0.6]]), ["a", "b"], SETTINGS)["in_b"].tolist() == [False, True]
    assert threshold_sets(rows, np.array([[0.5, 0.95], [0.0, 0.2]]), ["a", "b"], SETTINGS).values.tolist() == [
        [7, True, True],
        [8, False, False],
    ]


def of_three_groups(rows, rng):
    """Rows of three groups, in the last of which hardly anything is known of the label; and the group of each row."""
    group = np.array(["plain", "plain", "hard", "rare"])[rng.integers(0, 4, rows)]
    label = rng.integers(0, 2, rows)
    noise = pd.Series(group).map({"plain": 0.5, "hard": 3.0, "rare": 1.0}).to_numpy() * rng.normal(size=rows)
    p = 1 / (1 + np.exp(-2 * (2 * label - 1 + noise)))
    found = pd.DataFrame({"row": range(rows), "p_a": 1 - p, "p_b": p, "label": label * 1.0, "decision": 0})
    return found.assign(part="train", fold=rng.integers(0, 4, rows)), pd.Series(group, index=range(rows))


def test_every_group_is_covered_where_sets_are_made_by_it_and_not_on_average_alone():
    rows, groups = of_three_groups(8000, np.random.default_rng(0))
    plain, by_group = (
        with_conformal({"held_out": {}}, rows, PROTOCOL, False, groups=one)[0]["held_out"]["conformal"]
        for one in (None, groups)
    )
    assert plain["value"] == pytest.approx(0.9, abs=0.01)
    assert plain["groups"] == {}
    told = {name: found["value"] for name, found in by_group["groups"].items()}
    assert told == {name: pytest.approx(0.9, abs=0.02) for name in ("plain", "hard", "rare")}
    assert sum(found["rows"] for found in by_group["groups"].values()) == 8000
    is_hard = rows["row"].map(groups) == "hard"
    _, sets = with_conformal({"held_out": {}}, rows, PROTOCOL, False)
    labels = rows["label"].to_numpy(int)
    assert sets[["in_a", "in_b"]].to_numpy()[is_hard, labels[is_hard]].mean() < 0.75


def test_new_rows_of_a_group_are_judged_by_their_group_and_those_of_an_unknown_one_by_nobody():
    rng = np.random.default_rng(1)
    known, groups = of_three_groups(3000, rng)
    new, of_new = of_three_groups(3000, rng)
    rows = pd.concat([known, new.assign(row=new["row"] + 3000, part="deploy", fold=-1)], ignore_index=True)
    groups = pd.Series(np.r_[groups, of_new.mask(of_new == "rare", "never seen")])
    by_split = dict.fromkeys(range(4), rows[rows["part"] == "deploy"])
    metrics, sets = with_conformal({"held_out": {}, "deploy": {}}, rows, PROTOCOL, False, None, by_split, groups)
    covered = metrics["deploy"]["conformal"]["groups"]
    assert covered["hard"]["value"] == pytest.approx(0.9, abs=0.04)
    assert covered["plain"]["value"] == pytest.approx(0.9, abs=0.03)
    unknown = sets[sets["row"].map(groups) == "never seen"]
    assert len(unknown) and unknown[["in_a", "in_b"]].all().all()


def test_values_are_covered_wherever_they_are_predicted_to_lie():
    """The spread grows with the value, so that one width for all is too narrow for the highest."""
    rng, n = np.random.default_rng(0), 6000
    rows = pd.DataFrame(
        {"row": range(n), "prediction": rng.exponential(size=n), "part": "train", "fold": rng.integers(0, 4, n)}
    )
    rows["label"] = rows["prediction"] * (1 + 0.5 * rng.normal(size=n))
    highest = rows["prediction"].rank(pct=True).to_numpy() > 0.8
    for by_class, expected in ((False, 0.6), (True, 0.9)):
        protocol = Protocol(Task("regression"), {**SETTINGS, "by_class": by_class})
        metrics, sets = with_conformal({"held_out": {}}, rows, protocol, False)
        is_in = (sets["low"] <= rows["label"]) & (rows["label"] <= sets["high"])
        assert metrics["held_out"]["conformal"]["value"] == pytest.approx(0.9, abs=0.01)
        assert is_in[highest].mean() == pytest.approx(expected, abs=0.03 if by_class else 0.1)
    facts = metrics["held_out"]["sets"]
    assert facts["edges"] == pytest.approx(np.quantile(rows["prediction"], [0.2, 0.4, 0.6, 0.8]))
    widths = [line["limits"][0] for line in facts["strata"]]
    assert widths == sorted(widths)
    assert widths[-1] > 10 * widths[0]


def test_a_group_of_too_few_rows_has_no_threshold_and_sets_that_exclude_nothing():
    """Nine rows are the fewest that can leave one in ten uncovered."""
    rows = predicted(1, 1.0, rows=209)
    for few, is_finite in ((9, True), (8, False)):
        part = rows[: 200 + few]
        groups = pd.Series(np.where(part["row"] < 200, "many", "few"))
        metrics, sets = with_conformal({"held_out": {}}, part, PROTOCOL, False, groups=groups)
        found = metrics["held_out"]["conformal"]
        line = {line["group"]: line for line in metrics["held_out"]["sets"]["strata"]}["few"]
        assert line["rows"] == [few]
        assert (line["limits"] != [None]) == is_finite
        # Judged by the others alone, a row of nine has eight.
        assert sets[["in_a", "in_b"]].to_numpy()[200:].all()
        assert found["rows"] == 200
        assert sets["judged"].tolist() == [True] * 200 + [False] * few


def test_adaptive_sets_are_those_of_a_hand_worked_example():
    """The probability of likelier classes, and of its own the share that the row's probabilities draw."""
    rows = pd.DataFrame({"row": [0, 1], "p_a": [0.2, 0.6], "p_b": [0.5, 0.1], "p_c": [0.3, 0.3]})
    plain, penalized = (
        nonconformity_score(rows, ["a", "b", "c"], {**SETTINGS, "sets": "aps", "penalty": penalty}) for penalty in (0, 0.25)
    )
    u = plain[:, [1, 0]][[0, 1], [0, 1]] / [0.5, 0.6]
    assert ((u > 0) & (u < 1)).all() and u[0] != u[1]
    assert plain[0] == pytest.approx([0.8 + 0.2 * u[0], 0.5 * u[0], 0.5 + 0.3 * u[0]])
    assert plain[1] == pytest.approx([0.6 * u[1], 0.9 + 0.1 * u[1], 0.6 + 0.3 * u[1]])
    assert penalized - plain == pytest.approx(np.array([[0.5, 0, 0.25], [0, 0.5, 0.25]]))
    later = nonconformity_score(rows[1:].assign(row=77), ["a", "b", "c"], {**SETTINGS, "sets": "aps"})
    assert later[0] == pytest.approx(plain[1])


def test_the_share_that_probabilities_draw_is_even_and_its_own_for_each_row():
    """So that sets of a single row are as good as those of many."""
    p = np.random.default_rng(0).dirichlet([1, 1, 1], 20_000)
    drawn = drawn_share(p)[:, 0]
    assert stats.kstest(drawn, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(drawn, p[:, 0])[0, 1]) < 0.02
    assert len(np.unique(drawn)) > 19_900
    assert (drawn_share(p + 1e-9)[:, 0] == drawn).mean() > 0.98
    assert drawn_share(p[5:6])[0, 0] == drawn[5]


def test_a_group_without_rows_of_a_class_excludes_it_from_no_set():
    rows = predicted(1, 1.0, rows=400)
    groups = pd.Series(np.where(rows["label"] == 1, "mixed", np.where(rows["row"] % 4 == 0, "no b", "mixed")))
    protocol = Protocol(BINARY, {**SETTINGS, "by_class": True})
    metrics, sets = with_conformal({"held_out": {}}, rows, protocol, False, groups=groups)
    lines = {line["group"]: line for line in metrics["held_out"]["sets"]["strata"]}
    assert lines["no b"]["limits"][0] is not None
    assert (lines["no b"]["limits"][1], lines["no b"]["rows"][1]) == (None, 0)
    assert sets.loc[(groups == "no b").to_numpy(), "in_b"].all()


def test_rows_of_one_group_have_no_threshold_for_those_of_another():
    """As many rows as there may be: all are of one patient, and none tells of a further one."""
    rows = predicted(1, 1.0, rows=300).assign(group="one")
    metrics, sets = with_conformal({"held_out": {}}, rows, PROTOCOL, False)
    assert metrics["held_out"]["sets"]["strata"][0]["limits"] == [None]
    assert metrics["held_out"]["conformal"] is None
    assert not sets["judged"].any()


def test_adaptive_sets_cover_easy_and_hard_rows_alike_and_a_penalty_makes_them_smaller():
    rng, n, classes = np.random.default_rng(0), 20_000, [f"k{code}" for code in range(10)]
    is_hard = rng.random(n) < 0.3
    p = rng.dirichlet(np.full(10, 0.02), n)
    p[is_hard] = rng.dirichlet(np.full(10, 2.0), is_hard.sum())
    labels = (p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    rows = pd.DataFrame(p, columns=[f"p_{name}" for name in classes]).assign(row=range(n), label=labels * 1.0, decision=0)
    rows = rows.assign(part="train", fold=rng.integers(0, 4, n))
    found = {}
    for name, asked in {"lac": {}, "aps": {"sets": "aps"}, "raps": {"sets": "aps", "penalty": 0.05, "penalty_from": 4}}.items():
        protocol = Protocol(Task("multiclass", classes), {**SETTINGS, "draws": 2, **asked})
        metrics, sets = with_conformal({"held_out": {}}, rows, protocol, False)
        is_in = sets[[f"in_{one}" for one in classes]].to_numpy()
        covered = is_in[np.arange(n), labels]
        found[name] = {"all": covered.mean(), "hard": covered[is_hard].mean(), "size": is_in.sum(axis=1).mean()}
        assert metrics["held_out"]["conformal"]["size"] == pytest.approx(found[name]["size"])
        assert found[name]["all"] == pytest.approx(0.9, abs=0.01)
    assert found["aps"]["hard"] == pytest.approx(0.9, abs=0.02)
    assert found["lac"]["hard"] < 0.8
    assert found["lac"]["size"] < found["raps"]["size"] < found["aps"]["size"]


SCHEMA = {
    "columns": [
        {"name": "ward", "source": "Ward", "position": 0, "kind": "categorical"},
        {"name": "age", "source": "Age", "position": 1, "kind": "numeric"},
        {"name": "seen year", "source": "Seen", "position": 2, "kind": "datetime", "part": "year"},
        {"name": "seen day", "source": "Seen", "position": 2, "kind": "datetime", "part": "day"},
        {"name": "note", "source": "Note", "position": 3, "kind": "text"},
    ]
}


def test_groups_are_a_column_with_few_values_and_gaps_are_one_of_them():
    table = pd.DataFrame({"row": [4, 5, 6], "ward": ["x", None, "y"], "age": [1.0, 2.0, 2.0], "part": "train"})
    groups, described = groups_of(table, SCHEMA, "Ward")
    assert groups.to_dict() == {4: "x", 5: "(missing)", 6: "y"}
    assert described == SCHEMA["columns"][0]
    assert groups_of(table, SCHEMA, "Age")[0].to_dict() == {4: "1", 5: "2", 6: "2"}
    assert groups_of(table, SCHEMA, None) == (None, None)
    for what in ("Hospital", "Seen", "Note"):
        with pytest.raises(UserError, match=f"sets_by: '{what}' is not one column of numbers or categories"):
            groups_of(table.assign(**{"seen year": 1.0, "seen day": 2.0, "note": "a"}), SCHEMA, what)
    many = pd.DataFrame({"row": range(30), "ward": ["x"] * 30, "age": np.arange(30.0), "part": "train"})
    with pytest.raises(UserError, match="column 'Age' has 30 different values"):
        groups_of(many, SCHEMA, "Age")
    few = many.assign(part=np.where(many["row"] < 20, "train", "deploy"))
    assert groups_of(few, SCHEMA, "Age")[0].nunique() == 30


@pytest.mark.parametrize(("values", "kind"), [([1.0, 2.0], "numeric"), (["007", "A1"], "categorical")])
def test_a_dropped_column_of_groups_is_read_of_new_rows_as_it_was_of_all(values, kind):
    schema = {"columns": [{"name": "ward", "source": "Ward", "position": 0, "kind": "aside"}]}
    assert groups_of(pd.DataFrame({"row": [0, 1], "ward": values, "part": "train"}), schema, "Ward")[1]["kind"] == kind


@pytest.mark.parametrize("grouped", [False, True])
def test_the_interval_of_a_coverage_is_that_of_many_bootstrap_draws(grouped):
    """Of rows with weights, alone and in groups whose rows are covered together; its variance has a closed form."""
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(80), 5) if grouped else np.arange(400)
    is_in = rng.random(400) < np.where(rng.random(80) < 0.5, 0.99, 0.75)[np.repeat(np.arange(80), 5)]
    rows, weight = pd.DataFrame({"row": range(400), "group": group}), rng.gamma(2, size=400)
    found = share(is_in, weight, rows if grouped else rows[["row"]], PROTOCOL)
    drawn = draws({"": partial(mean, is_in)}, weight, group, 20_000, rng)[""]
    value, effective = np.average(is_in, weights=weight), weight.sum() ** 2 / (weight**2).sum()
    expected = share_interval(value, drawn, PROTOCOL.settings["level"], group.max() + 1, effective)
    assert found["value"] == pytest.approx(value)
    assert (found["low"], found["high"]) == pytest.approx(expected, abs=0.002)
    few = 5 if grouped else 1
    alone = share(is_in[:few], weight[:few], rows[:few], PROTOCOL)
    assert (alone["low"], alone["high"]) == (None, None)
