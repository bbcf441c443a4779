"""How far probabilities are from calibrated, and what deciding by them is worth."""

import numpy as np
import pytest
from scipy.optimize import minimize

from stillhouse.evaluation.bounds import Bounds
from stillhouse.evaluation.calibration_curve import KNOTS, MOST_CLASSES, CalibrationCurve, CurvesOfClasses
from stillhouse.evaluation.confusion import Confusion
from stillhouse.evaluation.decision_rates import DecisionRates
from stillhouse.evaluation.intervals import counts, interval
from stillhouse.evaluation.metrics import possible
from stillhouse.evaluation.net_benefit import THRESHOLDS, NetBenefit
from stillhouse.evaluation.recalibration import LogOdds, calibration_intercept, calibration_slope
from stillhouse.report.sections.probabilities import calibration_sentences


def predicted(rows, rng, slope=1.0, intercept=0.0):
    """Labels and the probabilities of a model whose log odds have to be multiplied and moved to be right."""
    x = rng.normal(-0.5, 1.5, rows)
    label = (rng.random(rows) < 1 / (1 + np.exp(-(slope * x + intercept)))).astype(int)
    p = 1 / (1 + np.exp(-x))
    return label, np.column_stack([1 - p, p])


def by_search(labels, scores, weight, has_slope):
    """The coefficients by a search for the largest likelihood."""
    x = np.log(scores[:, 1]) - np.log(scores[:, 0])

    def loss(theta):
        eta = theta[0] + (theta[1] if has_slope else 1) * x
        return -(weight * (labels * eta - np.logaddexp(0, eta))).sum() / weight.sum()

    found = minimize(loss, [0.0, 1.0][: 1 + has_slope], method="BFGS", options={"gtol": 1e-11})
    return found.x[-1]


@pytest.mark.parametrize("rows", [150, 4000])
def test_slope_and_intercept_are_those_of_a_logistic_regression(rows):
    rng = np.random.default_rng(rows)
    labels, scores = predicted(rows, rng, slope=0.6, intercept=0.4)
    for weight in (np.ones(rows), rng.random(rows)):
        for metric, has_slope in ((calibration_slope, True), (calibration_intercept, False)):
            assert metric(labels, scores, weight[None])[0] == pytest.approx(
                by_search(labels, scores, weight, has_slope), abs=1e-6
            )


def test_bootstrap_draws_have_the_coefficients_that_each_has_alone():
    rng = np.random.default_rng(1)
    labels, scores = predicted(300, rng, slope=0.7)
    W = counts(np.arange(300), 200, rng)
    for metric in (calibration_slope, calibration_intercept):
        together, alone = metric(labels, scores, W), np.array([metric(labels, scores, row[None])[0] for row in W])
        assert np.abs(together - alone).max() < 1e-5


def test_bins_of_many_rows_have_the_coefficients_of_the_rows():
    rng = np.random.default_rng(4)
    labels, scores = predicted(20_000, rng, slope=0.7, intercept=-0.2)
    ones = np.ones(20_000)
    for metric, has_slope in ((calibration_slope, True), (calibration_intercept, False)):
        assert metric(labels, scores, ones[None])[0] == pytest.approx(by_search(labels, scores, ones, has_slope), abs=1e-4)


def test_draws_without_an_estimate_leave_no_interval():
    labels = np.r_[np.zeros(12, dtype=int), np.ones(12, dtype=int)]
    p = np.r_[np.linspace(0.05, 0.5, 12), np.linspace(0.45, 0.95, 12)]
    scores = np.column_stack([1 - p, p])
    drawn = calibration_slope(labels, scores, counts(np.arange(24), 300, np.random.default_rng(0)))
    assert 0.02 < np.isnan(drawn).mean() < 1
    bounds = Bounds(labels, True, np.arange(24), np.ones(24), 0.95)
    values = {"calibration_slope": calibration_slope(labels, scores, np.ones((1, 24)))[0]}
    assert bounds.of("calibration_slope", values, {"calibration_slope": drawn}) == (None, None)


def test_extreme_and_low_probabilities_are_told():
    rng = np.random.default_rng(2)
    for slope, intercept in ((0.5, 0.0), (2.0, 0.0), (1.0, 0.7), (1.0, 0.0)):
        labels, scores = predicted(200_000, rng, slope, intercept)
        assert calibration_slope(labels, scores, np.ones((1, len(labels))))[0] == pytest.approx(slope, abs=0.03)
        if slope == 1:
            assert calibration_intercept(labels, scores, np.ones((1, len(labels))))[0] == pytest.approx(intercept, abs=0.03)


