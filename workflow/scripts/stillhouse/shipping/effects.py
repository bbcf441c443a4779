"""What each column of a row did to its prediction: Shapley values against the typical row of the training rows.

A column's effect is the mean change of the prediction where the column takes the row's value in place of the typical one, over
orders in which columns do so (Shapley 1953; Štrumbelj & Kononenko 2014). The effects of a row sum to its prediction less that
of the typical row. Of few columns all orders count; of more, drawn ones and their reverses, the same for every row.
"""

from math import factorial

import numpy as np
import pandas as pd

from stillhouse.columns import graph_input
from stillhouse.errors import UserError
from stillhouse.intake import kinds, pictures

# The most columns of which all orders count; the orders of more columns, each with its reverse; what a graph gets at once.
MOST_EXACT, ORDERS, ROWS_AT_ONCE, BYTES_AT_ONCE = 7, 16, 50_000, 2**27
ROUNDING = 1e-12


def effect_column(name):
    """Return the name of the column with the effect of a raw column."""
    return f"effect_{name}"


class Effects:
    """The effects of raw columns on a shipped model's predictions; columns that are made of one raw column move together."""

    def __init__(self, shipped):
        if any("typical" not in column for column in shipped.columns):
            raise UserError(
                f"{shipped.path}: has no typical row to explain predictions against, as an earlier version wrote it"
            )
        self.shipped = shipped
        self.sources = list(dict.fromkeys(column["source"] for column in shipped.columns))
        subsets = all_subsets if len(self.sources) <= MOST_EXACT else drawn_subsets
        self.moved, self.shares = subsets(len(self.sources))
        self.typical = {column["name"]: typical_value(column) for column in shipped.columns}
        self.of_typical = shipped.scores({graph_input(name): value[None] for name, value in self.typical.items()})[0]

    def of(self, columns, index):
        """Return the effects on rows of typed columns as ``effect_<column>``; see ``Shipped.predict_typed``.

        Of two classes they are those on the probability of the positive one, of more on that of the likeliest.
        """
        inputs, parts = {name: column.as_input() for name, column in columns.items()}, []
        bytes_of_row = max(1, sum(values.nbytes for values in inputs.values()) / max(1, len(index)))
        step = max(1, int(min(ROWS_AT_ONCE, BYTES_AT_ONCE / bytes_of_row)) // len(self.moved))
        for start in range(0, len(index), step):
            parts.append(self._of_some({name: values[start : start + step] for name, values in inputs.items()}))
        found = np.concatenate(parts) if parts else np.empty((0, len(self.sources)))
        # What rounding leaves of an effect that is none.
        found[np.abs(found) < ROUNDING * np.abs(found).max(axis=1, keepdims=True, initial=0)] = 0
        return pd.DataFrame(found, columns=list(map(effect_column, self.sources)), index=index)

    def _of_some(self, inputs):
        mixed, count = {}, len(next(iter(inputs.values())))
        for column in self.shipped.columns:
            moved = self.moved[:, self.sources.index(column["source"])]
            values, typical = inputs[column["name"]], self.typical[column["name"]]
            is_own = moved.reshape(1, -1, *[1] * (values.ndim - 1))
            both = np.where(is_own, values[:, None], typical[None, None])
            mixed[graph_input(column["name"])] = both.reshape(-1, *values.shape[1:])
        scores = self.shipped.scores(mixed)
        return np.einsum("rs,sc->rc", self._explained(scores.reshape(count, len(self.moved), -1)), self.shares)

    def _explained(self, scores):
        """Return the output that is explained, of scores (rows, subsets, outputs); the last subset has all columns."""
        if not self.shipped.classes:
            return scores[:, :, 0]
        if len(self.shipped.classes) == 2:
            return scores[:, :, 1]
        likeliest = scores[:, -1].argmax(axis=1)
        return np.take_along_axis(scores, likeliest[:, None, None], axis=2)[:, :, 0]

    def sentence(self):
        """Return what the effects say."""
        if not self.shipped.classes:
            what, start = "the value", f"{self.of_typical[0]:.4g}"
        elif len(self.shipped.classes) == 2:
            what, start = f"the probability of {self.shipped.classes[1]!r}", f"{self.of_typical[1]:.3g}"
        else:
            what, start = "the probability of the likeliest class", "that"
        exact = "over all orders" if len(self.sources) <= MOST_EXACT else f"over {2 * min(ORDERS, len(self.sources))} orders"
        return f"effect_… say how far a column moves {what} from {start} of a row of typical values, as a mean {exact}"


def typical_value(column):
    """Return the typical value of a column as an input of the graph, without the axis of rows."""
    if column["kind"] == kinds.IMAGE:
        return np.zeros(pictures.shape_of(column), dtype=np.uint8)
    if column["kind"] == kinds.TEXT:
        return np.array([""], dtype=object)
    if column["kind"] == kinds.CATEGORICAL:
        return np.array([column["typical"]], dtype=object)
    return np.array([np.nan if column["typical"] is None else column["typical"]], dtype="float64")


def all_subsets(count):
    """Return all subsets of columns, shape (subsets, columns), and the share of each in each effect; the last has all."""
    moved = (np.arange(2**count)[:, None] >> np.arange(count)) % 2 == 1
    sizes = moved.sum(axis=1)
    # Of all orders, the share in which a column comes right after so many others.
    after = np.array([factorial(size) * factorial(count - size - 1) / factorial(count) for size in range(count)])
    return moved, np.where(moved, after[sizes - 1][:, None], -after[np.minimum(sizes, count - 1)][:, None])


def drawn_subsets(count):
    """Return the subsets that occur in some orders, and shares like those of ``all_subsets``.

    The orders are a drawn one that begins at ``ORDERS`` places, so that columns come early and late about as often, and the
    reverses of these.
    """
    order = np.random.default_rng(0).permutation(count)
    begun = [np.roll(order, -place) for place in np.unique(np.linspace(0, count, ORDERS, endpoint=False).astype(int))]
    orders = np.array([*begun, *(one[::-1] for one in begun)])
    steps = orders.argsort(axis=1)[:, None, :] < np.arange(count + 1)[:, None]
    moved, places = np.unique(steps.reshape(-1, count), axis=0, return_inverse=True)
    places, shares = places.reshape(len(orders), -1), np.zeros(moved.shape)
    np.add.at(shares, (places[:, 1:], orders), 1 / len(orders))
    np.add.at(shares, (places[:, :-1], orders), -1 / len(orders))
    return moved, shares
