"""Kernel mean matching: weights that bring the training rows' kernel mean to that of the deploy rows (Huang et al. 2007).

The weights are a non-negative sum of kernels around deploy rows, so that other rows have weights too (such inductive forms are
compared by Kanamori, Suzuki & Sugiyama 2012).
"""

from functools import partial
from itertools import product

import numpy as np
from scipy.optimize import nnls

from stillhouse.preparation.density_ratio import SMALLEST_RATIO, Kernels


class MatchedMeans:
    """Kernel weights that minimise the distance of the two means, taken over at most ``rows`` rows of each part."""

    def __init__(self, width, penalty, centres, rows, seed):
        self.width, self.penalty, self.centres, self.rows, self.seed = width, penalty, centres, rows, seed

    def fit(self, train, deploy):
        """Minimise the penalty plus the squared distance of the weighted mean of training rows to the mean of deploy rows."""
        rng = np.random.default_rng(self.seed)
        self.kernels_ = Kernels(deploy, self.width, self.centres, rng)
        train, deploy = (part[rng.permutation(len(part))[: self.rows]] for part in (train, deploy))
        basis = self.kernels_(train) / len(train)
        among, across = self.kernels_.between(train, train), self.kernels_.between(train, deploy)
        H = basis.T @ among @ basis + self.penalty / len(basis.T) * np.eye(basis.shape[1])
        root = np.linalg.cholesky(H).T
        self.weights_ = nnls(root, np.linalg.solve(root.T, basis.T @ across.mean(axis=1)))[0]
        return self

    def log_ratio(self, X):
        """Return log ratios; shape (rows,)."""
        return np.log(np.maximum(self.kernels_(X) @ self.weights_, SMALLEST_RATIO))


def make(seed, widths, penalties, centres, rows):
    """Return candidates; kernel width and penalty are chosen among the given ones."""
    return [partial(MatchedMeans, width, penalty, centres, rows, seed) for width, penalty in product(widths, penalties)]
