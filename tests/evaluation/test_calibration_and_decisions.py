"""How far probabilities are from calibrated, and what deciding by them is worth."""

import numpy as np
import pytest
from scipy.optimize import minimize

from stillhouse.evaluation.bounds import Bounds
from stillhouse.evaluation.intervals import counts, interval
from stillhouse.evaluation.metrics import possible
from stillhouse.evaluation.net_benefit import THRESHOLDS, assessed, net_benefit, of_all
from stillhouse.evaluation.recalibration import calibration_intercept, calibration_slope
from stillhouse.report.sections.probabilities import calibration_sentence


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
    found = net_benefit(labels, p)(W)
    for row, weight in enumerate(W):
        for place, threshold in enumerate(THRESHOLDS):
            acted = p >= threshold
            true, false = weight[acted & (labels == 1)].sum(), weight[acted & (labels == 0)].sum()
            expected = (true - false * threshold / (1 - threshold)) / weight.sum()
            assert found[row, place] == pytest.approx(expected, abs=1e-12)


def test_acting_on_all_rows_is_worth_what_a_model_is_that_is_always_sure():
    labels = np.array([0, 0, 0, 1])
    W = np.ones((1, 4))
    assert np.allclose(of_all(labels, W), net_benefit(labels, np.ones(4))(W))
    assert np.allclose(net_benefit(labels, np.zeros(4))(W), 0)
    assert np.allclose(net_benefit(labels, labels.astype(float))(W), 0.25)


def test_the_interval_of_net_benefit_holds_its_value():
    rng = np.random.default_rng(5)
    labels, scores = predicted(300, rng)
    found = assessed(labels, scores[:, 1], np.ones(300), np.arange(300), {"draws": 200, "level": 0.95}, rng)
    value, low, high = (np.array(found[key]) for key in ("value", "low", "high"))
    assert (low <= value).all()
    assert (value <= high).all()
    assert (high - low)[:60].min() > 0
    assert len(found["thresholds"]) == len(found["all"]) == 99


def said(slope, intercept):
    """The sentence on a model with these intervals of slope and intercept."""
    from types import SimpleNamespace

    parts = {"calibration_slope": slope, "calibration_intercept": intercept}
    metrics = {name: {"value": (low + high) / 2, "low": low, "high": high} for name, (low, high) in parts.items()}
    run = SimpleNamespace(
        task=SimpleNamespace(kind="binary"),
        leader="m",
        metrics={"m": {"held_out": {"metrics": metrics}}},
        quoted=lambda name: name,
    )
    return calibration_sentence(run)


def test_the_report_says_what_is_wrong_with_probabilities():
    assert "are too extreme (calibration slope 0.700 (0.600 to 0.800))" in said((0.6, 0.8), (-0.1, 0.1))
    assert "are too near the middle" in said((1.1, 1.3), (-0.1, 0.1))
    assert "too low on average (calibration intercept" in said((0.9, 1.1), (0.2, 0.4))
    assert "too extreme" in said((0.6, 0.8), (-0.4, -0.2))
    assert "and too high on average" in said((0.6, 0.8), (-0.4, -0.2))
    assert "show no fault" in said((0.9, 1.1), (-0.1, 0.1))
