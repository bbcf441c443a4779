"""How far probabilities of two classes are from calibrated: the logistic regression of the labels on their log odds (Cox 1958).

Slope 1 and intercept 0 are calibrated. A slope below 1 says that probabilities are too extreme, one above 1 that they are too
near the middle; the intercept at slope 1 says whether they are too low (above 0) or too high, in log odds.
"""

import numpy as np

from stillhouse.evaluation.confusion import Sums
from stillhouse.predictions.predictions import SMALLEST

MOST_STEPS, ENOUGH, SMALL = 30, 1e-8, 1e-12
# Different log odds that are told apart; of more, as many bins with about equally many rows stand for them.
MOST_VALUES = 4096
# Where a smaller share of the draws have an estimate, as classes are apart in the others, there is no interval.
MOST_KNOWN = 0.98
# Beyond these log odds there is no estimate, as the classes are separated.
FARTHEST = 50.0


class LogOdds:
    """The different log odds that are stated, ``values``, and the ``sums`` of the rows at each: see ``confusion.Sums``."""

    def __init__(self, labels, scores):
        p = scores[:, 1].clip(SMALLEST, 1 - SMALLEST)
        x, places = np.unique(np.log(p) - np.log1p(-p), return_inverse=True)
        if len(x) > MOST_VALUES:
            counts = np.bincount(places)
            bins = ((np.cumsum(counts) - counts / 2) * MOST_VALUES / len(p)).astype(int)
            means = np.bincount(bins, weights=counts * x) / np.maximum(np.bincount(bins, weights=counts), 1)
            kept, bins = np.unique(bins, return_inverse=True)
            x, places = means[kept], bins[places]
        self.values, self.sums = x, Sums(labels, places, len(x))


def calibration_slope(labels, scores, W):
    """Slope of the log odds of the labels against those that are stated; 1 is calibrated, below 1 is too extreme."""
    return slope_of(LogOdds(labels, scores), W)


def calibration_intercept(labels, scores, W):
    """Log odds that are missing on average (calibration in the large); 0 is calibrated, above 0 is too low."""
    return intercept_of(LogOdds(labels, scores), W)


def slope_of(stated, W):
    """Return the slope by ``LogOdds`` for each weighting; shape (draws,)."""
    x = stated.values
    return fitted(np.column_stack([x, np.ones_like(x)]), np.zeros_like(x), *stated.sums(W))[:, 0]


def intercept_of(stated, W):
    """Return the intercept at slope 1 by ``LogOdds`` for each weighting; shape (draws,)."""
    return fitted(np.ones((len(stated.values), 1)), stated.values, *stated.sums(W))[:, 0]


def fitted(X, offset, positive, total):
    """Return the coefficients of a logistic regression on X (values, coefficients) for each weighting, by Newton's method.

    ``positive`` and ``total`` have the weights of positive rows and of all rows at each value. All begin where the mean
    weighting ends, near which bootstrap draws are; NaN where there is no estimate.
    """
    of_mean = (part.mean(axis=0, keepdims=True) for part in (positive, total))
    start = np.nan_to_num(steps_to_best(X, offset, *of_mean, np.zeros((1, X.shape[1]))))
    return steps_to_best(X, offset, positive, total, np.repeat(start, len(total), axis=0))


def steps_to_best(X, offset, positive, total, start):
    """Return where Newton's method ends from a start (weightings, coefficients); NaN where it ends nowhere."""
    found, left = start.copy(), np.arange(len(total))
    products = np.stack([X[:, one] * X[:, other] for one in range(X.shape[1]) for other in range(X.shape[1])])
    with np.errstate(all="ignore"):
        for _ in range(MOST_STEPS):
            p = 1 / (1 + np.exp(-(found[left] @ X.T + offset)))
            matrix = ((total[left] * p * (1 - p)) @ products.T).reshape(len(left), X.shape[1], X.shape[1])
            step = solved(matrix, (positive[left] - total[left] * p) @ X)
            found[left] += step
            # Those without an estimate take no further steps either.
            left = left[(np.abs(step) > ENOUGH).any(axis=1)]
            if not len(left):
                break
    found[left] = np.nan
    return np.where((np.abs(found) < FARTHEST).all(axis=1, keepdims=True), found, np.nan)


def solved(matrix, right):
    """Return the solutions of linear systems, one for each weighting; NaN where there is none."""
    found = np.full(right.shape, np.nan)
    is_regular = np.isfinite(right).all(axis=1) & np.isfinite(matrix).all(axis=(1, 2))
    is_regular[is_regular] = np.abs(np.linalg.det(matrix[is_regular])) > SMALL
    found[is_regular] = np.linalg.solve(matrix[is_regular], right[is_regular][..., None])[..., 0]
    return found