def test_there_is_no_slope_where_classes_are_apart_or_nothing_varies():
    labels = np.array([0, 0, 1, 1])
    apart, constant = (np.column_stack([1 - p, p]) for p in (np.array([0.1, 0.2, 0.8, 0.9]), np.full(4, 0.5)))
    ones = np.ones((1, 4))
    assert np.isnan(calibration_slope(labels, apart, ones)[0])
    assert np.isnan(calibration_slope(labels, constant, ones)[0])
    assert np.isnan(calibration_slope(np.ones(4, dtype=int), apart, ones)[0])
    assert calibration_intercept(labels, constant, ones)[0] == pytest.approx(0)


def test_a_slope_above_one_is_possible():
    assert possible("calibration_slope", 0.9, 1.4) == (0.9, 1.4)
    assert possible("calibration_intercept", -0.2, 0.1) == (-0.2, 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("metric", [calibration_slope, calibration_intercept])
def test_intervals_of_calibration_cover(metric):
    """300 tables of 400 rows: intervals of 90 % contain the truth in 90 % of them, by three standard errors."""
    rng, covered = np.random.default_rng(7), []
    for _ in range(300):
        labels, scores = predicted(400, rng, slope=0.8 if metric is calibration_slope else 1.0)
        value = metric(labels, scores, np.ones((1, 400)))[0]
        low, high = interval(value, metric(labels, scores, counts(np.arange(400), 300, rng)), 0.9, 400)
        covered.append(low <= (0.8 if metric is calibration_slope else 0.0) <= high)
    assert np.mean(covered) == pytest.approx(0.9, abs=3 * np.sqrt(0.09 / 300))


def test_net_benefit_is_true_positives_less_false_ones_at_the_rate_of_the_threshold():
    rng = np.random.default_rng(3)
    labels, p = rng.integers(0, 2, 60), rng.integers(0, 101, 60) / 100
    W = np.vstack([np.ones(60), rng.random((2, 60))])
    found = NetBenefit(labels, p)(W)
    for row, weight in enumerate(W):
        for place, threshold in enumerate(THRESHOLDS):
            acted = p >= threshold
            true, false = weight[acted & (labels == 1)].sum(), weight[acted & (labels == 0)].sum()
            expected = (true - false * threshold / (1 - threshold)) / weight.sum()
            assert found[row, place] == pytest.approx(expected, abs=1e-12)


def test_acting_on_all_rows_is_worth_what_a_model_is_that_is_always_sure():
    labels = np.array([0, 0, 0, 1])
    W = np.ones((1, 4))
    sure = NetBenefit(labels, np.ones(4))
    assert np.allclose(sure.of_all(W), sure(W))
    assert np.allclose(NetBenefit(labels, np.zeros(4))(W), 0)
    assert np.allclose(NetBenefit(labels, labels.astype(float))(W), 0.25)


def test_the_interval_of_net_benefit_holds_its_value():
    rng = np.random.default_rng(5)
    labels, scores = predicted(300, rng)
    found = told(NetBenefit(labels, scores[:, 1]), rng)
    value, low, high = (np.array(found[key]) for key in ("value", "low", "high"))
    assert (low <= value).all()
    assert (value <= high).all()
    assert (high - low)[:60].min() > 0
    assert len(found["thresholds"]) == len(found["all"]) == 99


def told(part, rng, rows=300, level=0.95):
    """What a metric tells of some rows, by 200 bootstrap draws."""
    drawn = part(counts(np.arange(rows), 200, rng))
    return part.told(np.ones(rows), drawn, level, rows)


def curve_of(labels, scores):
    return CalibrationCurve(LogOdds(labels, scores), scores[:, 1])


def test_the_calibration_curve_is_the_logistic_regression_on_harrells_spline():
    """By the formula of the spline written out, and a search for the largest likelihood."""
    rng = np.random.default_rng(6)
    labels, scores = predicted(400, rng, slope=0.7)
    x, t = np.log(scores[:, 1] / scores[:, 0]), np.quantile(np.log(scores[:, 1] / scores[:, 0]), KNOTS)

    def columns(at):
        cube = [np.maximum(0, at - knot) ** 3 for knot in t]
        bends = [cube[j] - cube[2] * (t[3] - t[j]) / (t[3] - t[2]) + cube[3] * (t[2] - t[j]) / (t[3] - t[2]) for j in range(2)]
        return np.column_stack([np.ones_like(at), at, *(bend / (t[3] - t[0]) ** 2 for bend in bends)])

    def loss(theta):
        eta = columns(x) @ theta
        return -(labels * eta - np.logaddexp(0, eta)).mean()

    best = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-9}).x
    curve = curve_of(labels, scores)
    at = np.log(curve.points / (1 - curve.points))
    expected = 1 / (1 + np.exp(-columns(at) @ best))
    assert curve(np.ones((1, 400)))[0] == pytest.approx(expected, abs=1e-5)
    of_rows = 1 / (1 + np.exp(-columns(x) @ best))
    assert curve.index(np.ones((1, 400)))[0] == pytest.approx(np.abs(of_rows - scores[:, 1]).mean(), abs=1e-5)
    found = told(curve, rng, rows=400)
    assert sum(found["histogram"]["rows"]) == 400
    assert (np.array(found["low"]) < found["value"]).all() and (found["value"] < np.array(found["high"])).all()


