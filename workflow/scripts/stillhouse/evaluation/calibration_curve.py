"""The share of positive rows that is observed where a probability is stated, as a smooth curve with a band for all of it.

The curve is a logistic regression of the labels on a restricted cubic spline of the log odds that are stated (Harrell 2015,
section 2.4.5), so that it bends where probabilities are wrong in the middle or at the ends. Its mean distance from what is
stated is the integrated calibration index (Austin & Steyerberg 2019).
"""

import numpy as np
from scipy.special import expit, logit, ndtri

from stillhouse.evaluation.intervals import ROUNDING, student
from stillhouse.evaluation.recalibration import MOST_KNOWN, LogOdds, fitted
from stillhouse.predictions.predictions import SMALLEST

# The quantiles at which pieces of the spline meet, the points of a curve, and the bars of the histogram below it.
KNOTS, POINTS, BARS = (0.05, 0.35, 0.65, 0.95), 50, 40
# The most classes, the most frequent ones, that have a curve of their own.
MOST_CLASSES = 8
# The share of rows at either end beyond which the curve is not drawn, as hardly a row is there.
BEYOND = 0.01
# Columns that are nearer to each other than this condition number says are not told apart.
MOST_CONDITION = 1e7


class CalibrationCurve:
    """The curve of some rows as a function of weightings; ``points`` has the stated probabilities that it is drawn at.

    ``stated`` are the rows' ``LogOdds``, and ``p`` their probabilities.
    """

    def __init__(self, stated, p):
        self.stated, self.p = stated, p
        counts = self.stated.sums(np.ones((1, len(p))))[1][0]
        ordered = np.repeat(self.stated.values, counts.astype(int))
        self.points = np.unique(np.linspace(*expit(np.quantile(ordered, [BEYOND, 1 - BEYOND])), POINTS))
        log_odds = np.log(self.points) - np.log1p(-self.points)
        self.basis, self._of_points = orthogonal(self.stated.values, counts, log_odds, np.quantile(ordered, KNOTS))

    def __call__(self, W):
        """Return the observed share at each point for each weighting (draws, rows); shape (draws, points)."""
        return expit(self._coefficients(W) @ self._of_points.T)

    def index(self, W):
        """Return the mean distance of the curve from what is stated; shape (draws,)."""
        distance = np.abs(expit(self._coefficients(W) @ self.basis.T) - expit(self.stated.values))
        total = self.stated.sums(W)[1]
        return (distance * total).sum(axis=1) / total.sum(axis=1)

    def _coefficients(self, W):
        return fitted(self.basis, np.zeros(len(self.basis)), *self.stated.sums(W))

    def told(self, weight, drawn, level, units):
        """Return the curve with its band, its mean distance, and how many rows state which probability.

        None without one, or where too many draws have none.
        """
        W, is_known = weight[None], np.isfinite(drawn).all(axis=1)
        values = self(W)[0]
        if not np.isfinite(values).all() or is_known.mean() < MOST_KNOWN or units < 2:
            return None
        band = band_of(values, drawn, level, units)
        counts, edges = np.histogram(self.p, np.linspace(0, 1, BARS + 1))
        return {
            "stated": self.points.tolist(),
            "value": values.tolist(),
            **{side: found.tolist() for side, found in band.items()},
            "index": float(self.index(W)[0]),
            "histogram": {"edges": edges.tolist(), "rows": counts.tolist()},
        }


def band_of(values, drawn, level, units):
    """Return the ends of a band that holds the whole curve at once, by its bootstrap draws (draws, points).

    Each draw's largest distance from the curve is taken in standard deviations of its point, in log odds, and the band is as
    wide as that in most draws, stretched for few units as ``interval`` is: the true curve leaves it as seldom as is stated.
    """
    known = drawn[np.isfinite(drawn).all(axis=1)]
    middle, drawn = (logit(part.clip(SMALLEST, 1 - SMALLEST)) for part in (values, known))
    deviation = np.maximum(drawn.std(axis=0), ROUNDING)
    widest = np.quantile((np.abs(drawn - middle) / deviation).max(axis=1), level)
    width = widest * deviation * student(level, units) / ndtri((1 + level) / 2) * np.sqrt(units / (units - 1))
    return {"low": expit(middle - width), "high": expit(middle + width)}


class CurvesOfClasses:
    """The curves of the most frequent classes, each against all others, as a function of weightings."""

    def __init__(self, labels, scores):
        codes, counts = np.unique(labels, return_counts=True)
        self.codes = codes[np.argsort(-counts, kind="stable")][:MOST_CLASSES]
        self.curves = [self._of_class(labels == code, scores[:, code]) for code in self.codes]

    def __call__(self, W):
        """Return the curves beside each other for each weighting (draws, rows); shape (draws, points of all curves)."""
        return np.hstack([curve(W) for curve in self.curves])

    def told(self, weight, drawn, level, units):
        """Return what each curve tells, with the number of its class as ``class``; those that tell nothing are left out."""
        ends_of_curves = np.cumsum([len(curve.points) for curve in self.curves])[:-1]
        own = np.split(drawn, ends_of_curves, axis=1)
        told = [curve.told(weight, part, level, units) for curve, part in zip(self.curves, own, strict=True)]
        return [{"class": int(code), **found} for code, found in zip(self.codes, told, strict=True) if found]

    @staticmethod
    def _of_class(is_class, p):
        return CalibrationCurve(LogOdds(is_class.astype(int), np.column_stack([1 - p, p])), p)


def orthogonal(values, counts, points, knots):
    """Return the columns of a spline at values and at points, turned so that they are at right angles over all rows.

    Newton's steps would be lost in rounding otherwise. Where values are too few to bend, there is a straight line, or of a
    single value a constant.
    """
    for pieces in (np.unique(knots), knots[:0]):
        basis = spline(values, pieces)[:, : len(values)]
        upper = np.linalg.qr(basis * np.sqrt(counts / counts.sum())[:, None])[1]
        if np.linalg.cond(upper) < MOST_CONDITION:
            break
    return basis @ np.linalg.inv(upper), spline(points, pieces)[:, : len(values)] @ np.linalg.inv(upper)


def spline(x, knots):
    """Return the columns of a restricted cubic spline, linear beyond its outer knots; shape (values, columns).

    The first is 1 and the second x; without three different knots there is no other.
    """
    columns = [np.ones_like(x), x]
    if len(knots) < 3:
        return np.column_stack(columns)
    *first, before, last = knots

    def cube(knot):
        return np.maximum(0, x - knot) ** 3

    for knot in first:
        bend = cube(knot) - cube(before) * (last - knot) / (last - before) + cube(last) * (before - knot) / (last - before)
        columns.append(bend / (last - knots[0]) ** 2)
    return np.column_stack(columns)
