"""Rows drawn a column at a time, given the others (Gibbs sampling by trees; after Reiter 2005 and Casella & George 1992)."""

import numpy as np
from sklearn.tree import DecisionTreeRegressor

from stillhouse.preparation.transfer_rows import coded, taken

SWEEPS = 3
# Rows that a value is drawn among, at least.
LEAF = 10


def make():
    """Return a function of (table, columns, count, rng)."""
    return drawn


def drawn(table, columns, count, rng):
    """Return rows whose columns are drawn again and again from the rows in the same leaf of a tree on the other columns."""
    X = coded(table, columns)
    trees = [_tree_of(X, place, rng) for place in range(X.shape[1])]
    known = [_leaves(tree, X, place) for place, tree in enumerate(trees)]
    donors = np.repeat(np.resize(rng.permutation(len(X)), count)[:, None], X.shape[1], axis=1)
    for _ in range(SWEEPS):
        for place, tree in enumerate(trees):
            now = np.take_along_axis(X, donors, axis=0)
            leaves = _leaves(tree, now, place)
            for leaf in np.unique(leaves):
                is_here = leaves == leaf
                donors[is_here, place] = rng.choice(np.flatnonzero(known[place] == leaf), is_here.sum())
    return taken(table, donors)


def _tree_of(X, place, rng):
    if X.shape[1] == 1:
        return None
    tree = DecisionTreeRegressor(min_samples_leaf=LEAF, random_state=int(rng.integers(2**31)))
    return tree.fit(np.delete(X, place, axis=1), X[:, place])


def _leaves(tree, X, place):
    return tree.apply(np.delete(X, place, axis=1)) if tree else np.zeros(len(X), dtype=int)
