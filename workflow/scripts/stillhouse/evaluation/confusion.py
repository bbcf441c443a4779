"""Metrics of decided classes: functions of the weights of the rows by label and decision, for many weightings at once."""

import numpy as np


class Confusion:
    """The rows by label and decision, whatever weights they are given later; ``counts`` has them unweighted.

    ``labels`` and ``chosen`` are class numbers of shape (rows,).
    """

    def __init__(self, labels, chosen, n_classes):
        self.n_classes, self._cells = n_classes, labels * n_classes + chosen
        self.counts = self._sums(None)
        self._weights, self._masses = None, None

    def _sums(self, weights):
        return np.bincount(self._cells, weights, self.n_classes**2).reshape(self.n_classes, self.n_classes)

    def masses(self, W):
        """Return the weights of rows by label and decision; shape (draws, classes, classes)."""
        if self._weights is not W:
            self._weights, self._masses = W, np.stack([self._sums(weights) for weights in W])
        return self._masses


class Sums:
    """The weight of positive rows and of all rows at each of some places, whatever weights they are given later.

    Several metrics ask for those of the same weightings one after the other.
    """

    def __init__(self, labels, places, count):
        self.count, self._cells = count, 2 * places + labels
        self._weights, self._sums = None, None

    def __call__(self, W):
        """Return both for each weighting (draws, rows); two arrays of shape (draws, places)."""
        if self._weights is not W:
            sums = np.stack([np.bincount(self._cells, weights, 2 * self.count) for weights in W]).reshape(len(W), -1, 2)
            self._weights, self._sums = W, (sums[:, :, 1], sums.sum(axis=2))
        return self._sums


def accuracy_of(confusion, W):
    """Return the share of rows that are decided right."""
    masses = confusion.masses(W)
    return share(right_of(masses).sum(axis=1), masses.sum(axis=(1, 2)))


def recall_of(code, confusion, W):
    """Return the share of rows of a class that are decided right."""
    masses = confusion.masses(W)[:, code]
    return share(masses[:, code], masses.sum(axis=1))


def balanced_accuracy_of(confusion, W):
    """Return the mean recall of the classes."""
    return np.mean([recall_of(code, confusion, W) for code in np.flatnonzero(confusion.counts.sum(axis=1))], axis=0)


def f1_of(confusion, W):
    """Return the F1 of the positive class; of more than two classes, the mean over those that are labels or decided for."""
    masses, counts = confusion.masses(W), confusion.counts
    codes = [1] if confusion.n_classes == 2 else np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    total = masses.sum(axis=1)[:, codes] + masses.sum(axis=2)[:, codes]
    right = right_of(masses)[:, codes]
    return np.divide(2 * right, total, out=np.zeros(total.shape), where=total > 0).mean(axis=1)


def mcc_of(confusion, W):
    """Return the correlation of decisions and labels (Gorodkin 2004); 0 where one is constant."""
    masses = confusion.masses(W)
    total, right = masses.sum(axis=(1, 2)), right_of(masses).sum(axis=1)
    of_labels, of_decisions = masses.sum(axis=2), masses.sum(axis=1)
    above = right * total - (of_labels * of_decisions).sum(axis=1)
    left = [np.maximum(total**2 - (masses**2).sum(axis=1), 0) for masses in (of_labels, of_decisions)]
    below = np.sqrt(left[0] * left[1])
    # Rounding leaves a little where weights are no whole numbers.
    return np.divide(above, below, out=np.zeros(len(W)), where=below > 1e-12 * total**2)


def cost_of(costs, confusion, W):
    """Return the mean misclassification cost of a row; ``costs`` has that of each class."""
    masses = confusion.masses(W)
    missed = masses.sum(axis=2) - right_of(masses)
    return share(missed @ np.array(costs, "float64"), masses.sum(axis=(1, 2)))


def right_of(masses):
    """Return the weights that are decided right, by class; shape (draws, classes)."""
    return np.diagonal(masses, axis1=1, axis2=2)


def share(part, whole):
    """Return the quotient, NaN where there is nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return part / whole
