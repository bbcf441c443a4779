"""Intervals of metrics, by what a metric is: a share of rows, a mean of the shares of classes, or another value."""

import numpy as np

from stillhouse.evaluation.intervals import interval, mean_of_shares, share_interval
from stillhouse.evaluation.metrics import (
    MEAN_RECALLS,
    OF_ALL_ROWS,
    OF_EVERY_CLASS,
    OF_POSITIVES,
    UNLIMITED,
    WITHOUT_INTERVAL,
    possible,
)
from stillhouse.evaluation.recalibration import MOST_KNOWN

# The rows that a perfect value stands for, for each row of the rarest class. The variance of an AUC near 1 is that of a share
# of twice as many rows (Hanley & McNeil 1982, equation 1, for one class far larger than the other).
AT_THE_EDGE = {"auc": 2}


class Bounds:
    """The intervals of metrics of some rows: ``labels``, ``weight`` and bootstrap ``units`` of shape (rows,).

    A metric that every class adds to is as certain as its rarest class allows. ``is_classes`` is False for a regression.
    """

    def __init__(self, labels, is_classes, units, weight, level):
        self.labels, self.units, self.weight, self.level = labels, units, weight, level
        self.codes = np.unique(labels) if is_classes else []

    def recalls(self, prepared, scores):
        """Return the recall of each class as functions of weightings, for each mean of recalls that has ``scores``."""
        means = (name for name in scores if name in MEAN_RECALLS)
        return {(name, code): prepared.recall(code, scores[name]) for name in means for code in self.codes}

    def of(self, name, values, drawn):
        """Return the ends of the interval of a metric; ``values`` and ``drawn`` have all metrics and recalls by name."""
        value = values[name]
        if name in WITHOUT_INTERVAL or value is None:
            return None, None
        draws = drawn[name]
        if name in UNLIMITED and np.isfinite(draws).mean() < MOST_KNOWN:
            return None, None
        if name in MEAN_RECALLS:
            of_classes = [(name, code) for code in self.codes]
            shares = [self._of_share(values[key], drawn[key], self.labels == key[1]) for key in of_classes]
            return mean_of_shares([values[key] for key in of_classes], shares)
        if name in OF_ALL_ROWS:
            return self._of_share(value, draws, np.ones(len(self.labels), dtype=bool))
        if name in OF_POSITIVES:
            return self._of_share(value, draws, self.labels == 1)
        if name in OF_EVERY_CLASS:
            least = self.least_units()
            return share_interval(value, draws, self.level, least, len(self.labels), AT_THE_EDGE.get(name, 1) * least)
        return possible(name, *interval(value, draws, self.level, self.units_in(slice(None))))

    def units_in(self, rows):
        """Return the number of different units among some rows."""
        return int(np.count_nonzero(np.bincount(self.units[rows])))

    def least_units(self):
        """Return the number of units of the rarest class, or of all units in a regression."""
        return min([self.units_in(self.labels == code) for code in self.codes], default=self.units_in(slice(None)))

    def _of_share(self, value, draws, rows):
        weight = self.weight[rows]
        return share_interval(value, draws, self.level, self.units_in(rows), weight.sum() ** 2 / (weight**2).sum())
