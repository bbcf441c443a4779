"""A linear pool: one weight per member on its logits (or values) and one intercept per output."""

import numpy as np
from scipy.optimize import lsq_linear, minimize
from scipy.special import log_softmax, softmax

from stillhouse.ensembles.stackers.mean import Mean


class LinearPool(Mean):
    """Weights that minimise the loss plus a penalty for departing from equal weights; for two classes, a logistic regression.

    With ``nonnegative`` no weight is below 0, so that no member's predictions are reversed (Breiman 1996, stacked regressions).
    """

    def __init__(self, penalty, nonnegative):
        self.penalty, self.least = penalty, 0 if nonnegative else -np.inf

    def fit(self, scores, labels, n_classes):
        """Learn from scores of shape (members, rows, outputs) and labels of shape (rows,); without rows, weights are equal."""
        super().fit(scores, labels, n_classes)
        if len(labels):
            fit = self._fit_classes if n_classes else self._fit_values
            self.weights, self.intercept = fit(scores, labels, self.weights)
        return self

    def _fit_classes(self, scores, labels, equal):
        members, rows, outputs = scores.shape
        target = np.eye(outputs)[labels.astype(int)]

        def loss(parameters):
            weights, intercept = parameters[:members], parameters[members:]
            pooled = np.tensordot(weights, scores, 1) + intercept
            departure, slope = weights - equal, softmax(pooled, axis=1) - target
            value = -(target * log_softmax(pooled, axis=1)).sum() + self.penalty * departure @ departure / 2
            slopes = np.r_[(scores * slope).sum(axis=(1, 2)) + self.penalty * departure, slope.sum(axis=0)]
            return value / rows, slopes / rows

        start = np.r_[equal, np.zeros(outputs)]
        bounds = [(self.least, np.inf)] * members + [(-np.inf, np.inf)] * outputs
        best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 1000}).x
        return best[:members], best[members:]

    def _fit_values(self, scores, labels, equal):
        A, y = scores[:, :, 0].T, labels
        centred, scale, penalty_root = A - A.mean(axis=0), max(float(y.std()), 1e-6), np.sqrt(self.penalty)
        rows = np.r_[centred / scale, penalty_root * np.eye(len(equal))]
        wanted = np.r_[(y - y.mean()) / scale, penalty_root * equal]
        weights = lsq_linear(rows, wanted, bounds=(self.least, np.inf), method="bvls").x
        return weights, np.array([y.mean() - A.mean(axis=0) @ weights])


def make(penalty, nonnegative):
    """Return the stacker."""
    return LinearPool(penalty, nonnegative)
