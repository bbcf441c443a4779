"""KLIEP: the kernel ratio of least Kullback-Leibler divergence to the deploy density (Sugiyama et al. 2008)."""

from functools import partial

import numpy as np

from stillhouse.preparation.density_ratio import Kernels

POSITIVE = 1e-12


class KernelRatio:
    """Non-negative kernel weights that maximise the mean log ratio of deploy rows, at mean ratio 1 over training rows."""

    def __init__(self, width, centres, rounds, seed):
        self.width, self.centres, self.rounds, self.seed = width, centres, rounds, seed

    def fit(self, train, deploy):
        """Climb by multiplicative steps, which keep the weights positive and, rescaled, the constraint."""
        self.kernels_ = Kernels(deploy, self.width, self.centres, np.random.default_rng(self.seed))
        on_deploy, mean = self.kernels_(deploy), np.maximum(self.kernels_(train).mean(axis=0), POSITIVE)
        weights = np.ones(len(mean)) / mean.sum()
        for _ in range(self.rounds):
            share = on_deploy / np.maximum(on_deploy @ weights, POSITIVE)[:, None]
            weights = weights * share.mean(axis=0) / mean
        self.weights_ = weights / (weights @ mean)
        return self

    def log_ratio(self, X):
        """Return log ratios; shape (rows,)."""
        return np.log(np.maximum(self.kernels_(X) @ self.weights_, POSITIVE))


def make(seed, widths, centres, rounds):
    """Return candidates; the kernel width is chosen among ``widths``."""
    return [partial(KernelRatio, width, centres, rounds, seed) for width in widths]
