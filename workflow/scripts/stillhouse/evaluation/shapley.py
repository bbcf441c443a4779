"""Shapley values: what each column of a row did to its prediction, against a typical row.

A column's effect is the mean change of the prediction where the column takes the row's value in place of the typical one, over
orders in which columns do so (Shapley 1953; Štrumbelj & Kononenko 2014). The effects of a row sum to its prediction less that
of the typical row. Of few columns all orders count; of more, drawn ones and their reverses, the same for every row. An order
with its reverse is exact where columns act alone or in pairs.
"""

from math import factorial

import numpy as np

from stillhouse.intake import kinds


def typical(values, column):
    """Return the median of numbers, or the most frequent category, gaps being one; None for texts, pictures and nothing."""
    if column["kind"] in kinds.ENCODED:
        return None
    if column["kind"] == kinds.CATEGORICAL:
        return str(values.astype("object").fillna(kinds.GAP).mode().iloc[0])
    values = values.dropna()
    middle = values.mode().iloc[:1] if column["kind"] == kinds.BOOLEAN else [values.median()]
    return float(middle[0]) if len(values) else None


def subsets(count, most):
    """Return at most about ``most`` subsets of columns that predictions are made for, and their shares; see ``all_subsets``."""
    return all_subsets(count) if 2**count <= most else drawn_subsets(count, pairs_of_orders(count, most))


def pairs_of_orders(count, most):
    """Return how many orders, each with its reverse, go through about so many subsets, and at least one pair."""
    return max(1, most // (2 * count))


def orders_of(count, most):
    """Return over which orders of so many columns effects are means, in words."""
    return "all orders" if 2**count <= most else f"{2 * pairs_of_orders(count, most)} orders"


def all_subsets(count):
    """Return all subsets of columns, shape (subsets, columns), and the share of each in each effect; the last has all."""
    moved = (np.arange(2**count)[:, None] >> np.arange(count)) % 2 == 1
    sizes = moved.sum(axis=1)
    # Of all orders, the share in which a column comes right after so many others.
    after = np.array([factorial(size) * factorial(count - size - 1) / factorial(count) for size in range(count)])
    return moved, np.where(moved, after[sizes - 1][:, None], -after[np.minimum(sizes, count - 1)][:, None])


def drawn_subsets(count, pairs):
    """Return the subsets that occur in some drawn orders and their reverses, and shares like those of ``all_subsets``."""
    rng = np.random.default_rng(0)
    drawn = np.array([rng.permutation(count) for _ in range(pairs)])
    orders = np.vstack([drawn, drawn[:, ::-1]])
    steps = orders.argsort(axis=1)[:, None, :] < np.arange(count + 1)[:, None]
    moved, places = np.unique(steps.reshape(-1, count), axis=0, return_inverse=True)
    places, shares = places.reshape(len(orders), -1), np.zeros(moved.shape)
    np.add.at(shares, (places[:, 1:], orders), 1 / len(orders))
    np.add.at(shares, (places[:, :-1], orders), -1 / len(orders))
    return moved, shares