def test_the_calibration_index_is_small_where_probabilities_are_right_and_the_distance_where_they_are_not():
    rng = np.random.default_rng(8)
    for intercept in (0.0, 1.0):
        labels, scores = predicted(100_000, rng, intercept=intercept)
        right = 1 / (1 + np.exp(-np.log(scores[:, 1] / scores[:, 0]) - intercept))
        found = curve_of(labels, scores).index(np.ones((1, 100_000)))[0]
        assert found == pytest.approx(np.abs(right - scores[:, 1]).mean(), abs=0.005)


@pytest.mark.parametrize("p", [[0.5], [0.3, 0.6], [0.2, 0.4, 0.7], [0.0, 0.5, 1.0]])
def test_the_curve_of_a_model_of_few_probabilities_goes_through_the_share_at_each(p):
    rng = np.random.default_rng(9)
    stated = np.resize(p, 900)
    labels = (rng.random(900) < 0.2 + 0.6 * stated).astype(int)
    curve = curve_of(labels, np.column_stack([1 - stated, stated]))
    assert np.isfinite(curve(np.ones((1, 900)))).all()
    expected = np.mean([abs(labels[stated == one].mean() - one) for one in p])
    assert curve.index(np.ones((1, 900)))[0] == pytest.approx(expected, abs=1e-6)


def of_classes(classes, rows, rng):
    """Rows of several classes, the first of which is the most frequent, and probabilities that are right."""
    p = rng.dirichlet(np.r_[3, np.ones(classes - 1)], rows)
    return np.array([rng.choice(classes, p=one) for one in p]), p


def test_the_curve_of_a_class_is_that_of_the_class_against_all_others():
    rng = np.random.default_rng(11)
    labels, p = of_classes(3, 500, rng)
    curves = CurvesOfClasses(labels, p)
    found = {one["class"]: one for one in told(curves, np.random.default_rng(2), rows=500)}
    assert sorted(found) == [0, 1, 2]
    for code, own in found.items():
        alone = curve_of((labels == code).astype(int), np.column_stack([1 - p[:, code], p[:, code]]))
        expected = told(alone, np.random.default_rng(2), rows=500)
        assert own == {"class": code, **expected}


def test_the_most_frequent_of_many_classes_have_curves_and_one_that_is_told_apart_has_none():
    rng = np.random.default_rng(12)
    labels, p = of_classes(MOST_CLASSES + 3, 3000, rng)
    assert sorted(CurvesOfClasses(labels, p).codes) == sorted(np.argsort(-np.bincount(labels))[:MOST_CLASSES])
    labels, p = of_classes(3, 300, rng)
    p[:, 0] = np.where(labels == 0, 0.9, 0.1)
    assert sorted(one["class"] for one in told(CurvesOfClasses(labels, p), rng, rows=300)) == [1, 2]


def test_there_is_no_curve_where_classes_are_apart():
    labels = np.repeat([0, 1], 20)
    p = np.linspace(0.1, 0.9, 40)
    assert told(curve_of(labels, np.column_stack([1 - p, p])), np.random.default_rng(0), rows=40) is None


@pytest.mark.slow
def test_the_band_of_the_calibration_curve_covers_the_true_curve():
    """300 tables of 500 rows: a band of 90 % contains the whole truth at once about as often as it says."""
    rng, covered = np.random.default_rng(10), []
    for _ in range(300):
        labels, scores = predicted(500, rng, slope=0.8, intercept=0.3)
        curve = curve_of(labels, scores)
        found = told(curve, rng, rows=500, level=0.9)
        truth = 1 / (1 + np.exp(-0.8 * np.log(curve.points / (1 - curve.points)) - 0.3))
        covered.append((np.array(found["low"]) <= truth) & (truth <= found["high"]))
    whole = np.all(covered, axis=1).mean()
    print(f"coverage of the whole curve: {whole:.3f}, of each point: {np.mean(covered):.3f}")
    assert whole == pytest.approx(0.9, abs=0.05)


