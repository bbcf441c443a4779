"""ADASYN: the more synthetic rows around a row, the more neighbours of other classes it has (He et al. 2008)."""

import numpy as np
from imblearn.over_sampling import ADASYN
from sklearn.neighbors import NearestNeighbors

from stillhouse.columns import LABEL, features
from stillhouse.preparation.resampled_rows import rows_to_add, with_resampled_rows
from stillhouse.preparation.resamplers.smote import check_neighbors

# The time grows faster than the rows: 14 seconds of a core for 100,000.
MOST_ROWS = 3_000_000


def make(neighbors):
    """Return a function of (sample, rng); one-hot blocks are interpolated and made whole again."""
    return lambda sample, rng: with_adaptive_rows(sample, neighbors, seed=int(rng.integers(2**31)))


def with_adaptive_rows(sample, neighbors, seed):
    """Return the sample with synthetic rows appended; the sample alone where some class would get none."""
    check_neighbors(sample, neighbors)
    X, labels = sample[features(sample)].to_numpy("float64"), sample[LABEL].to_numpy()
    if not all(rows_to_draw(X, labels, label, count, neighbors).any() for label, count in rows_to_add(sample).items()):
        return sample
    X, labels = ADASYN(n_neighbors=neighbors, random_state=seed).fit_resample(X, labels)
    return with_resampled_rows(sample, X[len(sample) :], labels[len(sample) :])


def rows_to_draw(X, labels, label, count, neighbors):
    """Return how many of ``count`` rows ADASYN draws beside each row of a class, after He et al. 2008, steps 2 to 4; (rows,).

    All are 0 where no row of the class has a neighbour of another class, or where every row's share of ``count`` rounds to 0.
    """
    own = labels == label
    nearest = NearestNeighbors(n_neighbors=neighbors + 1).fit(X).kneighbors(X[own], return_distance=False)[:, 1:]
    share = (labels[nearest] != label).sum(axis=1) / neighbors
    return np.rint(share / share.sum() * count) if share.any() else share
