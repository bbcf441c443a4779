"""The density ratio of two Gaussian mixtures, one of the deploy rows and one of the training rows."""

from functools import partial

from sklearn.mixture import GaussianMixture


class MixtureRatio:
    """Two mixtures with as many components each."""

    def __init__(self, components, ridge, seed):
        self.components, self.ridge, self.seed = components, ridge, seed

    def fit(self, train, deploy):
        """Fit a mixture to each part; ``ridge`` is added to the variances."""
        self.train_, self.deploy_ = (self._mixture(part) for part in (train, deploy))
        return self

    def log_ratio(self, X):
        """Return log ratios; shape (rows,)."""
        return self.deploy_.score_samples(X) - self.train_.score_samples(X)

    def _mixture(self, part):
        count = min(self.components, len(part))
        return GaussianMixture(count, reg_covar=self.ridge, random_state=self.seed).fit(part)


def make(seed, components, ridges):
    """Return candidates; the number of components and the ridge are chosen among the given ones."""
    return [partial(MixtureRatio, count, ridge, seed) for count in components for ridge in ridges]
