"""What each column of a row did to its prediction: Shapley values against the typical row of the training rows.

See `evaluation/shapley.py` for what an effect is.
"""

import numpy as np
import pandas as pd

from stillhouse.columns import graph_input
from stillhouse.errors import UserError
from stillhouse.evaluation.occlusion import strongest_words
from stillhouse.evaluation.shapley import orders_of, subsets
from stillhouse.intake import kinds, pictures

# How often a row is predicted, unless twice the number of columns is more.
MOST_SUBSETS = 256
# What a graph gets at once.
ROWS_AT_ONCE, BYTES_AT_ONCE = 50_000, 2**27
ROUNDING = 1e-12


def effect_column(name):
    """Return the name of the column with the effect of a raw column."""
    return f"effect_{name}"


def words_column(name):
    """Return the name of the column with the words of a column of texts that did most to the prediction."""
    return f"words_{name}"


class Effects:
    """The effects of raw columns on a shipped model's predictions; columns that are made of one raw column move together."""

    def __init__(self, shipped):
        if any("typical" not in column for column in shipped.columns):
            raise UserError(
                f"{shipped.path}: has no typical row to explain predictions against, as an earlier version wrote it"
            )
        self.shipped = shipped
        self.sources = list(dict.fromkeys(column["source"] for column in shipped.columns))
        self.moved, self.shares = subsets(len(self.sources), MOST_SUBSETS)
        self.typical = {column["name"]: typical_value(column) for column in shipped.columns}
        self.of_typical = shipped.scores({graph_input(name): value[None] for name, value in self.typical.items()})[0]
        self.texts = [column["name"] for column in shipped.columns if column["kind"] == kinds.TEXT]

    def of(self, columns, index):
        """Return the effects on rows of typed columns as ``effect_<column>``; see ``Shipped.predict_typed``.

        Of two classes they are those on the probability of the positive one, of more on that of the likeliest. Of texts there
        are ``words_<column>``, too: the words without which the prediction changes most, each with by how much it raises it.
        """
        inputs, parts = {name: column.as_input() for name, column in columns.items()}, []
        bytes_of_row = max(1, sum(values.nbytes for values in inputs.values()) / max(1, len(index)))
        step = max(1, int(min(ROWS_AT_ONCE, BYTES_AT_ONCE / bytes_of_row)) // len(self.moved))
        for start in range(0, len(index), step):
            parts.append(self._of_some({name: values[start : start + step] for name, values in inputs.items()}))
        found = np.concatenate(parts) if parts else np.empty((0, len(self.sources)))
        # What rounding leaves of an effect that is none.
        found[np.abs(found) < ROUNDING * np.abs(found).max(axis=1, keepdims=True, initial=0)] = 0
        found = pd.DataFrame(found, columns=list(map(effect_column, self.sources)), index=index)
        return found.assign(**{words_column(name): self._words(inputs, name) for name in self.texts})

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

    def _words(self, inputs, name):
        """Return the strongest words of each text of a column, as text; one text at a time, as each has many variants."""
        told = []
        for row, text in enumerate(inputs[name][:, 0]):
            own = {graph_input(one): values[row : row + 1] for one, values in inputs.items()}
            found = strongest_words(lambda texts, own=own: self._of_texts(own, name, texts), text)
            told.append("; ".join(f"{word} {effect:+.3g}" for word, effect in found))
        return pd.array(told, dtype="str")

    def _of_texts(self, own, name, texts):
        """Return the output that is explained of one row with other texts in a column; the last text is its own."""
        repeated = {one: np.repeat(values, len(texts), axis=0) for one, values in own.items()}
        repeated[graph_input(name)] = np.array(texts, dtype=object)[:, None]
        return self._explained(self.shipped.scores(repeated)[None])[0]

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
        over = orders_of(len(self.sources), MOST_SUBSETS)
        said = f"effect_… say how far a column moves {what} from {start} of a row of typical values, as a mean over {over}"
        return said + "; words_… name the words without which it changes most, and how far they raise it" * bool(self.texts)


def typical_value(column):
    """Return the typical value of a column as an input of the graph, without the axis of rows."""
    if column["kind"] == kinds.IMAGE:
        return np.zeros(pictures.shape_of(column), dtype=np.uint8)
    if column["kind"] == kinds.TEXT:
        return np.array([""], dtype=object)
    if column["kind"] == kinds.CATEGORICAL:
        return np.array([column["typical"]], dtype=object)
    return np.array([np.nan if column["typical"] is None else column["typical"]], dtype="float64")
