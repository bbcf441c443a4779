"""Prediction outside the workflow: from a shipped file and a table to a table of predictions.

Needs numpy, pandas, pyarrow and onnxruntime, and none of the libraries that models are fitted with.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stillhouse.columns import DECISION, PREDICTION, graph_input, probability
from stillhouse.errors import UserError
from stillhouse.intake import kinds

CHUNK = 50_000


class Shipped:
    """A shipped model and the metadata of its file; by default it computes on all cores."""

    def __init__(self, path, threads=0):
        if not Path(path).is_file():
            raise UserError(f"there is no file {str(path)!r}")
        self.path = path
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = threads
        try:
            self.session = session_of(Path(path).read_bytes(), options)
            facts = self.session.get_modelmeta().custom_metadata_map
            self.columns, self.classes = json.loads(facts["columns"]), json.loads(facts["classes"])
            self.reading, self.identifiers = json.loads(facts["reading"]), json.loads(facts["identifiers"])
            self.factors = json.loads(facts["factors"])
            # Predicting a row of gaps shows whether the graph and the metadata fit together.
            self.predict(pd.DataFrame({column["source"]: [None] for column in self.columns}))
        except Exception as error:  # onnxruntime raises its own types, one for each way in which a file may be broken
            raise UserError(f"{path}: is not a complete Stillhouse model: {error}") from error

    def predict(self, table):
        """Return predictions of raw rows: ``p_<class>``, the most likely class, and the class decided for; or the value."""
        scores = self.scores(table)
        if self.classes is None:
            return pd.DataFrame({PREDICTION: scores[:, 0]}, index=table.index)
        result = pd.DataFrame(scores, columns=list(map(probability, self.classes)), index=table.index)
        names = np.array(self.classes, dtype=object)
        decided = (scores * self.factors).argmax(axis=1)
        return result.assign(**{PREDICTION: names[scores.argmax(axis=1)], DECISION: names[decided]})

    def scores(self, table):
        """Return the graph's output of raw rows, shape (rows, outputs); raises ``UserError`` where it fails."""
        inputs = self.inputs(table)
        try:
            return self.session.run(None, inputs)[0]
        except Exception as error:  # see Shipped.__init__
            raise UserError(f"{self.path}: prediction failed: {error}") from error

    def inputs(self, table):
        """Return the graph's inputs, an array (rows, 1) for each column; raises ``UserError`` for a missing column."""
        for column in self.columns:
            if column["source"] not in table:
                raise UserError(
                    f"the table has no column {column['source']!r}; its columns are {', '.join(map(str, table.columns))}"
                )
        return {graph_input(column["name"]): self.as_input(table, column) for column in self.columns}

    def as_input(self, table, column):
        """Return one column as an input of the graph; raises ``UserError`` for text in a column of numbers."""
        values, raw = kinds.raw_feature(table, column), table[column["source"]]
        if (lost := (values.isna() & raw.notna()).to_numpy()).any():
            row = int(np.flatnonzero(lost)[0])
            raise UserError(
                f"column {column['source']!r}, row {table.index[row] + 1}: {raw.iloc[row]!r} is not a {column['kind']} value"
            )
        return as_array(values, column)


def session_of(content, options):
    """Return a session of a graph that cannot read other files: those that it refers to are looked up in an empty folder."""
    with tempfile.TemporaryDirectory() as empty:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", empty)
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def as_array(values, column):
    """Return a typed column as an input of the graph: text, with a category for gaps, or float64; shape (rows, 1)."""
    if column["kind"] == kinds.CATEGORICAL:
        return values.astype("object").fillna(kinds.GAP).to_numpy()[:, None]
    return values.to_numpy("float64")[:, None]


def predict_file(model, rows, out):
    """Predict a table in a file of any size into a CSV file, in the order of its rows."""
    shipped, done = Shipped(model), 0
    if Path(out).resolve() in (Path(rows).resolve(), Path(model).resolve()):
        raise UserError(f"{out}: would be overwritten; choose another file to write to")
    beside = Path(f"{out}.part")
    try:
        with beside.open("w", newline="") as target:
            for chunk in chunks(Path(rows), shipped.reading):
                kept = chunk[[name for name in shipped.identifiers if name in chunk]]
                pd.concat([kept, shipped.predict(chunk)], axis=1).to_csv(target, index=False, header=done == 0)
                done += len(chunk)
                print(f"\r{done:,} rows predicted", end="", file=sys.stderr, flush=True)
        beside.replace(out)
    except OSError as error:
        raise UserError(f"{out}: cannot be written: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)
    print(file=sys.stderr)


def chunks(path, reading):
    """Yield the rows of a file in tables of at most 50,000 rows, read like the table that the model was made from."""
    if not path.is_file():
        raise UserError(f"there is no file {str(path)!r}")
    start = 0
    try:
        for chunk in raw_chunks(path, reading):
            chunk = chunk.rename(columns=str.strip).set_axis(range(start, start + len(chunk)))
            start += len(chunk)
            yield kinds.without_missing_values(chunk, reading["missing"], reading["missing_in"])
    except (ValueError, OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: cannot be read as a table: {error}") from error
    if not start:
        raise UserError(f"{path}: the table has no rows")


def raw_chunks(path, reading):
    """Yield tables of untyped rows. A text table may lack a header line if the training table did."""
    if path.suffix == ".parquet":
        yield from (batch.to_pandas() for batch in pq.ParquetFile(path).iter_batches(CHUNK))
        return
    if path.suffix in (".feather", ".arrow"):
        yield pd.read_feather(path)
        return
    names, separator = reading["columns"], reading["separator"] or ("\t" if ".tsv" in path.suffixes else ",")
    options = {"sep": separator, "encoding": reading["encoding"], "dtype": str, "skipinitialspace": True, "index_col": False}
    if names and not set(pd.read_csv(path, nrows=0, **options).columns.str.strip()) & set(names):
        options |= {"header": None, "names": names}
    with pd.read_csv(path, chunksize=CHUNK, na_filter=False, **options) as reader:
        yield from (kinds.with_points(chunk) if reading["decimal"] == "," else chunk for chunk in reader)
