"""Scaling of numbers: mean 0 and deviation 1 or, for columns with heavy tails, by quantiles and softly clipped."""

import warnings

import numpy as np

AUTO, ROBUST = "auto", "robust"
# A column has heavy tails if a training value is farther than this from the mean, in standard deviations.
HEAVY = 10
# Where values begin to be clipped, in robust standard deviations: the limit that no value exceeds.
LIMIT = 3
# The interquartile range of a normal distribution, in standard deviations.
NORMAL_RANGE = 1.349


class Scaler:
    """Centres and scales columns; ``method`` is True, ``robust``, ``auto`` (robust where tails are heavy) or False for none.

    Robust columns are centred by the median, scaled by the interquartile range, and clipped by x / sqrt(1 + (x / 3)²), so that
    no value is far from the others and all keep their order (Holzmüller, Grinsztajn & Steinwart 2024, section 3.1).
    """

    def __init__(self, method):
        self.method = method

    def fit(self, X):
        """Learn centres, scales and which columns are clipped from training rows; gaps are left out."""
        with warnings.catch_warnings():
            # A column without any value has none of these; it stays as it is.
            warnings.simplefilter("ignore", RuntimeWarning)
            self._fit(X)
        return self

    def _fit(self, X):
        mean, deviation = np.nanmean(X, axis=0), np.nanstd(X, axis=0)
        deviation = np.where(deviation > 0, deviation, 1.0)
        self.clipped_ = np.full(X.shape[1], self.method == ROBUST)
        if self.method == AUTO:
            self.clipped_ = np.nan_to_num(np.nanmax(np.abs(X - mean), axis=0)) > HEAVY * deviation
        first, median, last = np.nanquantile(X, [0.25, 0.5, 0.75], axis=0)
        spread = np.where(last > first, (last - first) / NORMAL_RANGE, deviation)
        self.centre_ = np.nan_to_num(np.where(self.clipped_, median, mean)) if self.method else np.zeros(X.shape[1])
        self.scale_ = np.nan_to_num(np.where(self.clipped_, spread, deviation), nan=1.0) if self.method else np.ones(X.shape[1])

    def transform(self, X):
        """Return scaled columns."""
        scaled = (X - self.centre_) / self.scale_
        part = scaled[:, self.clipped_]
        scaled[:, self.clipped_] = part / np.sqrt(1 + (part / LIMIT) ** 2)
        return scaled
