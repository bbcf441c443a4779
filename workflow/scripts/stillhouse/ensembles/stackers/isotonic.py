"""Isotonic calibration of one member (Zadrozny & Elkan 2002): for each class, a rising step function of its score."""

import numpy as np
from scipy.special import softmax
from sklearn.isotonic import isotonic_regression

from stillhouse.ensembles.stackers.mean import Mean

# A class which was never observed at a score does not become impossible: its least probability is that of half a row among the
# rows learned from, and at most this.
LEAST_PROBABILITY = 1e-4


class Isotonic(Mean):
    """A step function for each class against the rest, normalised over classes; a single one for values."""

    def fit(self, scores, labels, n_classes):
        """Learn from scores of shape (1, rows, outputs) and labels of shape (rows,); without rows, scores stay as they are."""
        super().fit(scores, labels, n_classes)
        inputs = softmax(scores[0], axis=1) if n_classes else scores[0]
        targets = np.eye(n_classes)[labels.astype(int)] if n_classes else labels[:, None]
        self.steps = [steps(x, y) for x, y in zip(inputs.T, targets.T, strict=True)] if len(labels) else []
        self.least = min(LEAST_PROBABILITY, 0.5 / max(len(labels), 1))
        return self

    def pooled(self, scores, n_classes):
        """Return probabilities, or values, of scores (1, rows, outputs); shape (rows, outputs)."""
        inputs = softmax(scores[0], axis=1) if n_classes else scores[0]
        if not self.steps:
            return inputs
        stepped = np.stack([np.interp(x, *step) for x, step in zip(inputs.T, self.steps, strict=True)], axis=1)
        return as_probabilities(stepped, self.least) if n_classes else stepped

    def learned(self):
        """Return the learned parameters, as plain values."""
        return {**super().learned(), "steps": self.steps, "least": self.least}

    def restored(self, learned):
        """Set the parameters that ``learned`` returned, and return the stacker."""
        self.steps, self.least = learned["steps"], learned["least"]
        return super().restored(learned)


def steps(x, y):
    """Return the corners of the rising step function that is closest to y, as two lists."""
    points, inverse = np.unique(x, return_inverse=True)
    counts = np.bincount(inverse)
    rising = isotonic_regression(np.bincount(inverse, weights=y) / counts, sample_weight=counts)
    is_corner = np.r_[True, np.diff(rising) != 0] | np.r_[np.diff(rising) != 0, True]
    return [points[is_corner].tolist(), rising[is_corner].tolist()]


def as_probabilities(p, least):
    """Return probabilities that are at least about ``least`` and sum to 1."""
    p = np.clip(p, least, 1)
    return p / p.sum(axis=1, keepdims=True)


def make():
    """Return the stacker."""
    return Isotonic()
