"""Temperature scaling of one member (Guo et al. 2017): its logits are divided by the temperature with the least log loss."""

import numpy as np
from scipy.optimize import minimize_scalar

from stillhouse.ensembles.stackers.mean import Mean
from stillhouse.ensembles.stacking import losses
from stillhouse.errors import UserError

# The range of temperatures, as logarithms.
RANGE = (np.log(0.05), np.log(20))


class Temperature(Mean):
    """One weight, which is one over the temperature."""

    def fit(self, scores, labels, n_classes):
        """Learn from logits of shape (1, rows, classes) and labels of shape (rows,); without rows, scores stay as they are."""
        if not n_classes:
            raise UserError("temperature is for classes, and the target is numeric; calibrate it by isotonic or platt")
        super().fit(scores, labels, n_classes)
        if len(labels):
            best = minimize_scalar(
                lambda log: losses(scores[0] / np.exp(log), labels, n_classes).mean(), bounds=RANGE, method="bounded"
            )
            self.weights = np.exp([-best.x])
        return self


def make():
    """Return the stacker."""
    return Temperature()
