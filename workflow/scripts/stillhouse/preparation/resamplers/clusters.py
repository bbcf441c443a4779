"""Larger classes are reduced to the rows nearest to the centres of as many k-means clusters as the smallest class has rows."""

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.metrics import pairwise_distances_argmin

from stillhouse.columns import LABEL, features

# Rows that are clustered together. A larger class is divided by chance, as the time grows with rows times clusters.
BLOCK = 5000


def make():
    """Return a function of (sample, rng)."""
    return near_centres


def near_centres(sample, rng):
    """Return the rows of the smallest class and, of each other class, the rows nearest to cluster centres."""
    groups = sample.groupby(LABEL).indices
    least = min(map(len, groups.values()))
    X = sample[features(sample)].to_numpy()
    kept = [rows if len(rows) == least else central(X, rows, least, rng) for _, rows in sorted(groups.items())]
    return sample.iloc[np.sort(np.concatenate(kept))].reset_index(drop=True)


def central(X, rows, count, rng):
    """Return ``count`` of these rows or few less: those nearest to the centres of clusters, each row once."""
    parts = -(-len(rows) // BLOCK)
    blocks = [rows] if parts == 1 else np.array_split(rng.permutation(rows), parts)
    wanted = np.diff(np.round(np.linspace(0, count, parts + 1)).astype(int))
    return np.concatenate(
        [nearest(X, np.sort(block), number, rng) for block, number in zip(blocks, wanted, strict=True) if number]
    )


def nearest(X, rows, count, rng):
    """Return the rows of a block that are nearest to the centres of ``count`` clusters."""
    clusters = MiniBatchKMeans(count, n_init=1, random_state=int(rng.integers(2**31))).fit(X[rows])
    return rows[np.unique(pairwise_distances_argmin(clusters.cluster_centers_, X[rows]))]
