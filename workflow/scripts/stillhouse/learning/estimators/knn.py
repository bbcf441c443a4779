"""The nearest training rows, by their prepared features: they vote, or their values are averaged (Cover & Hart 1967)."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.neighbors import NearestNeighbors

from stillhouse.seeds import generator

# The distance, in units of prepared features, below which rows count as equally near.
EQUAL = 1e-6


class NearestRows(BaseEstimator):
    """The ``neighbors`` nearest of at most ``rows`` training rows, drawn by chance, the nearer ones with more weight.

    A row counts with its weight over its distance, so that a row that equals a training row gets its label.
    """

    def __init__(self, neighbors, rows, threads, seed):
        self.neighbors, self.rows, self.threads, self.seed = neighbors, rows, threads, seed

    def fit(self, X, y, sample_weight=None):
        """Keep the rows that are searched, those with a weight."""
        weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
        order = generator(self.seed, "rows").permutation(np.flatnonzero(weight > 0))
        kept = np.sort(order[: self.rows])
        if self._is_classifier:
            self.classes_, codes = np.unique(y, return_inverse=True)
            self.values_ = np.eye(len(self.classes_))[codes[kept]]
        else:
            self.values_ = np.asarray(y, dtype=float)[kept, None]
        self.weight_ = weight[kept]
        self.nearest_ = NearestNeighbors(n_neighbors=min(self.neighbors, len(kept)), n_jobs=self.threads).fit(X[kept])
        return self

    def _averaged(self, X):
        """Return the weighted means of the nearest rows' labels; (rows, classes), or (rows, 1) for values."""
        distance, rows = self.nearest_.kneighbors(X)
        weight = self.weight_[rows] / np.maximum(distance, EQUAL)
        weight /= weight.sum(axis=1, keepdims=True)
        return np.einsum("rn,rno->ro", weight, self.values_[rows])


class NearestClassifier(ClassifierMixin, NearestRows):
    """Votes of the nearest rows."""

    _is_classifier = True

    def predict_proba(self, X):
        """Return the shares of the votes; shape (rows, classes)."""
        return self._averaged(X)

    def predict(self, X):
        """Return classes; shape (rows,)."""
        return self.classes_[self._averaged(X).argmax(axis=1)]


class NearestRegressor(RegressorMixin, NearestRows):
    """Means of the nearest rows' values."""

    _is_classifier = False

    def predict(self, X):
        """Return values; shape (rows,)."""
        return self._averaged(X)[:, 0]


def make(n_classes, threads, seed, neighbors, rows):
    """Return the estimator."""
    nearest = NearestClassifier if n_classes else NearestRegressor
    return nearest(neighbors, rows, threads, seed)
