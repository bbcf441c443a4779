"""Tables in files: CSV, TSV, ARFF, Parquet and Feather, also compressed."""

import bz2
import csv
import gzip
import io
import lzma
from pathlib import Path

import pandas as pd
import pyarrow as pa

from stillhouse.errors import UserError
from stillhouse.intake.kinds import with_points
from stillhouse.intake.loaders.arff import read_arff

DECOMPRESS = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": lambda content: pa.CompressedInputStream(pa.BufferReader(content), "zstd").read(),
}


def read(location, dataset):
    """Return the table in a file; text columns stay text. Raises ``UserError`` where it cannot be read."""
    try:
        return read_bytes(Path(location).read_bytes(), Path(location), dataset)
    except OSError as error:
        raise UserError(f"{location}: cannot be read: {error.strerror or error}") from error


def read_bytes(content, path, dataset):
    """Return the table in the content of a file; ``path`` tells its format by its suffixes."""
    try:
        if path.suffix in DECOMPRESS:
            content, path = DECOMPRESS[path.suffix](content), path.with_suffix("")
        if path.suffix == ".parquet":
            return pd.read_parquet(io.BytesIO(content))
        if path.suffix in (".feather", ".arrow"):
            return pd.read_feather(io.BytesIO(content))
        text = decoded(content, path, dataset["encoding"])
    except (OSError, EOFError, ValueError, lzma.LZMAError, pa.ArrowException) as error:
        raise UserError(f"{path}: is not a whole {path.suffix.lstrip('.')} file: {error}") from error
    return read_arff(text, path) if path.suffix == ".arff" else read_text(text, path, dataset)


def decoded(content, path, encoding):
    """Return the text of a file; raises ``UserError`` that names the line which is not in the encoding."""
    try:
        return content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UserError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not {encoding}; save the table as UTF-8, or name its "
            "encoding under `encoding`"
        ) from error


def read_text(text, path, dataset):
    """Return a table of strings; raises ``UserError`` for lines with another number of fields than the first."""
    separator = dataset["separator"] or ("\t" if path.suffix in (".tsv", ".tab") else ",")
    names = dataset.get("columns")
    check_lines(text, path, separator, names)
    options = {"sep": separator, "header": None if names else 0, "names": names, "index_col": False}
    as_strings = {"dtype": str, "na_filter": False, "skipinitialspace": True}
    table = pd.read_csv(io.StringIO(text), **options, **as_strings).rename(columns=str.strip)
    return with_points(table) if dataset["decimal"] == "," else table


def check_lines(text, path, separator, names):
    """Raise ``UserError`` for an empty table, a name given twice, or a line with too many or too few fields."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    first = [name.strip() for name in names or next(lines, [])]
    if not first:
        raise UserError(f"{path}: the file is empty")
    if twice := sorted({name for name in first if first.count(name) > 1}):
        raise UserError(f"{path}, line 1: two columns are called {twice[0]!r}; give each a name of its own")
    for fields in lines:
        if fields and len(fields) != len(first):
            wanted = f"{'`columns` has' if names else 'the header has'} {len(first)}"
            raise UserError(
                f"{path}, line {lines.line_num}: {len(fields)} fields where {wanted}; is the separator {separator!r}?"
            )