def test_the_rates_of_a_decision_are_those_of_a_table_of_four_counts():
    labels, decided = np.repeat([1, 1, 0, 0], [30, 10, 5, 55]), np.repeat([1, 0, 1, 0], [30, 10, 5, 55])
    p = np.where(decided == 1, 0.7, 0.2)
    found = told(DecisionRates(labels, Confusion(labels, decided, 2), p), np.random.default_rng(0), rows=100)
    values = {name: (one["value"], one["rows"]) for name, one in found["tuned"].items()}
    assert values == {
        "sensitivity": (pytest.approx(30 / 40), 40),
        "specificity": (pytest.approx(55 / 60), 60),
        "positive predictive value": (pytest.approx(30 / 35), 35),
        "negative predictive value": (pytest.approx(55 / 65), 65),
    }
    assert all(0 <= one["low"] < one["value"] < one["high"] <= 1 for one in found["tuned"].values())
    assert found["prevalence"] == pytest.approx(0.4)
    at = dict(zip(np.round(found["thresholds"], 2), zip(found["sensitivity"], found["specificity"], strict=True), strict=True))
    assert at[0.1] == (1, 0)
    assert at[0.5] == (pytest.approx(30 / 40), pytest.approx(55 / 60))
    assert at[0.7] == at[0.5]
    assert at[0.8] == (0, 1)


def test_a_rate_of_no_rows_is_not_known():
    labels, decided = np.array([0, 1, 1, 0]), np.zeros(4, dtype=int)
    found = told(DecisionRates(labels, Confusion(labels, decided, 2), np.full(4, 0.1)), np.random.default_rng(0), rows=4)[
        "tuned"
    ]
    assert found["positive predictive value"] == {"value": None, "low": None, "high": None, "rows": 0}
    assert found["sensitivity"]["value"] == 0


def said(slope, intercept, curve=None, population="held_out"):
    """The sentence on a model with these intervals of slope and intercept, and this calibration curve."""
    from types import SimpleNamespace

    parts = {"calibration_slope": slope, "calibration_intercept": intercept}
    metrics = {name: {"value": (low + high) / 2, "low": low, "high": high} for name, (low, high) in parts.items()}
    run = SimpleNamespace(
        task=SimpleNamespace(kind="binary"),
        leader="m",
        metrics={"m": {population: {"metrics": metrics, "calibration_curve": curve}}},
        quoted=lambda name: name,
    )
    [sentence] = calibration_sentences(run)
    return sentence


def test_the_report_says_what_is_wrong_with_probabilities():
    assert "are too extreme (calibration slope 0.700 (0.600 to 0.800))" in said((0.6, 0.8), (-0.1, 0.1))
    assert "are too near the middle" in said((1.1, 1.3), (-0.1, 0.1))
    assert "too low on average (calibration intercept" in said((0.9, 1.1), (0.2, 0.4))
    assert "too extreme" in said((0.6, 0.8), (-0.4, -0.2))
    assert "and too high on average" in said((0.6, 0.8), (-0.4, -0.2))
    assert "are not found wrong on average" in said((0.9, 1.1), (-0.1, 0.1))
    assert said((0.6, 0.8), (-0.1, 0.1), population="deploy").startswith("On labelled deploy rows, the probabilities of m are")


def test_a_curve_that_is_off_over_a_stretch_is_told_though_slope_and_intercept_are_right():
    stated = np.linspace(0.01, 0.5, 50)
    value, low, high = stated.copy(), stated - 0.05, stated + 0.05
    value[10:20], low[10:20] = stated[10:20] + 0.03, stated[10:20] + 0.01
    curve = {"stated": stated.tolist(), "value": value.tolist(), "low": low.tolist(), "high": high.tolist()}
    assert said((0.9, 1.1), (-0.1, 0.1), curve).endswith("; but where 0.110 to 0.200 is stated, they are some 0.030 too low.")
    curve["low"][10:20] = (stated - 0.05)[10:20].tolist()
    assert said((0.9, 1.1), (-0.1, 0.1), curve).endswith("where 0 is right.")
    high = np.where(np.arange(50) >= 40, stated - 0.02, high)
    curve = {**curve, "value": np.where(np.arange(50) >= 40, stated - 0.04, stated).tolist(), "high": high.tolist()}
    assert "but where 0.410 to 0.500 is stated, they are some 0.040 too high" in said((0.9, 1.1), (-0.1, 0.1), curve)
