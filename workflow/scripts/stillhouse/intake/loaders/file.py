"""Tables in files, in every format of ``formats.py``."""

import io
from pathlib import Path

import pandas as pd

from stillhouse.errors import UserError
from stillhouse.intake.formats import dialect_of, tables_in


def read(location, dataset, notes):
    """Return the table in a file; text columns stay text. Raises ``UserError`` where it cannot be read."""
    try:
        with Path(location).open("rb") as content:
            return whole_table(content, location, dataset, notes)
    except OSError as error:
        raise UserError(f"{location}: cannot be read: {error.strerror or error}") from error


def read_bytes(content, path, dataset, notes):
    """Return the table in the content of a file; ``path`` tells its format by its suffixes."""
    return whole_table(io.BytesIO(content), path, dataset, notes)


def whole_table(content, path, dataset, notes):
    """Return all rows of an open file as one table."""
    return pd.concat(tables_in(content, path, dialect_of(dataset), notes), ignore_index=True)
