"""Isotonic calibration of one member (Zadrozny & Elkan 2002): for each class, shares that rise with its score."""

import numpy as np
from scipy.special import softmax
from sklearn.isotonic import isotonic_regression

from stillhouse.ensembles.stackers.mean import Mean

# What a probability is at least, so that a class which was never seen at a score does not become impossible.
SMALLEST = 1e-4


class Isotonic(Mean):
    """A step function from score to share for each class, against the rest; shares are normalised. Values have one such."""

    def fit(self, scores, labels, n_classes):
        """Learn from scores of shape (1, rows, outputs) and labels of shape (rows,); no rows leave them as they are."""
        super().fit(scores, labels, n_classes)
        inputs = softmax(scores[0], axis=1) if n_classes else scores[0]
        targets = np.eye(n_classes)[labels.astype(int)] if n_classes else labels[:, None]
        self.steps = [steps(x, y) for x, y in zip(inputs.T, targets.T, strict=True)] if len(labels) else []
        return self

    def pooled(self, scores, n_classes):
        """Return probabilities, or values, of scores (1, rows, outputs); shape (rows, outputs)."""
        inputs = softmax(scores[0], axis=1) if n_classes else scores[0]
        if not self.steps:
            return inputs
        found = np.stack([np.interp(x, *step) for x, step in zip(inputs.T, self.steps, strict=True)], axis=1)
        return bounded(found) if n_classes else found

    def learned(self):
        """Return all that was learned, as plain values."""
        return {**super().learned(), "steps": self.steps}

    def restored(self, learned):
        """Return the stacker with what ``learned`` says."""
        self.steps = learned["steps"]
        return super().restored(learned)


def steps(x, y):
    """Return the corners of the rising step function nearest to y, as two lists."""
    places, inverse = np.unique(x, return_inverse=True)
    counts = np.bincount(inverse)
    rising = isotonic_regression(np.bincount(inverse, weights=y) / counts, sample_weight=counts)
    is_corner = np.r_[True, np.diff(rising) != 0] | np.r_[np.diff(rising) != 0, True]
    return [places[is_corner].tolist(), rising[is_corner].tolist()]


def bounded(p):
    """Return shares as probabilities that are not zero and sum to 1."""
    p = np.clip(p, SMALLEST, 1)
    return p / p.sum(axis=1, keepdims=True)


def make():
    """Return the stacker."""
    return Isotonic()
