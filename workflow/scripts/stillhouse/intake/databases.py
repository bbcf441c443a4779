"""Tables in databases: the rows of a table or of a query, in an order that is stated, from SQLite and DuckDB files.

Databases are opened for reading alone. Needs the library duckdb for files of DuckDB.
"""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pyarrow as pa

from stillhouse.errors import UserError, nearest
from stillhouse.fields import unique_names
from stillhouse.intake.arrow import check_types, pandas_of
from stillhouse.intake.text import CHUNK

TABLES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
# What stands between parentheses, such as a window, orders no rows.
_INNER = re.compile(r"\([^()]*\)")
_WORD = re.compile(r"[\w.-]+")
_ORDERED = re.compile(r"\border\s+by\b", re.IGNORECASE)


def sqlite_in(content, path, dialect, notes):
    """Yield the rows of a table or query of a SQLite file as pandas tables."""
    source = f"{Path(file_name(content, path)).resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(source, uri=True)) as database:
            tables = [name for (name,) in database.execute(TABLES) if not name.startswith("sqlite_")]
            rows = database.execute(query_of(dialect.query, tables, path, notes))
            names = unique_names([name for name, *_ in rows.description], path, notes)
            while True:
                part = rows.fetchmany(CHUNK)
                check_cells(part, names, path)
                yield pd.DataFrame(part, columns=names, dtype="object")
                if len(part) < CHUNK:
                    return
    except sqlite3.Error as error:
        raise UserError(f"{path}: SQLite says: {error}{advice(error)}") from error


def duckdb_in(content, path, dialect, notes):
    """Yield the rows of a table or query of a DuckDB file as pandas tables."""
    try:
        import duckdb
    except ImportError as error:
        raise UserError(f"{path}: files of DuckDB need the library duckdb; install it, or save the table as Parquet") from error
    try:
        with closing(duckdb.connect(file_name(content, path), read_only=True)) as database:
            tables = [name for (name,) in database.execute("SELECT table_name FROM information_schema.tables").fetchall()]
            found = database.sql(query_of(dialect.query, tables, path, notes)).to_arrow_reader(CHUNK)
            check_types(found.schema, path)
            names = unique_names(found.schema.names, path, notes)
            yield pandas_of(found.schema.empty_table(), names)
            yield from (pandas_of(pa.Table.from_batches([batch]), names) for batch in found)
    except duckdb.Error as error:
        raise UserError(f"{path}: DuckDB says: {error}{advice(error)}") from error


def file_name(content, path):
    """Return the name of an open file; raises ``UserError`` for content that lies in no file."""
    if not isinstance(getattr(content, "name", None), str):
        raise UserError(f"{path}: a database is read from a file on this machine; download or unpack it, and name that file")
    return content.name


def query_of(query, tables, path, notes):
    """Return the query of the rows of a table, in the order of its row numbers, or a query that states an order itself."""
    query = query or (tables[0] if len(tables) == 1 else "")
    if not query:
        raise UserError(
            f"{path}: name one of its tables under `query`, or write a query: {', '.join(map(repr, sorted(tables)))}"
        )
    if query in tables:
        notes.append(f"The rows of {path.name} are those of its table {query!r}, in the order of their row numbers.")
        quoted = query.replace('"', '""')
        return f'SELECT * FROM "{quoted}" ORDER BY rowid'
    if _WORD.fullmatch(query):
        raise UserError(f"{path}: has no table {query!r}; {nearest(query, tables)}")
    outer = query
    while (shorter := _INNER.sub("", outer)) != outer:
        outer = shorter
    if not _ORDERED.search(outer):
        raise UserError(
            f"query: states no order, and a database may give its rows in another one each time; add ORDER BY, such as "
            f"ORDER BY {'id' if not tables else 'the key of ' + tables[0]}"
        )
    notes.append(f"The rows of {path.name} are those of a query, in the order that it states: {' '.join(query.split())}")
    return query


def advice(error):
    """Return the end of a message where a table has no row numbers to be ordered by."""
    return "; it has no row numbers, so write a query with ORDER BY" if "rowid" in str(error) else ""


def check_cells(rows, names, path):
    """Raise ``UserError`` for a column that holds bytes."""
    for row in rows:
        if name := next((name for name, value in zip(names, row, strict=True) if isinstance(value, bytes)), None):
            raise UserError(f"{path}: column {name!r} holds bytes, which are no cells; leave it out of the query")
