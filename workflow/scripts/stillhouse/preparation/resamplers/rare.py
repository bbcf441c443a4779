"""Weights by the rarity of a row's value, for regressions (DenseWeight, Steininger et al. 2021)."""

import numpy as np

from stillhouse.columns import LABEL, WEIGHT

ONLY = "values"
# Bins of the histogram that is smoothed.
BINS = 1000


def make(strength):
    """Return a function of (sample, rng)."""
    return lambda sample, rng: by_rarity(sample, strength)


def by_rarity(sample, strength):
    """Return the sample with weights times ``1 - strength * density``, the largest density being 1; their mean stays."""
    labels, weight = sample[LABEL].to_numpy(float), sample[WEIGHT].to_numpy(float)
    rarity = 1 - strength * relative_density(labels, weight)
    return sample.assign(**{WEIGHT: weight * rarity * weight.sum() / max(weight @ rarity, 1e-12)})


def relative_density(labels, weight):
    """Return a Gaussian kernel density of the labels at each of them, as a share of the largest; shape (rows,).

    The bandwidth is Silverman's: 0.9 times the smaller of the deviation and the quartiles' distance / 1.34, over rows ** 0.2.
    """
    quartiles = np.subtract(*np.quantile(labels, [0.75, 0.25])) / 1.34
    spread = min(width for width in (labels.std(), quartiles or np.inf))
    if not spread:
        return np.zeros(len(labels))
    edges = np.linspace(labels.min(), labels.max(), BINS + 1)
    bandwidth = max(0.9 * spread * len(labels) ** -0.2 / (edges[1] - edges[0]), 0.5)
    beyond = int(4 * bandwidth) + 1
    counts = np.pad(np.histogram(labels, edges, weights=weight)[0], beyond)
    kernel = np.exp(-0.5 * (np.arange(-beyond, beyond + 1) / bandwidth) ** 2)
    density = np.convolve(counts, kernel, mode="same")[beyond:-beyond]
    return np.interp(labels, (edges[1:] + edges[:-1]) / 2, density / density.max())
