"""Prediction outside the workflow: from a shipped file and a table to a table of predictions.

Needs numpy, pandas, pyarrow and onnxruntime, for pictures Pillow too, and none of the libraries that models are fitted with.
Tables are read by the same functions as in training.
"""

import json
import math
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
import pandas as pd

from stillhouse.columns import DECISION, PREDICTION, graph_input, probability, quantile
from stillhouse.errors import UserError
from stillhouse.intake import kinds, pictures
from stillhouse.intake.folders import tables_of_folder
from stillhouse.intake.formats import dialect_of, tables_in
from stillhouse.intake.notation import cleaned
from stillhouse.shipping.effects import Effects
from stillhouse.shipping.sets import ShippedSets
from stillhouse.shipping.streams import ahead, written_behind

# The characters of texts that a graph takes apart at once, shorter texts counted as the longest: each is 32 bytes.
MOST_CHARACTERS_AT_ONCE = 4_000_000
# What the layers of a network may take for the rows that are computed at once.
MOST_BYTES_AT_ONCE = 1_500_000_000


class Typed(NamedTuple):
    """A typed column: float64, text, with a category for gaps, or pictures; text also as codes of its distinct values."""

    values: np.ndarray
    codes: np.ndarray | None = None
    distinct: np.ndarray | None = None

    def as_input(self):
        """Return the values as an input of the graph: pictures as they are, and others as a column."""
        return self.values[:, None] if self.values.ndim == 1 else self.values


class Shipped:
    """A shipped model and the metadata of its file; by default it computes on all cores."""

    def __init__(self, path, threads=0):
        if not Path(path).is_file():
            raise UserError(f"there is no file {str(path)!r}")
        self.path, self.notes = path, []
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = threads
        try:
            self.session = session_of(Path(path).read_bytes(), options)
            facts = self.session.get_modelmeta().custom_metadata_map
            self.columns, self.classes = json.loads(facts["columns"]), json.loads(facts["classes"])
            self.reading, self.identifiers = json.loads(facts["reading"]), json.loads(facts["identifiers"])
            self.factors, self.levels = json.loads(facts["factors"]), json.loads(facts.get("quantiles", "[]"))
            self.most_rows = MOST_BYTES_AT_ONCE // max(1, json.loads(facts.get("row_bytes", "0"))) or 1
            sets = json.loads(facts.get("sets", "null"))
            self.sets = sets and ShippedSets(sets, self.classes)
            # Predicting a row of gaps shows whether the graph and the metadata fit together.
            self.predict(pd.DataFrame({column["source"]: [None] for column in self.columns}))
        except Exception as error:  # onnxruntime raises its own types, one for each way in which a file may be broken
            raise UserError(f"{path}: is not a complete Stillhouse model: {error}") from error

    def predict(self, table):
        """Return predictions of raw rows: ``p_<class>``, the most likely class, and the class decided for; or the value."""
        return self.predict_typed(self.typed(table), table.index)

    def predict_typed(self, columns, index):
        """Return predictions of typed columns as a table with an index; see ``predict``."""
        scores = self.scores({graph_input(name): column.as_input() for name, column in columns.items()})
        if self.classes is None:
            return pd.DataFrame(scores, columns=[PREDICTION, *map(quantile, self.levels)], index=index)
        result = pd.DataFrame(scores, columns=list(map(probability, self.classes)), index=index)
        names = np.array(self.classes, dtype=object)
        decided = (scores * self.factors).argmax(axis=1)
        said = {PREDICTION: names[scores.argmax(axis=1)], DECISION: names[decided]}
        return result.assign(**{name: pd.array(values, dtype="str") for name, values in said.items()})

    def located(self, table, path):
        """Return a raw table with the paths of its pictures as they are from here; those in a folder already are."""
        names = [column["source"] for column in self.columns if column["kind"] == kinds.IMAGE and column["source"] in table]
        return table if path.is_dir() else pictures.located(table, path.parent, names)

    def named(self, table):
        """Return what tells the rows of a raw table apart: identifiers and names of pictures, or else their numbers."""
        images = (column["source"] for column in self.columns if column["kind"] == kinds.IMAGE)
        paths = [name for name in images if name in table and not pictures.are_contents(table[name])]
        kept = table[[*(name for name in self.identifiers if name in table), *paths]]
        return kept if kept.shape[1] else pd.DataFrame({"row": table.index + 1}, index=table.index)

    def scores(self, inputs):
        """Return the graph's output of its inputs, shape (rows, outputs); raises ``UserError`` where it fails."""
        count = len(next(iter(inputs.values())))
        if not count:
            return np.empty((0, len(self.classes) if self.classes else 1 + len(self.levels)))
        lengths = [self._lengths(inputs[graph_input(one["name"])], one) for one in self.columns if one["kind"] in kinds.ENCODED]
        longest = np.max(lengths, axis=0) if lengths else np.zeros(count, dtype=int)
        try:
            parts = [{name: values[rows] for name, values in inputs.items()} for rows in pieces(longest, self.most_rows)]
            return np.concatenate([self.session.run(None, part)[0] for part in parts])
        except Exception as error:  # see Shipped.__init__
            raise UserError(f"{self.path}: prediction failed: {error}") from error

    @staticmethod
    def _lengths(values, column):
        """Return the characters of each text, or the pixels of each picture; shape (rows,)."""
        if column["kind"] == kinds.IMAGE:
            return np.full(len(values), math.prod(pictures.shape_of(column)))
        return np.array([len(text) for text in values[:, 0]], dtype=int)

    def typed(self, table):
        """Return the columns that the graph reads, typed, by name; raises ``UserError`` for a missing column."""
        for column in self.columns:
            if column["source"] not in table:
                raise UserError(
                    f"the table has no column {column['source']!r}; its columns are {', '.join(map(str, table.columns))}"
                )
        return {column["name"]: self._typed(table, column) for column in self.columns}

    def _typed(self, table, column):
        """Return one column; raises ``UserError`` for values that are not of its kind, or infinite."""
        raw = table[column["source"]]
        if column["kind"] == kinds.CATEGORICAL:
            # A text is looked at once, however many rows have it.
            codes, distinct = pd.factorize(raw, use_na_sentinel=False)
            words = as_array(kinds.typed(pd.Series(distinct, dtype=raw.dtype), kinds.CATEGORICAL), column)[:, 0]
            return Typed(words[codes], codes, words)
        if column["kind"] in kinds.ENCODED:
            return self._encoded(raw, column)
        values = kinds.raw_feature(table, column)
        infinite = np.isinf(values.to_numpy("float64"))
        lost = (values.isna() & raw.notna()).to_numpy() | infinite
        if lost.any():
            row = int(np.flatnonzero(lost)[0])
            form = f" of the form {column['format']}" if column.get("format") else ""
            what = "infinite" if infinite[row] else f"not a {column['kind']} value{form}"
            raise UserError(f"column {column['source']!r}, row {table.index[row] + 1}: {raw.iloc[row]!r} is {what}")
        return Typed(as_array(values, column)[:, 0])

    def _encoded(self, raw, column):
        """Return a column of texts or pictures; pictures that cannot be read and count as gaps are noted."""
        values = kinds.typed(raw, column["kind"], column)
        if column["kind"] == kinds.TEXT:
            return Typed(as_array(values, column)[:, 0])
        self.notes += filter(None, [pictures.damaged_note(raw, values)])
        return Typed(as_array(values, column))


