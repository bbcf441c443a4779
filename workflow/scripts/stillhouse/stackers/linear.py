"""A linear pool: one weight per member on its logits (or values) and one intercept per output."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from stillhouse.stackers.mean import Mean


class LinearPool:
    """Weights of least penalised loss, drawn towards equal ones; for two classes a logistic regression on logits."""

    def __init__(self, penalty):
        self.penalty = penalty

    def fit(self, scores, labels, n_classes):
        """Learn from scores of shape (members, rows, outputs) and labels of shape (rows,); no rows mean equal weights."""
        equal = Mean().fit(scores, labels, n_classes)
        self.weights, self.intercept = equal.weights, equal.intercept
        if len(labels):
            fit = self._fit_classes if n_classes else self._fit_values
            self.weights, self.intercept = fit(scores, labels, equal.weights)
        return self

    def _fit_classes(self, scores, labels, equal):
        members, rows, outputs = scores.shape
        target = np.eye(outputs)[labels.astype(int)]

        def loss(parameters):
            weights, intercept = parameters[:members], parameters[members:]
            pooled = np.tensordot(weights, scores, 1) + intercept
            pull, slope = weights - equal, softmax(pooled, axis=1) - target
            value = -(target * log_softmax(pooled, axis=1)).sum() + self.penalty * pull @ pull / 2
            slopes = np.r_[(scores * slope).sum(axis=(1, 2)) + self.penalty * pull, slope.sum(axis=0)]
            return value / rows, slopes / rows

        start = np.r_[equal, np.zeros(outputs)]
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x
        return found[:members], found[members:]

    def _fit_values(self, scores, labels, equal):
        A, y = scores[:, :, 0].T, labels
        centred, scale = A - A.mean(axis=0), max(float(y.var()), 1e-12)
        gram = centred.T @ centred / scale + self.penalty * np.eye(len(equal))
        weights = np.linalg.solve(gram, centred.T @ (y - y.mean()) / scale + self.penalty * equal)
        return weights, np.array([y.mean() - A.mean(axis=0) @ weights])


def make(penalty):
    """Return the stacker."""
    return LinearPool(penalty)
