"""Linear pools equal the regressions that they are."""

import numpy as np
import pytest

from stillhouse.ensembles.stackers.linear import LinearPool


def test_a_linear_pool_of_two_classes_is_a_logistic_regression_on_logits():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 500)
    half = rng.normal(size=(2, 500)) + labels * 0.8
    scores = np.stack([-half / 2, half / 2], axis=2)
    pool = LinearPool(penalty=1e-9, nonnegative=False).fit(scores, labels, 2)
    expected = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(half.T, labels)
    assert pool.weights == pytest.approx(expected.coef_[0], abs=1e-3)
    assert pool.intercept[1] - pool.intercept[0] == pytest.approx(expected.intercept_[0], abs=1e-3)


def test_a_pool_of_values_in_large_units_is_the_ridge_towards_equal_weights():
    rng = np.random.default_rng(0)
    truth = 2e5 + 1e5 * rng.normal(size=400)
    scores = np.stack([truth + 2e4 * rng.normal(size=400), truth + 8e4 * rng.normal(size=400)])[:, :, None]
    pool = LinearPool(penalty=1e-9, nonnegative=False).fit(scores, truth, 0)
    A = np.c_[scores[:, :, 0].T, np.ones(400)]
    assert [*pool.weights, *pool.intercept] == pytest.approx(np.linalg.lstsq(A, truth, rcond=None)[0], rel=1e-3)