def pieces(lengths, most=math.inf):
    """Yield slices of at most so many rows with texts of these lengths; a graph fills all texts up to the longest of a slice.

    The pixels of a picture are counted as characters; each makes about as much in the graph.
    """
    # Without texts there are many short rows, which are not looked at one by one.
    if not np.any(lengths):
        step = int(min(most, max(1, len(lengths))))
        yield from (slice(start, min(start + step, len(lengths))) for start in range(0, len(lengths), step))
        return
    start, longest = 0, 0
    for row, length in enumerate(lengths):
        longest = max(longest, length)
        if row > start and (longest * (row + 1 - start) > MOST_CHARACTERS_AT_ONCE or row - start >= most):
            yield slice(start, row)
            start, longest = row, length
    yield slice(start, len(lengths))


def session_of(content, options):
    """Return a session of a graph that cannot read other files: those that it refers to are looked up in an empty folder."""
    with tempfile.TemporaryDirectory() as empty:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", empty)
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def as_array(values, column):
    """Return a typed column as an input of the graph, shape (rows, 1): categories, one for gaps, plain texts, or float64.

    Pictures have the shape (rows, channels, height, width).
    """
    if column["kind"] == kinds.TEXT:
        return kinds.plain_texts(values)[:, None]
    if column["kind"] == kinds.IMAGE:
        return pictures.arrays(values, column)
    if column["kind"] == kinds.CATEGORICAL:
        return values.astype("object").fillna(kinds.GAP).to_numpy()[:, None]
    return values.to_numpy("float64")[:, None]


