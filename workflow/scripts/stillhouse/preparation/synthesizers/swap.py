"""Rows with some values taken from near rows (after MUNGE: Buciluă, Caruana & Niculescu-Mizil 2006)."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from stillhouse.preparation.transfer_rows import points, rows_of_cells

NEIGHBORS = 5
# The probability that a value is taken from another row.
SWAPPED = 0.5


def make():
    """Return a function of (table, columns, count, rng)."""
    return swapped


def swapped(table, columns, count, rng):
    """Return rows whose values are those of their parent or, each with probability 0.5, of a random row near it.

    The parent itself is among the near rows.
    """
    X, n = points(table, columns), min(NEIGHBORS + 1, len(table))
    near = NearestNeighbors(n_neighbors=n).fit(X).kneighbors(X, return_distance=False)
    parents = np.resize(rng.permutation(len(table)), count)
    shape = (count, len(table.columns))
    others = near[parents[:, None], rng.integers(n, size=shape)]
    return rows_of_cells(table, np.where(rng.random(shape) < SWAPPED, others, parents[:, None]))
