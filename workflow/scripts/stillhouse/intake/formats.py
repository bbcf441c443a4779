"""Formats of tables: text, ARFF, JSON lines, workbooks, Parquet, Feather, databases and IDX, as tables of at most 50,000 rows.

Training and prediction read through this module, so that what one reads, the other reads in the same way. Needs numpy, pandas
and pyarrow, and openpyxl for workbooks.
"""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

from stillhouse.errors import UserError
from stillhouse.fields import is_idx, unique_names, usual_separator
from stillhouse.intake.arff import read_arff
from stillhouse.intake.arrow import check_types, pandas_of
from stillhouse.intake.databases import duckdb_in, sqlite_in
from stillhouse.intake.idx import idx_in
from stillhouse.intake.text import CHUNK, decoded, text_tables

DECOMPRESS = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": lambda content: pa.input_stream(content, compression="zstd"),
}


@dataclass(frozen=True)
class Dialect:
    """How a text table is written; the defaults are those of the configuration. A table may lack the column ``target``."""

    separator: str = ""
    encoding: str = "utf-8"
    columns: list | None = None
    sheet: str | None = None
    query: str | None = None
    target: str | None = None


def dialect_of(reading):
    """Return the dialect that a dataset, or the metadata of a shipped model, states."""
    stated = {key: reading.get(key) for key in ("columns", "sheet", "query", "target")}
    return Dialect(reading["separator"], reading["encoding"], **stated)


def tables_in(content, path, dialect, notes=None):
    """Yield the rows of a table as pandas tables, at most 50,000 at a time; text columns stay text.

    ``content`` is an open binary file, ``path`` tells its format by its suffixes. Raises ``UserError`` where it cannot be read.
    """
    path, notes = PurePosixPath(path), [] if notes is None else notes
    try:
        with decompressed(content, path) as (plain, inner):
            reader = idx_in if is_idx(inner.name) else READERS.get(inner.suffix.lower(), text_in)
            yield from reader(plain, inner, dialect, notes)
    except (OSError, EOFError, ValueError, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException) as error:
        raise UserError(f"{path}: is not a whole {path.suffix.lstrip('.')} file: {error}") from error


@contextmanager
def decompressed(content, path):
    """Yield an open file without its compression, and the path without the suffix of that."""
    suffix = path.suffix.lower()
    if suffix == ".zip":
        with zipfile.ZipFile(content) as archive:
            members = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX")]
            if len(members) != 1:
                raise UserError(f"{path}: holds {len(members)} files, and a table is one; unpack it, and name the files")
            # A Parquet file is read from its end, which a member of an archive does not allow.
            yield io.BytesIO(archive.read(members[0])), PurePosixPath(members[0])
    elif suffix in DECOMPRESS:
        inner = path.with_suffix("")
        plain = DECOMPRESS[suffix](content)
        yield (plain if inner.suffix.lower() not in BINARY else io.BytesIO(plain.read())), inner
    else:
        yield content, path


def text_in(content, path, dialect, notes):
    """Yield the rows of a text table as strings."""
    separator = dialect.separator or usual_separator(path.suffix)
    yield from text_tables(content, path, separator, dialect, notes)


def arff_in(content, path, dialect, notes):
    """Yield the rows of an ARFF table as one table."""
    table = read_arff("".join(decoded(content, path, dialect.encoding)), path)
    yield table.set_axis(unique_names(table.columns, path, notes), axis=1)


def json_lines_in(content, path, dialect, notes):
    """Yield the rows of JSON lines, an object on each line; a key that a line lacks is a gap."""
    rows, names = [], {}
    for number, line in enumerate(decoded(content, path, dialect.encoding), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UserError(f"{path}, line {number}: is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise UserError(f'{path}, line {number}: is no JSON object, such as {{"age": 51}}')
        if nested := [name for name, value in row.items() if isinstance(value, (dict, list))]:
            raise UserError(f"{path}, line {number}: {nested[0]!r} is a list or an object; give it a column for each value")
        names |= dict.fromkeys(row)
        rows.append(row)
    cells = [[row.get(name) for name in names] for row in rows]
    yield pd.DataFrame(cells, columns=unique_names(names, path, notes), dtype="object")


def workbook_in(content, path, dialect, notes):
    """Yield the rows of a sheet of a workbook, by default its only one; the first row that is not empty is the header."""
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise UserError(f"{path}: workbooks need the library openpyxl; install it, or save the table as CSV") from error
    try:
        book = load_workbook(io.BytesIO(content.read()), read_only=True, data_only=True)
    except (KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: is not a workbook: {error}") from error
    names = book.sheetnames
    if (dialect.sheet is None and len(names) > 1) or (dialect.sheet is not None and dialect.sheet not in names):
        raise UserError(f"{path}: name one of its sheets under `sheet`: {', '.join(map(repr, names))}")
    rows = list(book[dialect.sheet or names[0]].iter_rows(values_only=True))
    full = [place for place, row in enumerate(rows) if any(value is not None for value in row)]
    if not full:
        raise UserError(f"{path}: the file is empty")
    # Cells that were only formatted are empty rows at either end; those in between are rows of gaps.
    rows = rows[full[0] : full[-1] + 1]
    header = dialect.columns or ["" if value is None else value for value in rows[0]]
    rows = rows if dialect.columns else rows[1:]
    if wrong := [number for number, row in enumerate(rows, start=1) if len(row) != len(header)]:
        raise UserError(f"{path}, row {wrong[0]}: {len(rows[wrong[0] - 1])} cells where there are {len(header)} columns")
    yield pd.DataFrame(rows, columns=unique_names(header, path, notes), dtype="object")


def parquet_in(content, path, dialect, notes):
    """Yield the rows of a Parquet file."""
    file = pq.ParquetFile(content)
    check_types(file.schema_arrow, path)
    names = unique_names(file.schema_arrow.names, path, notes)
    yield from (pandas_of(pa.Table.from_batches([batch]), names) for batch in file.iter_batches(CHUNK))
    if not file.metadata.num_rows:
        yield pandas_of(file.schema_arrow.empty_table(), names)


def feather_in(content, path, dialect, notes):
    """Yield the rows of a Feather file."""
    table = pyarrow.feather.read_table(io.BytesIO(content.read()))
    check_types(table.schema, path)
    names = unique_names(table.column_names, path, notes)
    yield from (pandas_of(table.slice(start, CHUNK), names) for start in range(0, max(len(table), 1), CHUNK))


SQLITE = (".db", ".sqlite", ".sqlite3")
READERS = {
    ".arff": arff_in,
    ".jsonl": json_lines_in,
    ".ndjson": json_lines_in,
    ".xlsx": workbook_in,
    ".parquet": parquet_in,
    ".feather": feather_in,
    ".arrow": feather_in,
    **dict.fromkeys(SQLITE, sqlite_in),
    ".duckdb": duckdb_in,
}
# Formats that are read from any place, not from the start to the end.
BINARY = (".parquet", ".feather", ".arrow", ".xlsx", *SQLITE, ".duckdb")
