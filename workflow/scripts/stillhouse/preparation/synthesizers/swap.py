"""Rows whose columns are swapped with those of near rows (after MUNGE: Buciluă, Caruana & Niculescu-Mizil 2006)."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from stillhouse.preparation.transfer_rows import places, taken

NEIGHBORS = 5
# The chance of a column to be another row's.
SWAPPED = 0.5


def make():
    """Return a function of (table, columns, count, rng)."""
    return swapped


def swapped(table, columns, count, rng):
    """Return rows each of which has half of its columns from its parent, each other one from one of its neighbours."""
    X, n = places(table, columns), min(NEIGHBORS + 1, len(table))
    near = NearestNeighbors(n_neighbors=n).fit(X).kneighbors(X, return_distance=False)
    parents = np.resize(rng.permutation(len(table)), count)
    shape = (count, len(table.columns))
    others = near[parents[:, None], rng.integers(n, size=shape)]
    return taken(table, np.where(rng.random(shape) < SWAPPED, others, parents[:, None]))
