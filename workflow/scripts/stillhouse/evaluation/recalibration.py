"""How far probabilities of two classes are from calibrated: the logistic regression of the labels on their log odds (Cox 1958).

Slope 1 and intercept 0 are calibrated. A slope below 1 says that probabilities are too extreme, one above 1 that they are too
near the middle; the intercept at slope 1 says whether they are too low (above 0) or too high, in log odds.
"""

import numpy as np

from stillhouse.predictions.predictions import SMALLEST

MOST_STEPS, SMALL = 30, 1e-12
# Draws of rows differ by far more than this, and are near enough to each other that most need two steps.
ENOUGH, MOST_STEPS_OF_DRAWS = 1e-4, 6
# Beyond these log odds there is no estimate, as the classes are separated.
FARTHEST = 50.0


def calibration_slope(labels, scores, W):
    """Slope of the log odds of the labels against those that are stated; 1 is calibrated, below 1 is too extreme."""
    x = log_odds(scores)
    return fitted(np.column_stack([x, np.ones_like(x)]), np.zeros_like(x), labels, W)[:, 0]


def calibration_intercept(labels, scores, W):
    """Log odds that are missing on average (calibration in the large); 0 is calibrated, above 0 is too low."""
    x = log_odds(scores)
    return fitted(np.ones((len(x), 1)), x, labels, W)[:, 0]


def log_odds(scores):
    """Return the log odds of the positive class; shape (rows,)."""
    p = scores[:, 1].clip(SMALLEST, 1 - SMALLEST)
    return np.log(p) - np.log1p(-p)


def fitted(X, offset, labels, W):
    """Return the coefficients of a logistic regression of labels on X (rows, coefficients) for each weighting.

    The first is that of the mean weighting, fitted until nothing changes. From it all weightings take steps of Newton's method
    until the last one is small. NaN where there is none.
    """
    mean = W.mean(axis=0, keepdims=True)
    start = np.zeros((1, X.shape[1]))
    for _ in range(MOST_STEPS):
        step = newton(X, offset, labels, mean, start)
        start = start + step
        if not np.abs(step).max() > SMALL:
            break
    found = np.repeat(start, len(W), axis=0)
    for _ in range(0 if len(W) == 1 else MOST_STEPS_OF_DRAWS):
        step = newton(X, offset, labels, W, found)
        found = found + step
        if not np.nanmax(np.abs(step), initial=0) > ENOUGH:
            break
    return np.where(np.abs(found).max(axis=1, keepdims=True) < FARTHEST, found, np.nan)


def newton(X, offset, labels, W, coefficients):
    """Return the next step of each weighting (draws, coefficients); NaN where the labels do not vary."""
    if (coefficients == coefficients[0]).all():
        # One set of probabilities, so that sums over rows are products of matrices.
        coefficients = coefficients[:1]
    with np.errstate(all="ignore"):
        p = 1 / (1 + np.exp(-(coefficients @ X.T + offset)))
        slope = (W * (labels - p)) @ X if len(p) > 1 else W @ (X * (labels - p[0])[:, None])
        curve = W * (p * (1 - p)) if len(p) > 1 else None
        pairs = [(one, other) for one in range(X.shape[1]) for other in range(X.shape[1])]
        of_pairs = [X[:, one] * X[:, other] for one, other in pairs]
        sums = [curve @ product if curve is not None else W @ (product * (p * (1 - p))[0]) for product in of_pairs]
    matrix = np.stack(sums, axis=1).reshape(len(W), X.shape[1], X.shape[1])
    step = np.full(slope.shape, np.nan)
    is_regular = np.isfinite(slope).all(axis=1) & np.isfinite(matrix).all(axis=(1, 2))
    is_regular[is_regular] = np.abs(np.linalg.det(matrix[is_regular])) > SMALL
    step[is_regular] = np.linalg.solve(matrix[is_regular], slope[is_regular][..., None])[..., 0]
    return step
