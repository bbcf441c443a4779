"""Prediction outside the workflow: a shipped file and a table in, a table with probabilities out.

Needs numpy, pandas, pyarrow and onnxruntime, and nothing of what the models were made with.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pyarrow.parquet as pq

from stillhouse import kinds
from stillhouse.errors import UserError

CHUNK = 50_000


class Shipped:
    """A shipped model and what its file says of itself."""

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            facts = self.session.get_modelmeta().custom_metadata_map
            self.columns, self.classes = json.loads(facts["columns"]), json.loads(facts["classes"])
            self.missing, self.identifiers = json.loads(facts["missing"]), json.loads(facts["identifiers"])
            self.missing_in = json.loads(facts["missing_in"])
        except Exception as error:  # onnxruntime raises types of its own, one for each way a file may be broken
            raise UserError(f"{path}: is not a whole Stillhouse model: {error}") from error

    def predict(self, table):
        """Return the predictions of raw rows: ``p_<class>`` and the likeliest class, or the value."""
        scores = self.session.run(None, self.inputs(table))[0]
        if self.classes is None:
            return pd.DataFrame({"prediction": scores[:, 0]}, index=table.index)
        result = pd.DataFrame(scores, columns=[f"p_{name}" for name in self.classes], index=table.index)
        return result.assign(prediction=np.array(self.classes, dtype=object)[scores.argmax(axis=1)])

    def inputs(self, table):
        """Return the graph's inputs, one array of shape (rows, 1) a column; raises ``UserError`` for a lacking one."""
        lacking = sorted({column["source"] for column in self.columns} - set(table.columns))
        if lacking:
            raise UserError(f"the table has no column {lacking[0]!r}; the model reads {len(self.columns)} columns")
        return {column["name"]: self.as_input(table, column) for column in self.columns}

    def as_input(self, table, column):
        """Return one column as the graph reads it; raises ``UserError`` for words in a column of numbers."""
        values, raw = kinds.raw_feature(table, column), table[column["source"]]
        if (lost := (values.isna() & raw.notna()).to_numpy()).any():
            row = int(np.flatnonzero(lost)[0])
            raise UserError(
                f"column {column['source']!r}, row {table.index[row]}: {raw.iloc[row]!r} is no {column['kind']} value"
            )
        return graph_input(values, column)


def graph_input(values, column):
    """Return a typed column as the graph reads it: text with a word for gaps, or float64; shape (rows, 1)."""
    if column["kind"] == kinds.CATEGORICAL:
        return values.astype("object").fillna(kinds.GAP).to_numpy()[:, None]
    return values.to_numpy("float64")[:, None]


def predict_file(model, rows, out):
    """Predict a table in a CSV, TSV or Parquet file of any size into a CSV file, in the order of its rows."""
    shipped, done = Shipped(model), 0
    beside = Path(f"{out}.part")
    try:
        with beside.open("w", newline="") as target:
            for chunk in chunks(Path(rows)):
                chunk = kinds.without_missing_words(chunk, shipped.missing, shipped.missing_in)
                kept = chunk[[name for name in shipped.identifiers if name in chunk]]
                result = pd.concat([kept, shipped.predict(chunk)], axis=1)
                result.to_csv(target, index=False, header=done == 0)
                done += len(chunk)
                print(f"\r{done:,} rows predicted", end="", file=sys.stderr, flush=True)
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
    print(file=sys.stderr)


def chunks(path):
    """Yield the rows of a file in tables of at most 50,000, words untyped; raises ``UserError`` where there are none."""
    if not path.is_file():
        raise UserError(f"there is no file {str(path)!r}")
    try:
        if path.suffix == ".parquet":
            for batch in pq.ParquetFile(path).iter_batches(CHUNK):
                yield batch.to_pandas()
            return
        separator = "\t" if ".tsv" in path.suffixes else ","
        options = {"dtype": str, "na_filter": False, "skipinitialspace": True}
        with pd.read_csv(path, sep=separator, chunksize=CHUNK, encoding="utf-8-sig", **options) as reader:
            yield from (chunk.rename(columns=str.strip) for chunk in reader)
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: cannot be read as a table: {error}") from error
