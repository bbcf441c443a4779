"""Tables in files: CSV, TSV and Parquet, also compressed."""

from pathlib import Path

import pandas as pd

from stillhouse.errors import UserError

COMPRESSED = (".gz", ".bz2", ".xz", ".zst")


def read(place, dataset):
    """Return the table in a file; text columns stay text. Raises ``UserError`` where it cannot be read."""
    return read_stream(place, Path(place), dataset)


def read_stream(source, path, dataset):
    """Return the table in a path or stream; ``path`` tells its format by its suffixes."""
    suffix = path.with_suffix("").suffix if path.suffix in COMPRESSED else path.suffix
    try:
        if suffix == ".parquet":
            return pd.read_parquet(source)
        if suffix in (".feather", ".arrow"):
            return pd.read_feather(source)
        return _read_text(source, path, suffix, dataset)
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: byte {error.start} is not UTF-8; save the table as UTF-8") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, OSError, EOFError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as a table: {error}") from error


def _read_text(source, path, suffix, dataset):
    compression = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd"}.get(path.suffix)
    names = dataset.get("columns")
    table = pd.read_csv(
        source,
        sep=dataset["separator"] or ("\t" if suffix in (".tsv", ".tab") else ","),
        header=None if names else 0,
        names=names,
        index_col=False,
        dtype=str,
        keep_default_na=False,
        na_values=dataset["missing"],
        skipinitialspace=True,
        encoding="utf-8-sig",
        compression=compression,
    )
    return table.rename(columns=str.strip)
