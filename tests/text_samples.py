"""Rows with texts that tell the label, and odd texts."""

import numpy as np
import pandas as pd
import pytest

from stillhouse.intake import kinds
from stillhouse.shipping.export import largest_difference
from stillhouse.shipping.serving import Shipped

ODD = [
    *("", "   ", None, "a", "?", "ÀÉ ﬁ ① 你好 世界", "🙂🙂 ok!!", "e\u0301 नमस्ते दुनिया", "tab\tnew\nline", "\x00 \x01 \x02 b"),
    *("x" * 30_000, "word " * 9_000, "the patient was FINE, thank you.", "((((", "\u200b", "\x01\x01\x01"),
]
COLUMNS = [
    {"name": "note", "source": "note", "position": 0, "kind": kinds.TEXT},
    {"name": "age", "source": "age", "position": 1, "kind": kinds.NUMERIC},
    {"name": "title", "source": "title", "position": 2, "kind": kinds.TEXT},
    {"name": "site", "source": "site", "position": 3, "kind": kinds.CATEGORICAL},
]
SICK, WELL = ("pain fever cough weak tired bad", "fine good well rested strong fit")


def notes(rows=240, seed=0):
    """Rows with two columns of texts, of which the note tells the label, with gaps and odd texts among them."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, rows)
    words = [
        rng.choice((SICK if sick else WELL).split(), 4).tolist() + rng.choice(["the", "a", "is"], 3).tolist() for sick in label
    ]
    table = pd.DataFrame({"row": np.arange(rows), "note": [" ".join(rng.permutation(own)) for own in words]})
    table["note"] = table["note"].where(table["row"] % 11 != 0, pd.Series(np.resize(ODD, rows))).astype("str")
    titles = pd.Series(np.resize(["first visit", "second visit, late", "a call"], rows), dtype="str")
    return table.assign(
        age=rng.normal(50, 9, rows),
        title=titles,
        site=pd.Series(rng.choice(list("abc"), rows), dtype="str"),
        label=label.astype(float),
    )


def assert_reads_raw_texts(path, table, whole):
    """Assert that a shipped file predicts what the workflow does for a table's texts and for odd ones, together and alone."""
    odd = table.assign(note=pd.Series(np.resize(ODD, len(table)), dtype="str"))
    assert largest_difference(path, pd.concat([table, odd]), whole) < 1e-5
    for text in ODD:
        row = table[:1].assign(note=pd.Series([text], dtype="str"))
        assert largest_difference(path, row, whole) < 1e-5
        predicted = Shipped(path).predict(row.drop(columns=["row", "label"]))
        assert predicted.iloc[0, 0] == pytest.approx(whole.predict(row)[0, 0], abs=1e-5)
