"""Reading and writing files: tables, tables of several splits, JSON. A file is complete or absent, never half-written."""

import errno
import glob
import json
import os
import pickle
import shutil
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from stillhouse import claims
from stillhouse.checksums import verify_checksum, write_checksum
from stillhouse.columns import ROW, SPLIT
from stillhouse.errors import UserError
from stillhouse.methods import import_packages
from stillhouse.splits import ALL, first_of, plain_split

# Errors that are the user's to solve: a full disk or quota, a folder without permission to write.
UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
# What reading a damaged file raises: the first two from Parquet, JSON and CSV, the last from compressed content.
DAMAGED = (ValueError, OSError, zlib.error)


@contextmanager
def written_beside(path):
    """Yield a path to write a file or a folder to; it replaces ``path`` only when all went well.

    Partial files of killed jobs are removed. Raises ``UserError`` where nothing can be written, and where this process no
    longer has the claim to the job (see ``claims.py``).
    """
    path = Path(path)
    check_claim(path)
    for left in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        remove(left)
    beside = path.with_name(f"{path.name}.{claims.own.token}.part")
    try:
        yield beside
        check_claim(path)
        if beside.is_dir():
            remove(path)
        beside.replace(path)
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        raise UserError(f"{path}: cannot be written: {os.strerror(error.errno)}") from error
    finally:
        remove(beside)


def check_claim(path):
    """Raise ``UserError`` where another process has claimed this job since."""
    if not claims.own.holds():
        raise UserError(f"{path}: is not written, as the same job has been started again since and writes it")


def remove(path):
    """Remove a file or a folder, if it is there."""
    path = Path(path)
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def read_whole(path):
    """Raise ``UserError`` where reading shows that a file which the workflow wrote is damaged."""
    try:
        yield
    except DAMAGED as error:
        # An error with a number comes from the system, such as a missing file, and not from the content.
        if getattr(error, "errno", None):
            raise
        again = "remove it, and the same command makes it anew"
        raise UserError(f"{path}: is damaged ({type(error).__name__}); {again}") from error


def write_table(table, path):
    """Write a table as Parquet with a checksum."""
    with written_beside(path) as beside:
        table.to_parquet(beside, index=False)
        write_checksum(beside)


def read_table(path, columns=None):
    """Return a table that the workflow wrote, or some of its columns; raises ``UserError`` where it is damaged."""
    with read_whole(path):
        verify_checksum(path)
        return pd.read_parquet(path, columns=columns)


def write_json(content, path):
    """Write JSON with sorted keys, so that equal content means equal bytes."""
    with written_beside(path) as beside:
        beside.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def write_csv(table, path):
    """Write a table as CSV."""
    with written_beside(path) as beside:
        table.to_csv(beside, index=False)


def read_csv(path, **options):
    """Return a CSV that the workflow wrote; raises ``UserError`` where it is damaged."""
    with read_whole(path):
        return pd.read_csv(path, **options)


def read_json(path):
    """Return the content of a JSON file."""
    with read_whole(path):
        return json.loads(Path(path).read_text())


@contextmanager
def split_writer(path):
    """Yield ``write(split, table)``, which collects the tables of splits into one Parquet file, a row group for each.

    Splits may differ in their columns, as a category may be absent from the training rows of one. A column that a split does
    not have is null in all its rows, and ``read_split`` drops it again; a gap in a feature is NaN, not null. Until all are
    known, they lie in a folder beside the file, so that one at a time is in memory.
    """
    with written_beside(path) as beside:
        folder, parts = beside.with_name(f"{beside.name}.part"), []
        folder.mkdir(parents=True)

        def write(split, table):
            parts.append(folder / f"{len(parts)}.arrow")
            feather.write_feather(_arrow(split, table), parts[-1], compression="uncompressed")

        try:
            yield write
            schema = pa.unify_schemas([pa.ipc.open_file(part).schema for part in parts])
            with pq.ParquetWriter(beside, schema) as writer:
                for part in parts:
                    table = feather.read_table(part)
                    writer.write_table(_widened(table, schema), row_group_size=max(1, len(table)))
        finally:
            remove(folder)
        write_checksum(beside)


def _arrow(split, table):
    columns = {name: pa.array(table[name].to_numpy(), from_pandas=False) for name in table.columns}
    return pa.table({SPLIT: pa.array([split] * len(table), pa.string()), **columns})


def _widened(table, schema):
    columns = [table[field.name] if field.name in table.column_names else pa.nulls(len(table), field.type) for field in schema]
    return pa.table(columns, schema=schema)


def read_split(paths, split):
    """Return the rows of a split from that file among ``paths`` which holds it."""
    path = file_of(paths, split)
    with read_whole(path):
        verify_checksum(path)
        with pq.ParquetFile(path, memory_map=True) as file:
            table = file.read_row_groups(row_groups_of(file, split)).combine_chunks()
    absent = [name for name in table.column_names if len(table) and table[name].null_count == len(table)]
    # Columns are handed over without a copy, as a table of features may be the largest thing in memory.
    table = table.drop_columns([SPLIT, *absent])
    return table.to_pandas(split_blocks=True, self_destruct=True)


def row_groups_of(file, split):
    """Return the positions of the row groups of a split in an open file of several splits."""
    groups = [file.metadata.row_group(position) for position in range(file.num_row_groups)]
    column = file.schema_arrow.get_field_index(SPLIT)
    return [place for place, group in enumerate(groups) if group.num_rows and group.column(column).statistics.min == split]


def read_first(paths, split):
    """Return what a split predicts of rows without labels by the model before it was fitted again; all rows if it was not."""
    first = read_split(paths, first_of(split))
    return first if len(first) else read_split(paths, split)


def read_fitted(paths, split):
    """Return the fitted object of a split from that file among ``paths`` which holds it."""
    path = file_of(paths, split)
    with read_whole(path):
        # Unpickling stops before the checksum at the end of a compressed file, so all of it is decompressed first.
        content = zlib.decompress(Path(path).read_bytes())
        import_packages()
        return pickle.loads(pickle.loads(content)[split])


def write_fitted(fitted, path):
    """Write the fitted objects of splits; ``fitted`` is ``{split: object}``.

    Each is pickled by itself, so that a job which needs one of many does not build the others.
    """
    with written_beside(path) as beside:
        beside.write_bytes(pickled({split: pickle.dumps(found) for split, found in fitted.items()}))


def pickled(content):
    """Return an object in bytes, compressed."""
    return zlib.compress(pickle.dumps(content), 1)


def file_of(paths, split):
    """Return the path that holds a split: that of the split alone, or that of all splits."""
    paths = [paths] if isinstance(paths, (str, Path)) else list(paths)
    wanted = (f"split-{plain_split(split)}", f"split-{ALL}")
    return next(path for path in paths if any(name in Path(path).parts for name in wanted))


def positions_of(numbers, table):
    """Return where rows stand in a table, by their numbers, and -1 for numbers below 0; raises ``ValueError`` otherwise."""
    positions = pd.Index(table[ROW]).get_indexer(numbers)
    if (unknown := (positions < 0) & (np.asarray(numbers) >= 0)).any():
        raise ValueError(f"row {np.asarray(numbers)[unknown][0]} is not in the table")
    return positions


def rows_in(table, folds, column="fold"):
    """Return a mask of the rows that are in one of the folds; shape (rows,)."""
    return table[column].isin(folds).to_numpy()


def read_columns(path, without=()):
    """Return a Parquet table without some columns, which are not read at all."""
    with read_whole(path):
        verify_checksum(path)
        names = [name for name in pq.read_schema(path).names if name not in without]
    return read_table(path, columns=names)
