"""Reading and writing: tables that hold the rows of several splits, and JSON; never half a file."""

import json
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from stillhouse.columns import SPLIT
from stillhouse.splits import ALL


@contextmanager
def written_beside(path):
    """Yield a path to write to, which takes the place of ``path`` only when all went well."""
    beside = Path(f"{path}.part")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_table(table, path):
    """Write a table as Parquet."""
    with written_beside(path) as beside:
        table.to_parquet(beside, index=False)


def write_json(content, path):
    """Write JSON with sorted keys, so that equal content means equal bytes."""
    with written_beside(path) as beside:
        beside.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def write_csv(table, path):
    """Write a table as CSV."""
    with written_beside(path) as beside:
        table.to_csv(beside, index=False)


def read_json(path):
    """Return the content of a JSON file."""
    return json.loads(Path(path).read_text())


@contextmanager
def split_writer(path):
    """Yield ``write(split, table)``, which gathers tables of splits into one Parquet file, a row group each.

    Splits may differ in their columns, as a category may be absent from one's training rows: a column that a split
    does not have is null in all its rows, and ``read_split`` leaves it out again. A gap in a feature is NaN, not null.
    """
    tables = {}
    yield lambda split, table: tables.__setitem__(split, _arrow(split, table))
    schema = pa.unify_schemas([table.schema for table in tables.values()])
    with written_beside(path) as beside, pq.ParquetWriter(beside, schema) as writer:
        for table in tables.values():
            writer.write_table(_widened(table, schema), row_group_size=max(1, len(table)))


def _arrow(split, table):
    columns = {name: pa.array(table[name].to_numpy(), from_pandas=False) for name in table.columns}
    return pa.table({SPLIT: pa.array([split] * len(table), pa.string()), **columns})


def _widened(table, schema):
    columns = [table[field.name] if field.name in table.column_names else pa.nulls(len(table), field.type) for field in schema]
    return pa.table(columns, schema=schema)


def read_split(paths, split):
    """Return the rows of a split from the one file among ``paths`` that holds it."""
    table = pq.read_table(file_of(paths, split), filters=[(SPLIT, "==", split)])
    absent = [name for name in table.column_names if len(table) and table[name].null_count == len(table)]
    return table.drop_columns([SPLIT, *absent]).to_pandas()


def read_fitted(paths, split):
    """Return what was fitted for a split, from the one file among ``paths`` that holds it."""
    import joblib

    return joblib.load(file_of(paths, split))[split]


def write_fitted(fitted, path):
    """Write what was fitted for each split, as ``{split: object}``."""
    import joblib

    with written_beside(path) as beside:
        joblib.dump(fitted, beside, compress=1)


def file_of(paths, split):
    """Return the path among ``paths`` that holds a split: its own, or that of all splits."""
    paths = [paths] if isinstance(paths, (str, Path)) else list(paths)
    wanted = (f"split-{split}", f"split-{ALL}")
    return next(path for path in paths if any(name in Path(path).parts for name in wanted))


def rows_in(table, folds, column="fold"):
    """Return a mask of the rows that lie in one of the folds."""
    return table[column].isin(folds).to_numpy()


def read_columns(path, without=()):
    """Return a Parquet table less some columns, which are then not even read."""
    names = [name for name in pq.read_schema(path).names if name not in without]
    return pd.read_parquet(path, columns=names)
