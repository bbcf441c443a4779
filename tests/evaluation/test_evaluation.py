"""Metrics equal scikit-learn's, intervals cover what they should, and comparisons are paired."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from evaluation_samples import BINARY, PROTOCOL, assessed, predicted
from scipy import stats
from sklearn import metrics as reference

from stillhouse.evaluation import metrics
from stillhouse.evaluation.comparison import Comparison, compare, main_draws, pairs
from stillhouse.evaluation.constant import constant_rows
from stillhouse.evaluation.intervals import (
    bootstrap_p,
    counts,
    draws,
    interval,
    mean_of_shares,
    resampled_t,
    share_interval,
)
from stillhouse.evaluation.prepared import Prepared
from stillhouse.evaluation.scores import (
    corrected_for_label_shift,
    evaluate,
    held_out_predictions,
    held_out_weights,
    scored,
)
from stillhouse.intake.folds import unit_numbers
from stillhouse.intake.task import Task
from stillhouse.predictions.decisions import decide, tuned_factors
from stillhouse.shift.label_shift import corrected, em
from stillhouse.splits import Split
from stillhouse.tables import split_writer, write_json


def within_folds(name, metric, folds):
    """A metric with regard to folds, as a function of labels, scores and weightings."""
    return lambda labels, scores, W: Prepared(labels, folds).metric(name, metric, scores)(W)


def case(n_classes, rows=400):
    rng = np.random.default_rng(7)
    labels = rng.integers(0, n_classes, rows)
    raw = np.exp(rng.normal(size=(rows, n_classes)) + 1.2 * np.eye(n_classes)[labels]).round(1) + 0.1
    return labels, raw / raw.sum(axis=1, keepdims=True), rng.integers(1, 5, rows).astype(float)


REFERENCE = {
    "auc": lambda y, p, w: reference.roc_auc_score(y, p[:, 1], sample_weight=w),
    "average_precision": lambda y, p, w: reference.average_precision_score(y, p[:, 1], sample_weight=w),
    "log_loss": lambda y, p, w: reference.log_loss(y, p, sample_weight=w),
    "brier": lambda y, p, w: reference.brier_score_loss(y, p[:, 1], sample_weight=w),
    "accuracy": lambda y, p, w: reference.accuracy_score(y, p.argmax(axis=1), sample_weight=w),
    "balanced_accuracy": lambda y, p, w: reference.balanced_accuracy_score(y, p.argmax(axis=1), sample_weight=w),
    "f1": lambda y, p, w: reference.f1_score(y, p.argmax(axis=1), sample_weight=w, average=average(p)),
    "mcc": lambda y, p, w: reference.matthews_corrcoef(y, p.argmax(axis=1), sample_weight=w),
}


def average(p):
    return "binary" if p.shape[1] == 2 else "macro"


@pytest.mark.parametrize("name", REFERENCE)
def test_binary_metrics_equal_those_of_scikit_learn(name):
    labels, scores, weight = case(2)
    found = getattr(metrics, name)(labels, scores, np.stack([np.ones(len(labels)), weight]))
    assert found == pytest.approx([REFERENCE[name](labels, scores, w) for w in (None, weight)], abs=1e-12)


def test_multiclass_metrics_equal_those_of_scikit_learn():
    labels, scores, weight = case(4)
    assert metrics.auc(labels, scores, weight[None])[0] == pytest.approx(
        np.mean([reference.roc_auc_score(labels == c, scores[:, c], sample_weight=weight) for c in range(4)]), abs=1e-12
    )
    for name in ("log_loss", "accuracy", "balanced_accuracy", "f1", "mcc"):
        found = getattr(metrics, name)(labels, scores, weight[None])[0]
        assert found == pytest.approx(REFERENCE[name](labels, scores, weight), abs=1e-12)


def test_regression_metrics_equal_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    truth, weight = rng.normal(size=300), rng.uniform(1, 3, 300)
    scores = (truth + rng.normal(size=300))[:, None]
    arguments = (truth, scores[:, 0])
    expected = {
        "mae": reference.mean_absolute_error(*arguments, sample_weight=weight),
        "rmse": reference.root_mean_squared_error(*arguments, sample_weight=weight),
        "r2": reference.r2_score(*arguments, sample_weight=weight),
    }
    for name, value in expected.items():
        assert getattr(metrics, name)(truth, scores, weight[None])[0] == pytest.approx(value, abs=1e-12)
    found = metrics.pinball(truth, scores, weight[None], quantile=0.8)[0]
    assert found == pytest.approx(reference.mean_pinball_loss(*arguments, sample_weight=weight, alpha=0.8), abs=1e-12)


@pytest.mark.parametrize("precision", [0.6, 0.8, 0.97])
def test_recall_at_a_precision_is_that_of_the_threshold_that_other_rows_state(precision):
    labels, scores, weight = case(2)
    parts = np.arange(len(labels)) % 3
    found = 0
    for part in range(3):
        own = parts == part
        curve = reference.precision_recall_curve(labels[~own], scores[~own, 1], sample_weight=weight[~own])
        limit = min((limit for limit, reached in zip(curve[2], curve[0], strict=False) if reached >= precision), default=np.inf)
        found += weight[own & (labels == 1) & (scores[:, 1] >= limit)].sum()
    expected = found / weight[labels == 1].sum()
    assert 0 < expected < 1
    recall = within_folds("recall_at_precision", partial(metrics.recall_at_precision, precision=precision), parts)
    assert recall(labels, scores, weight[None])[0] == pytest.approx(expected, abs=1e-12)


def test_a_model_of_noise_is_not_credited_with_the_recall_of_the_luckiest_threshold():
    """Picked on the scored rows themselves, the best of many thresholds would find rows at any precision."""
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        labels, score = (rng.random(120) < 0.2).astype(int), rng.random(120)
        recall = within_folds("recall_at_precision", partial(metrics.recall_at_precision, precision=0.5), np.arange(120) % 4)
        found.append(recall(labels, np.c_[1 - score, score], np.ones((1, 120)))[0])
    assert np.mean(found) < 0.05


def test_a_fold_without_positive_rows_neither_lowers_nor_ends_the_recall():
    labels, scores = np.array([0, 1, 0, 1, 0, 0, 1, 0]), np.tile([0.2, 0.8], (8, 1))
    scores[labels == 0] = [0.9, 0.1]
    folds = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    recall = within_folds("recall_at_precision", partial(metrics.recall_at_precision, precision=0.9), folds)
    assert recall(labels, scores, np.ones((1, 8)))[0] == 1


def test_the_auc_of_a_class_counts_the_folds_that_have_it():
    """A fold without the third class says nothing of it, and its other classes do not take its place."""
    rng = np.random.default_rng(0)
    labels, folds = np.r_[rng.integers(0, 3, 300), rng.integers(0, 2, 300)], np.repeat([0, 1], 300)
    scores = rng.dirichlet(np.ones(3), 600) + 0.3 * np.eye(3)[labels]
    found = within_folds("auc", metrics.auc, folds)(labels, scores, np.ones((1, 600)))[0]
    of_class = [
        np.mean([reference.roc_auc_score(labels[folds == f] == c, scores[folds == f, c]) for f in (0, 1) if c < 2 or f == 0])
        for c in range(3)
    ]
    assert found == pytest.approx(np.mean(of_class), abs=1e-12)


@pytest.mark.parametrize("groups", [["a", "a", "b", None, None], [None] * 5])
def test_a_row_without_a_group_is_drawn_by_itself(groups):
    units = unit_numbers(pd.DataFrame({"row": range(5), "group": groups}))
    assert len(set(units)) == (4 if "a" in groups else 5)
    drawn = counts(units, 50, np.random.default_rng(0))
    assert not (drawn[:, 3] == drawn[:, 4]).all()


def test_the_calibration_error_does_not_depend_on_the_order_of_rows():
    """Rows of equal probability are in one bin, and a constant prediction of the prevalence is calibrated."""
    labels = np.repeat([0, 1], [80, 20])
    constant = np.tile([0.8, 0.2], (100, 1))
    assert metrics.calibration_error(labels, constant, np.ones((1, 100)))[0] == pytest.approx(0, abs=1e-12)
    rng = np.random.default_rng(0)
    stated = rng.choice([0.1, 0.2, 0.3, 0.6], 100)
    p, order = np.c_[1 - stated, stated], rng.permutation(100)
    found = [metrics.calibration_error(labels[rows], p[rows], np.ones((1, 100)))[0] for rows in (np.arange(100), order)]
    assert found[0] == pytest.approx(found[1])


def test_the_calibration_error_is_that_of_a_hand_worked_example():
    """Twenty rows, two a bin; in each the stated mean is off from the observed share by what is written."""
    stated = np.repeat(np.arange(10) / 10 + 0.05, 2)
    labels = np.tile([0, 1], 10)
    expected = np.abs(np.arange(10) / 10 + 0.05 - 0.5).mean()
    assert metrics.calibration_error(labels, np.c_[1 - stated, stated], np.ones((1, 20)))[0] == pytest.approx(expected)


def test_the_cost_of_a_decision_is_that_of_the_class_it_misses():
    decisions = np.eye(2)[[0, 0, 1, 1]]
    found = metrics.cost(np.array([0, 1, 0, 1]), decisions, np.array([[1.0, 1, 1, 1], [0, 2, 0, 2]]), costs=[1, 10])
    assert found == pytest.approx([11 / 4, 5])


def test_many_weightings_at_once_equal_one_at_a_time():
    labels, scores, _ = case(2)
    W = counts(np.arange(len(labels)), 5, np.random.default_rng(0))
    for name in REFERENCE:
        metric = getattr(metrics, name)
        assert metric(labels, scores, W) == pytest.approx([metric(labels, scores, w[None])[0] for w in W], abs=1e-12)


def test_whole_groups_are_drawn_together():
    units = np.repeat(np.arange(10), 4)
    drawn = counts(units, 50, np.random.default_rng(0))
    assert (drawn.reshape(50, 10, 4) == drawn.reshape(50, 10, 4)[:, :, :1]).all()
    assert (drawn.sum(axis=1) == 40).all()


def test_bootstrap_intervals_of_a_mean_cover_the_truth():
    covered = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        scores = rng.normal(size=(100, 1))
        drawn = draws({"mae": partial(metrics.mae, np.zeros(100), scores)}, np.ones(100), np.arange(100), 400, rng)
        low, high = interval(np.abs(scores).mean(), drawn["mae"], 0.95, 100)
        covered.append(low <= np.sqrt(2 / np.pi) <= high)
    assert 0.89 <= np.mean(covered) <= 0.99


def contest_of(**models):
    found = {name: [assessed(rows, ratio=0.5)] for name, rows in models.items()}
    drawn, _ = main_draws(models, PROTOCOL)
    return Comparison(found, drawn, PROTOCOL), found


def compared(**models):
    contest, found = contest_of(**models)
    return compare(contest, found, {"good": "alike"}).set_index("model")


def test_a_clearly_worse_model_is_behind_and_an_equal_one_is_not():
    table = compared(good=predicted(1, 0.5), alike=predicted(2, 0.5), bad=predicted(3, 3.0))
    assert table["behind"].to_dict() == {table.index[0]: False, table.index[1]: False, "bad": True}
    assert table["plain"].to_dict() == {"good": "alike", "alike": "", "bad": ""}
    assert table.loc["bad", "gap"] == pytest.approx(table.loc["bad", "auc"] - table["auc"].iloc[0])
    assert table.loc["bad", "gap_low"] < table.loc["bad", "gap"] < table.loc["bad", "gap_high"]


def test_metrics_have_a_value_per_fold():
    rows = predicted(1, 0.5)
    found = evaluate(rows, PROTOCOL)["held_out"]["metrics"]["auc"]
    for fold, value in found["folds"].items():
        part = rows[rows["fold"] == int(fold)]
        assert value == pytest.approx(reference.roc_auc_score(part["label"], part["p_b"]))


def test_ranking_is_judged_within_folds_as_each_has_a_model_of_its_own():
    rows = predicted(1, 0.5)
    drift = np.where(rows["fold"] == 0, -0.45, np.where(rows["fold"] == 1, 0.0, 0.45))
    moved = rows.assign(p_b=np.clip(rows["p_b"] / 10 + 0.45 + drift, 0, 1))
    moved["p_a"] = 1 - moved["p_b"]
    plain, drifted = (evaluate(table, PROTOCOL)["held_out"]["metrics"]["auc"] for table in (rows, moved))
    assert drifted["value"] == pytest.approx(plain["value"])
    sizes = rows["fold"].value_counts().sort_index()
    assert plain["value"] == pytest.approx(np.average(list(plain["folds"].values()), weights=sizes))


def test_weights_for_deploy_change_the_score_and_labelled_deploy_rows_are_scored_apart():
    rows = predicted(1, 0.5)
    rows.loc[500:, "part"] = "deploy"
    weights = pd.DataFrame({"row": range(500), "weight": np.linspace(0.1, 2, 500)})
    found = evaluate(rows, PROTOCOL, weights=weights)
    assert found["held_out"]["rows"] == found["deploy_weighted"]["rows"] == 500
    assert found["deploy"]["rows"] == 100
    assert found["held_out"]["metrics"]["auc"]["value"] != found["deploy_weighted"]["metrics"]["auc"]["value"]


def test_a_row_is_scored_by_the_split_that_held_it_out(tmp_path):
    folds = pd.DataFrame({"row": range(5), "fold": [0, 0, 1, 1, -1]})
    path = tmp_path / "split-all" / "predictions.parquet"
    path.parent.mkdir()
    with split_writer(path) as write:
        for name, rows, p in (("none", [4], 0.9), ("0", [0, 1, 4], 0.1), ("1", [2, 3, 4], 0.2)):
            write(name, pd.DataFrame({"row": rows, "p_b": p}))
    splits = [Split("none", [], [], {}), Split("0", [], [0], {}), Split("1", [], [1], {})]
    found = held_out_predictions(path, folds, splits)
    assert found["p_b"].tolist() == [0.1, 0.1, 0.2, 0.2, 0.9]
    table = pd.DataFrame({"row": range(5), "label": [0, 1, 0, 1, np.nan], "part": ["train"] * 4 + ["deploy"]})
    assert scored(found, table, folds)["row"].tolist() == [0, 1, 2, 3]


def recall(p, labels, factors):
    found = decide(p, factors) == labels
    return np.mean([found[labels == code].mean() for code in np.unique(labels)])


def test_the_tuned_threshold_of_two_classes_is_the_best_one():
    rng = np.random.default_rng(0)
    labels = (rng.random(300) < 0.1).astype(int)
    score = np.clip(0.05 + 0.1 * labels + 0.05 * rng.normal(size=300), 0.001, 0.999)
    p = np.c_[1 - score, score]
    best = max(recall(p, labels, np.array([1, (1 - t) / t])) for t in np.r_[score - 1e-9, score + 1e-9])
    assert recall(p, labels, tuned_factors(p, labels, np.ones(300))) == pytest.approx(best)
    assert best > recall(p, labels, np.ones(2)) + 0.2


def test_tuned_factors_of_many_classes_gain_on_the_likeliest_class():
    labels, p, weight = case(4)
    labels = np.where(np.arange(400) % 5 > 0, 0, labels)
    tuned = tuned_factors(p, labels, weight)
    assert recall(p, labels, tuned) > recall(p, labels, np.ones(4))


def test_a_class_that_the_stop_rows_lack_is_decided_as_before():
    p = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8]])
    assert tuned_factors(p, np.zeros(3, int), np.ones(3)).tolist() == [1, 1, 1]
    assert decide(p, tuned_factors(p, np.array([0, 1, 1]), np.ones(3)))[0] == 0


def test_probabilities_of_deploy_rows_are_corrected_for_their_class_mixture():
    """Under label shift the corrected probabilities are better; labels of deploy rows take no part."""
    rng = np.random.default_rng(0)
    labels = np.r_[rng.random(4000) < 0.2, rng.random(2000) < 0.7].astype(float)
    score = 1 / (1 + np.exp(-3 * (2 * labels + rng.normal(size=6000) - 1 + np.log(0.25) / 2)))
    predictions = pd.DataFrame({"row": range(6000), "p_a": 1 - score, "p_b": score, "decision": 0})
    table = pd.DataFrame({"row": range(6000), "label": labels, "part": np.repeat(["train", "deploy"], [4000, 2000])})
    corrected = corrected_for_label_shift(predictions, table, ["a", "b"])
    assert corrected["p_b"].mean() == pytest.approx(0.7, abs=0.03)
    rows = predictions.merge(table, on="row").assign(fold=np.repeat([0, -1], [4000, 2000]))
    found = evaluate(rows, PROTOCOL, corrected=corrected)
    brier = {part: found[part]["metrics"]["brier"]["value"] for part in ("deploy", "deploy_corrected")}
    assert brier["deploy_corrected"] < brier["deploy"] - 0.05
    unlabelled = table.assign(label=table["label"].where(table["part"] == "train"))
    pd.testing.assert_frame_equal(corrected, corrected_for_label_shift(predictions, unlabelled, ["a", "b"]))
    assert corrected_for_label_shift(predictions[:4000], table, ["a", "b"]) is None


def test_scores_are_not_weighted_in_name_only(tmp_path):
    """Where the weights of one scored split are refused, there is no score weighted for the deploy rows."""
    folds = pd.DataFrame({"row": range(4), "fold": [0, 0, 1, 1]})
    paths = [tmp_path / "split-all" / name for name in ("weights.parquet", "weights.json")]
    paths[0].parent.mkdir()
    with split_writer(paths[0]) as write:
        for name in ("0", "1"):
            write(name, pd.DataFrame({"row": range(4), "weight": 1.5}))
    splits = [Split("none", [], [], {}), Split("0", [], [0], {}), Split("1", [], [1], {})]
    write_json({"0": {"power": 1.0}, "1": {"power": 0.4}}, paths[1])
    assert held_out_weights(*([path] for path in paths), folds, splits)["weight"].tolist() == [1.5] * 4
    write_json({"0": {"power": 1.0}, "1": {"power": 0.0}}, paths[1])
    assert held_out_weights(*([path] for path in paths), folds, splits) is None
    write_json({"0": {"power": 1.0}, "1": {"share": 1.0}}, paths[1])
    assert held_out_weights(*([path] for path in paths), folds, splits) is None
    assert held_out_weights([], [], folds, splits) is None


def test_nothing_is_corrected_where_two_estimates_of_the_mixture_contradict_each_other():
    """Rows that the model is unsure of send EM to one class, though it takes none of them for that class."""
    rng = np.random.default_rng(0)
    positive = rng.beta(0.3, 2.5, 5000)
    labels, p = (rng.random(5000) < positive).astype(int), np.column_stack([1 - positive, positive])
    unsure = np.full((500, 2), [0.7, 0.3])
    assert em(p, labels, unsure)[1] > 0.9
    assert corrected(p, labels, unsure) is None
    again = np.r_[p[labels == 1], p[labels == 0][: (labels == 1).sum()]]
    assert corrected(p, labels, again).mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.05)


def test_the_corrected_resampled_t_test_is_that_of_a_hand_worked_example():
    """Five folds: mean .02, variance .00025, so the error is sqrt((1/5 + 1/4) * .00025) = .0106066 and t is 1.88562."""
    values = [0.0, 0.01, 0.02, 0.03, 0.04]
    mean, low, high, p = resampled_t(values, 0.25, 0.95)
    assert (mean, low, high) == pytest.approx((0.02, -0.009449, 0.049449), abs=1e-6)
    assert p == pytest.approx(2 * stats.t.sf(1.8856181, 4))
    assert resampled_t([0.4], 0.25, 0.95) == (0.4, None, None, None)
    assert resampled_t(values, None, 0.95) == (pytest.approx(0.02), None, None, None)
    assert resampled_t([0.1, 0.1], 0.25, 0.95)[3] == 0
    assert resampled_t([0.0, 0.0], 0.25, 0.95)[3] == 1


def test_the_p_value_of_a_gap_is_that_of_students_distribution():
    drawn = np.random.default_rng(0).normal(0.3, 0.1, 100_000)
    assert bootstrap_p(0.3, drawn, 1000) == pytest.approx(2 * stats.norm.sf(3), rel=0.08)
    assert bootstrap_p(0.3, drawn, 5) == pytest.approx(2 * stats.t.sf(3 * np.sqrt(4 / 5), 4), rel=0.05)
    assert bootstrap_p(0.0, np.zeros(10), 10) == 1


def test_pairs_are_all_pairs_the_better_model_first():
    table = pairs(contest_of(good=predicted(1, 0.5), alike=predicted(2, 0.5), bad=predicted(3, 3.0))[0])
    assert len(table) == 3
    assert (table["gap"] >= 0).all()
    assert table[["p_rows", "p_folds"]].stack().between(0, 1).all()


def test_a_model_that_beats_every_other_is_the_winner_and_one_of_two_alike_is_not():
    table = compared(good=predicted(1, 0.5), bad=predicted(3, 3.0), worse=predicted(4, 4.0))
    assert table["winner_rows"].to_dict() == {"good": True, "bad": False, "worse": False}
    assert table.loc["good", "p_best_rows"] > 0.5
    assert (table.loc[["bad", "worse"], "p_best_rows"] < 0.05).all()
    assert not compared(good=predicted(1, 0.5), alike=predicted(2, 0.5), bad=predicted(3, 3.0))["winner_rows"].any()


def test_a_gap_that_differs_wildly_between_folds_wins_over_rows_and_not_over_training_sets():
    good, bad = predicted(1, 0.5), predicted(2, 0.5)
    wild = bad.assign(p_b=np.where(bad["fold"] == 0, bad["p_b"].sample(frac=1, random_state=0).to_numpy(), bad["p_b"]))
    table = compared(good=good, wild=wild.assign(p_a=1 - wild["p_b"]))
    assert table.loc["good", ["winner_rows", "winner_folds"]].tolist() == [True, False]


def test_a_model_that_leads_on_all_rows_and_trails_in_every_fold_does_not_win_over_training_sets():
    """A fold of many rows may turn the order of the means over folds."""
    found = {name: [assessed(predicted(seed, 0.5), ratio=0.5)] for seed, name in ((1, "leads"), (2, "trails"))}
    for name, (value, of_folds) in {"leads": (0.9, [0.80, 0.81, 0.82]), "trails": (0.85, [0.84, 0.85, 0.86])}.items():
        found[name][0]["held_out"]["metrics"]["auc"] |= {"value": value, "folds": dict(enumerate(of_folds))}
    drawn = {name: value + np.random.default_rng(0).normal(0, 0.001, 300) for name, value in (("leads", 0.9), ("trails", 0.85))}
    drawn["trails"] = drawn["trails"] + np.random.default_rng(1).normal(0, 0.001, 300)
    assert Comparison(found, drawn, PROTOCOL).wins() == {"winner_rows": True, "winner_folds": False}


def test_without_several_folds_nothing_is_said_of_training_sets():
    table = compared(good=predicted(1, 0.5).assign(fold=0), bad=predicted(3, 3.0).assign(fold=0))
    assert table["p_best_folds"].isna().all()
    assert table["winner_folds"].isna().all()


def test_repeated_folds_narrow_the_interval_over_folds():
    rows = predicted(1, 1.0)
    again = [rows.assign(fold=np.random.default_rng(100 + seed).integers(0, 3, len(rows))) for seed in range(6)]
    drawn, _ = main_draws({"m": rows}, PROTOCOL)
    once, often = (
        Comparison({"m": [assessed(one, ratio=0.5) for one in again[:count]]}, drawn, PROTOCOL).mean_over_folds("m")
        for count in (1, 6)
    )
    assert 0 < often[2] - often[1] < once[2] - once[1]


def test_an_interval_of_a_share_is_wilsons_and_does_not_vanish_at_the_edge():
    """Wilson's interval of 38 of 40, with Student's quantile; forty right of forty leave room for one in eleven wrong."""
    is_right = np.repeat([1.0, 0.0], [38, 2])
    drawn = draws({"": partial(metrics.mean, is_right)}, np.ones(40), np.arange(40), 4000, np.random.default_rng(0))[""]
    q, p, n = stats.t.ppf(0.975, 39), 0.95, 40
    middle, half = p + q**2 / (2 * n), q * np.sqrt(p * (1 - p) / n + q**2 / (4 * n**2))
    expected = [(middle + sign * half) / (1 + q**2 / n) for sign in (-1, 1)]
    assert share_interval(0.95, drawn, 0.95, 40, 40) == pytest.approx(expected, abs=0.004)
    assert share_interval(1.0, np.ones(100), 0.95, 40, 40) == (pytest.approx(0.907, abs=0.001), 1)
    assert share_interval(0.0, np.zeros(100), 0.95, 5, 200)[1] > 0.5


def test_perfect_predictions_have_intervals_of_some_width():
    rows = predicted(1, 0.5, rows=40)
    perfect = rows.assign(p_b=rows["label"] * 0.8 + 0.1, p_a=0.9 - rows["label"] * 0.8, decision=rows["label"].astype(int))
    found = evaluate(perfect, PROTOCOL)["held_out"]["metrics"]
    for name in ("auc", "average_precision", "accuracy", "balanced_accuracy", "tuned_balanced_accuracy", "f1"):
        assert found[name]["value"] == 1
        assert 0.5 < found[name]["low"] < 0.95


def test_the_interval_of_a_mean_of_recalls_is_as_wide_as_the_rare_class_makes_it():
    ends = mean_of_shares([0.9, 1.0], [(0.88, 0.92), (0.6, 1.0)])
    assert ends == pytest.approx((0.95 - np.hypot(0.02, 0.4) / 2, 0.95 + 0.02 / 2))


def test_a_decision_tuned_by_costs_costs_less_than_one_tuned_for_balance():
    rng = np.random.default_rng(0)
    truth = rng.beta(1, 3, 4000)
    labels = (rng.random(4000) < truth).astype(int)
    p, ones = np.c_[1 - truth, truth], np.ones(4000)
    for costs in ([1, 20], [5, 1]):
        chosen = [np.eye(2)[decide(p, tuned_factors(p, labels, ones, price))] for price in (costs, None)]
        dear, balanced = (metrics.cost(labels, one, ones[None], costs)[0] for one in chosen)
        best = metrics.cost(labels, np.eye(2)[decide(p, np.array(costs))], ones[None], costs)[0]
        assert dear <= best + 1e-12
        assert dear < balanced


def test_the_constant_model_says_the_shares_of_the_rows_that_it_may_see():
    rows = predicted(1, 0.5, rows=300)
    labels = rows.set_index("fold")["label"]
    # In time, a block is scored by the blocks before it.
    splits = [Split("0", [1, 2], [0], {}), Split("1", [0, 2], [1], {}), Split("2", [0], [2], {})]
    scored = pd.concat([rows, rows[:20].assign(part="deploy", fold=-1)], ignore_index=True)
    found = constant_rows(scored, labels, splits, BINARY)
    for split in splits:
        [fold] = split.held_out
        assert set(found.loc[found["fold"] == fold, "p_b"]) == {labels[labels.index.isin(split.train)].mean()}
    assert set(found.loc[found["fold"] == -1, "p_b"]) == {rows["label"].mean()}
    scored = evaluate(found, PROTOCOL)["held_out"]["metrics"]
    assert scored["auc"]["value"] == 0.5
    values = constant_rows(rows.assign(prediction=9.0), labels, splits, Task("regression"))
    assert values["prediction"].between(0, 1).all()


# The seeds and the noise of two models.
MODELS = {"a": (1, 1.0), "b": (2, 1.3)}


def placements(labels, score):
    """For each positive row the share of negative ones below it, and for each negative row that of positive ones above."""
    above = (score[labels == 1][:, None] > score[labels == 0]) + 0.5 * (score[labels == 1][:, None] == score[labels == 0])
    return above.mean(axis=1), above.mean(axis=0)


def delong(labels, one, other):
    """The standard error of the gap of two correlated AUCs (DeLong, DeLong & Clarke-Pearson 1988)."""
    gaps = [a - b for a, b in zip(placements(labels, one), placements(labels, other), strict=True)]
    return np.sqrt(sum(gap.var(ddof=1) / len(gap) for gap in gaps))


def test_the_bootstrap_of_a_gap_of_aucs_agrees_with_delong():
    models = {name: predicted(seed, noise, rows=900).assign(fold=0) for name, (seed, noise) in MODELS.items()}
    drawn, _ = main_draws(models, PROTOCOL)
    labels, (one, other) = models["a"]["label"].to_numpy(), (rows["p_b"].to_numpy() for rows in models.values())
    assert (drawn["a"] - drawn["b"]).std() == pytest.approx(delong(labels, one, other), rel=0.08)
    found = pairs(Comparison({name: [assessed(rows, ratio=None)] for name, rows in models.items()}, drawn, PROTOCOL))
    gap = reference.roc_auc_score(labels, one) - reference.roc_auc_score(labels, other)
    assert found["gap"].abs().iloc[0] == pytest.approx(abs(gap))
    assert found["p_rows"].iloc[0] == pytest.approx(2 * stats.norm.sf(abs(gap) / delong(labels, one, other)), rel=0.5, abs=0.02)


def test_the_bootstrap_of_a_gap_of_accuracies_agrees_with_mcnemar():
    """Its standard error is that of the rows that one model alone decides right."""
    models = [predicted(seed, noise, rows=900) for seed, noise in MODELS.values()]
    right = [(rows["decision"] == rows["label"]).to_numpy(float) for rows in models]
    drawn = draws(
        {"": partial(metrics.mean, right[0] - right[1])}, np.ones(900), np.arange(900), 4000, np.random.default_rng(0)
    )
    first, second = ((one > other).sum() for one, other in (right, right[::-1]))
    mcnemar = (first - second) / np.sqrt(first + second)
    assert (right[0] - right[1]).mean() / drawn[""].std() == pytest.approx(mcnemar, rel=0.1)
