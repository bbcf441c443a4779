"""Larger classes are reduced to the rows nearest to the centres of as many k-means clusters as the smallest class has rows."""

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import pairwise_distances_argmin

from stillhouse.columns import LABEL, features


def make():
    """Return a function of (sample, rng)."""
    return near_centres


def near_centres(sample, rng):
    """Return the rows of the smallest class and, of each other class, the rows nearest to cluster centres."""
    groups = sample.groupby(LABEL).indices
    least = min(map(len, groups.values()))
    X, seed = sample[features(sample)].to_numpy(), int(rng.integers(2**31))
    kept = [rows if len(rows) == least else rows[central(X[rows], least, seed)] for _, rows in sorted(groups.items())]
    return sample.iloc[np.sort(np.concatenate(kept))].reset_index(drop=True)


def central(X, count, seed):
    """Return the positions of the rows nearest to the centres of ``count`` clusters, each row once."""
    clusters = MiniBatchKMeans(count, n_init=1, random_state=seed).fit(X)
    return np.unique(pairwise_distances_argmin(clusters.cluster_centers_, X))
