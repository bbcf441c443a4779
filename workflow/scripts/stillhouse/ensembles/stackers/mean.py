"""The equal-weight mean: of log probabilities for classes, of values for a regression."""

import numpy as np

from stillhouse.ensembles.stacking import linear_pool


class Mean:
    """Weights of 1 / members and no intercept."""

    def fit(self, scores, labels, n_classes):
        """Learn nothing; ``scores`` has shape (members, rows, outputs)."""
        self.weights = np.full(len(scores), 1 / len(scores))
        self.intercept = np.zeros(scores.shape[2])
        return self

    def pooled(self, scores, n_classes):
        """Return probabilities, or values, of members' scores (members, rows, outputs); shape (rows, outputs)."""
        return linear_pool(self.weights, self.intercept, scores, n_classes)

    def learned(self):
        """Return the learned parameters, as plain values."""
        return {"weights": self.weights.tolist(), "intercept": self.intercept.tolist()}

    def restored(self, learned):
        """Set the parameters that ``learned`` returned, and return the stacker."""
        self.weights, self.intercept = np.array(learned["weights"]), np.array(learned["intercept"])
        return self


def make():
    """Return the stacker."""
    return Mean()
