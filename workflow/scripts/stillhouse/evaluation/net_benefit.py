"""Net benefit of deciding by a probability, beside treating all rows alike (Vickers & Elkin 2006).

At a threshold t a false positive counts t / (1 - t) of a true one: who treats from t on says that this many false positives are
worth one true positive. Net benefit is true positives less false positives at this rate, a share of all rows.
"""

import numpy as np

from stillhouse.evaluation.confusion import Sums
from stillhouse.evaluation.intervals import ends

THRESHOLDS = np.arange(1, 100) / 100


class Acted:
    """The weight of positive rows and of all rows that are acted on from each threshold on."""

    def __init__(self, labels, p):
        self._sums = Sums(labels, THRESHOLDS.searchsorted(p, side="right"), len(THRESHOLDS) + 1)

    def __call__(self, W):
        """Return both for each weighting (draws, rows); two arrays of shape (draws, thresholds)."""
        return tuple(below[:, :0:-1].cumsum(axis=1)[:, ::-1] for below in self._sums(W))


class NetBenefit:
    """The net benefit of some rows as a function of weightings."""

    def __init__(self, labels, p):
        self.labels, self.acted = labels, Acted(labels, p)

    def __call__(self, W):
        """Return the net benefit at each threshold for each weighting (draws, rows); shape (draws, thresholds)."""
        positives, all_rows = self.acted(W)
        return (positives - (all_rows - positives) * THRESHOLDS / (1 - THRESHOLDS)) / W.sum(axis=1, keepdims=True)

    def of_all(self, W):
        """Return the net benefit of acting on every row; shape (draws, thresholds)."""
        share = (W @ self.labels / W.sum(axis=1))[:, None]
        return share - (1 - share) * THRESHOLDS / (1 - THRESHOLDS)

    def told(self, weight, drawn, level, units):
        """Return the net benefit at each threshold with its bootstrap interval, and that of acting on every row, as lists."""
        values = self(weight[None])[0]
        return {
            "thresholds": THRESHOLDS.tolist(),
            "value": values.tolist(),
            **ends(values, drawn, level, units),
            "all": self.of_all(weight[None])[0].tolist(),
        }