def predict_file(model, rows, out, check=False, sets=False, explain=False):
    """Predict a table in a file of any size into a CSV file, in the order of its rows.

    Rows that have no identifier are numbered. Values unlike those of the training rows are counted by column at the end and,
    with ``check``, in a column for each row. With ``sets`` each row's conformal set is written too, and with
    ``explain`` the effect of each column.
    """
    shipped, done = Shipped(model), 0
    if sets and shipped.sets is None:
        raise UserError(f"{model}: has no conformal sets, as an earlier version wrote it")
    if Path(out).resolve() in (Path(rows).resolve(), Path(model).resolve()):
        raise UserError(f"{out}: would be overwritten; choose another file to write to")
    beside, unusual, effects = Path(f"{out}.part"), Unusual(shipped), Effects(shipped) if explain else None
    try:
        with beside.open("wb") as target, written_behind(target) as write:
            for chunk in ahead(chunks(Path(rows), shipped.reading)):
                columns, kept = shipped.typed(shipped.located(chunk, Path(rows))), shipped.named(chunk)
                predicted, found = shipped.predict_typed(columns, chunk.index), unusual.counted(columns, chunk.index)
                asked = [shipped.sets.of(predicted, chunk)] if sets else []
                asked += [effects.of(columns, chunk.index)] if explain else []
                asked += [found.rename("unusual_values")] if check else []
                write(pd.concat([kept, predicted, *asked], axis=1))
                done += len(chunk)
                print(f"\r{done:,} rows predicted", end="", file=sys.stderr, flush=True)
        beside.replace(out)
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)
    print(file=sys.stderr)
    of_asked = [*(shipped.sets.sentences() if sets else []), *([effects.sentence()] if explain else [])]
    for said in [*decision_sentence(shipped), *of_asked, *unusual.sentences(), *shipped.notes]:
        print(said, file=sys.stderr)


def decision_sentence(shipped):
    """Return what tells ``decision`` from ``prediction``, for two classes."""
    if not shipped.classes or len(shipped.classes) != 2:
        return []
    share = shipped.factors[0] / sum(shipped.factors)
    positive = shipped.classes[1]
    return [
        f"prediction is the likelier class; decision is {positive!r} from a probability of {share:.3g} on, the tuned threshold"
    ]


class Unusual:
    """Counts of values that no training row had: numbers outside their range, and categories that are unknown."""

    def __init__(self, shipped):
        self.columns, self.counts, self.rows = shipped.columns, {}, 0

    def counted(self, columns, index):
        """Return how many unusual values each row of typed columns has, and add them to the counts by column; (rows,)."""
        per_row = pd.Series(0, index=index)
        for column in self.columns:
            found = columns[column["name"]]
            is_unusual = outside(found, column["seen"]) if column.get("seen") is not None else np.zeros(len(index), dtype=bool)
            if is_unusual.any():
                count, example = self.counts.get(column["name"], (0, found.values[is_unusual][0]))
                self.counts[column["name"]] = count + int(is_unusual.sum()), example
                per_row += is_unusual.astype(int)
        self.rows += len(index)
        return per_row

    def sentences(self):
        """Return a sentence on each column with unusual values."""
        described = {column["name"]: column for column in self.columns}
        return [sentence(described[name], count, example, self.rows) for name, (count, example) in self.counts.items()]


def outside(column, seen):
    """Return a mask of the values that no training row had, gaps left out; ``seen`` has categories, or the ends of a range."""
    if column.codes is None:
        return (column.values < seen[0]) | (column.values > seen[1])
    known = {*seen, kinds.GAP}
    return np.array([word not in known for word in column.distinct], dtype=bool)[column.codes]


def sentence(column, count, example, rows):
    """Return how many rows have an unusual value in a column, and one of these values."""
    if column["kind"] == kinds.CATEGORICAL:
        what = f"a category that no training row has, such as {example!r}"
    else:
        low, high = column["seen"]
        what = f"a value outside {low:g} to {high:g}, the range of the training rows, such as {example:g}"
    return f"column {column['name']!r}: {count:,} of {rows:,} rows have {what}"


def chunks(path, reading):
    """Yield the rows of a file in tables of at most 50,000 rows, read like the table that the model was made from.

    A folder has a file for each row.
    """
    if not path.exists():
        raise UserError(f"there is no file {str(path)!r}")
    start = 0
    with nullcontext() if path.is_dir() else path.open("rb") as content:
        tables = tables_of_folder(path, reading["encoding"]) if path.is_dir() else tables_in(content, path, dialect_of(reading))
        for chunk in tables:
            chunk = chunk.set_axis(range(start, start + len(chunk)))
            start += len(chunk)
            if len(chunk):
                yield cleaned(chunk, reading, str(path))
    if not start:
        raise UserError(f"{path}: the table has no rows")
