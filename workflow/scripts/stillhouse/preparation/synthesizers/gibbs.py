"""Rows drawn a column at a time, given the others (Gibbs sampling by trees; after Reiter 2005 and Casella & George 1992)."""

import numpy as np
from sklearn.tree import DecisionTreeRegressor

from stillhouse.preparation.transfer_rows import coded, rows_of_cells

# Rows beyond which drawing a tenth as many would take an hour; see benchmarks/methods.py.
MOST_ROWS = 1_500_000
SWEEPS = 3
# The least number of rows that a value is drawn from.
LEAF_ROWS = 10


def make():
    """Return a function of (table, columns, count, rng)."""
    return gibbs_sampled


def gibbs_sampled(table, columns, count, rng):
    """Return rows whose columns are redrawn in turn, each from rows in the same leaf of a tree on the other columns."""
    X = coded(table, columns)
    trees = [_tree_of(X, column, rng) for column in range(X.shape[1])]
    known = [_leaves(tree, X, column) for column, tree in enumerate(trees)]
    donors = np.repeat(np.resize(rng.permutation(len(X)), count)[:, None], X.shape[1], axis=1)
    for _ in range(SWEEPS):
        for column, tree in enumerate(trees):
            now = np.take_along_axis(X, donors, axis=0)
            leaves = _leaves(tree, now, column)
            for leaf in np.unique(leaves):
                is_here = leaves == leaf
                donors[is_here, column] = rng.choice(np.flatnonzero(known[column] == leaf), is_here.sum())
    return rows_of_cells(table, donors)


def _tree_of(X, column, rng):
    if X.shape[1] == 1:
        return None
    tree = DecisionTreeRegressor(min_samples_leaf=LEAF_ROWS, random_state=int(rng.integers(2**31)))
    return tree.fit(np.delete(X, column, axis=1), X[:, column])


def _leaves(tree, X, column):
    return tree.apply(np.delete(X, column, axis=1)) if tree else np.zeros(len(X), dtype=int)
