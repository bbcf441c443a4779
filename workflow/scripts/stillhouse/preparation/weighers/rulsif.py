"""RuLSIF: least squares for the ratio to a mixture, p_deploy / (a p_deploy + (1 - a) p_train) (Yamada et al. 2013).

With ``alpha: 0`` it is uLSIF (Kanamori et al. 2009). The relative ratio r is at most 1 / a, and the ratio follows from it
as (1 - a) r / (1 - a r).
"""

from functools import partial
from itertools import product

import numpy as np

from stillhouse.preparation.density_ratio import SMALLEST_RATIO, Kernels


class RelativeRatio:
    """Kernel weights of least squared error, in closed form."""

    def __init__(self, alpha, width, penalty, centres, seed):
        self.alpha, self.width, self.penalty, self.centres, self.seed = alpha, width, penalty, centres, seed

    def fit(self, train, deploy):
        """Solve (H + penalty) w = h of the paper's eq. 9."""
        self.kernels_ = Kernels(deploy, self.width, self.centres, np.random.default_rng(self.seed))
        on_train, on_deploy = self.kernels_(train), self.kernels_(deploy)
        H = self.alpha * on_deploy.T @ on_deploy / len(deploy) + (1 - self.alpha) * on_train.T @ on_train / len(train)
        self.weights_ = np.linalg.solve(H + self.penalty * np.eye(len(H)), on_deploy.mean(axis=0))
        return self

    def log_ratio(self, X):
        """Return log ratios; shape (rows,)."""
        relative = np.maximum(self.kernels_(X) @ self.weights_, SMALLEST_RATIO)
        return np.log(relative * (1 - self.alpha)) - np.log(np.maximum(1 - self.alpha * relative, SMALLEST_RATIO))


def make(seed, alpha, widths, penalties, centres):
    """Return candidates; kernel width and penalty are chosen among the given ones."""
    return [partial(RelativeRatio, alpha, width, penalty, centres, seed) for width, penalty in product(widths, penalties)]
