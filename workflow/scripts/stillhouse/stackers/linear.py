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
        start = Mean().fit(scores, labels, n_classes)
        self.weights, self.intercept = start.weights, start.intercept
        if len(labels):
            self._fit(scores, labels, n_classes, start.weights)
        return self

    def _fit(self, scores, labels, n_classes, equal):
        members, rows, outputs = scores.shape
        target = np.eye(n_classes)[labels.astype(int)] if n_classes else labels[:, None]
        scale = 1.0 if n_classes else max(float(target.var()), 1e-12)

        def loss(parameters):
            weights, intercept = parameters[:members], parameters[members:]
            pooled = np.tensordot(weights, scores, 1) + intercept
            value, slope = _cross_entropy(pooled, target) if n_classes else _squared(pooled, target, scale)
            pull = weights - equal
            slopes = np.r_[(scores * slope).sum(axis=(1, 2)) + self.penalty * pull, slope.sum(axis=0)]
            return (value + self.penalty * pull @ pull / 2) / rows, slopes / rows

        start = np.r_[equal, np.zeros(outputs)]
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x
        self.weights, self.intercept = found[:members], found[members:]


def _cross_entropy(pooled, target):
    return -(target * log_softmax(pooled, axis=1)).sum(), softmax(pooled, axis=1) - target


def _squared(pooled, target, scale):
    error = pooled - target
    return (error**2).sum() / (2 * scale), error / scale


def make(penalty):
    """Return the stacker."""
    return LinearPool(penalty)
