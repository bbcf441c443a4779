"""Checks of a dataset's tables: files that are there and have the columns that are named."""

import bz2
import gzip
import lzma
from difflib import get_close_matches
from pathlib import Path

from stillhouse.columns import LABELLED, WITHOUT_LABEL
from stillhouse.config.checks.locations import check_location
from stillhouse.config.completion import ConfigError
from stillhouse.config.dataset import FOLDER, as_list, embargo_of, files_at, is_left_out, is_remote, locations, partition_of
from stillhouse.errors import UserError, nearest
from stillhouse.fields import UTF_16, Fields, is_idx, usual_separator

DATABASES = (".db", ".sqlite", ".sqlite3", ".duckdb")
# Formats whose header is no line of text.
OTHER_FORMATS = (".parquet", ".feather", ".arrow", ".arff", ".zst", ".zip", ".xlsx", ".jsonl", ".ndjson", *DATABASES)
TABLES = (".csv", ".tsv", ".tab", ".txt", ".data", *OTHER_FORMATS)


def check_dataset(name, dataset):
    """Raise ``ConfigError`` for a table that is missing, or that lacks a column which the dataset names."""
    where = f"datasets.{name}"
    if "embargo" in dataset:
        _check_embargo(where, dataset)
    if dataset["target"] in dataset.get("deploy_where", []):
        raise ConfigError(f"{where}.deploy_where: {dataset['target']!r} is the target; name a column such as a site or a year")
    if dataset["target"] in dataset["drop"]:
        raise ConfigError(
            f"{where}.drop: {dataset['target']!r} is the target, which no model sees anyway; leave it out of the list"
        )
    if "test" in dataset and (dataset.get("time") or dataset.get("group")):
        raise ConfigError(f"{where}.test: a given test table cannot be combined with `time` or `group`; leave one of them out")
    if "batches" in dataset and "challenge" in dataset:
        raise ConfigError(
            f"{where}.batches: cannot be combined with `challenge`, which would damage these rows; leave one of them out"
        )
    if isinstance(dataset.get("batches"), dict) and dataset.get("group"):
        raise ConfigError(f"{where}.batches: a share may divide a group; name files of batches, or leave `group` out")
    for part, stated in ((part, as_list(dataset.get(part, []))) for part in (*LABELLED, *WITHOUT_LABEL)):
        for folder in (location for location in stated if not is_remote(location) and Path(location).is_dir()):
            check_folder(f"{where}.{part}", folder)
        if empty := [location for location in stated if not files_at(location)]:
            raise ConfigError(f"{where}.{part}: the folder {empty[0]!r} has no file in it; name a table, or a folder of tables")
    headers = {}
    for part, location in locations(dataset):
        check_location(f"{where}.{part}", location)
        if location.startswith(FOLDER):
            check_file_folder(f"{where}.{part}", Path(location.removeprefix(FOLDER)), needs_classes=part not in WITHOUT_LABEL)
        elif not is_remote(location):
            headers[part, location] = _check_file(
                f"{where}.{part}", Path(location), dataset, needs_target=part not in WITHOUT_LABEL
            )
    _check_same_columns(where, {key: columns for key, columns in headers.items() if columns}, dataset["target"])


def check_folder(where, folder):
    """Raise ``ConfigError`` for what lies in a folder of tables and is neither a table by its name nor a partition."""
    inner = (path for path in sorted(Path(folder).iterdir()) if path.is_dir() and not is_left_out(path))
    if other := [path.name for path in inner if "=" not in path.name]:
        what = f"the folder {folder!r} holds the folder {other[0]!r}"
        advice = f"name the tables, or write folder:{folder} where each row is a file"
        raise ConfigError(f"{where}: {what}, which is no partition such as site=VA; {advice}")
    if other := [file for file in files_at(folder) if not set(Path(file.lower()).suffixes[-2:]) & set(TABLES)]:
        raise ConfigError(f"{where}: the folder {folder!r} holds {Path(other[0]).name!r}, which is no table; name the files")


def check_file_folder(where, folder, needs_classes):
    """Raise ``ConfigError`` for a folder with a file for each row that is not there, or lacks folders of classes."""
    if not folder.is_dir():
        raise ConfigError(f"{where}: there is no folder {str(folder)!r}")
    if needs_classes and not any(path.is_dir() and not is_left_out(path) for path in folder.iterdir()):
        raise ConfigError(f"{where}: {str(folder)!r} has no folders in it; put the files of a class into a folder of its name")


def _check_same_columns(where, headers, target):
    if not headers:
        return
    (_, first), wanted = next(iter(headers.items()))
    for (part, location), columns in headers.items():
        for name in wanted:
            if name not in columns and not (part in WITHOUT_LABEL and name == target):
                raise ConfigError(
                    f"{where}.{part}: {location} has no column {name!r}, and {first} has; {nearest(name, columns)}"
                )


def _check_embargo(where, dataset):
    if not dataset.get("time"):
        raise ConfigError(f"{where}.embargo: is a distance in time, and the dataset has no `time`; state that, or leave it out")
    if embargo_of(dataset) is None:
        stated = dataset["embargo"]
        raise ConfigError(f"{where}.embargo: {stated!r} is no duration; write it as 7 days, 36 hours or 90 minutes, say")
    if dataset["time"] is True and isinstance(dataset["embargo"], str):
        raise ConfigError(f"{where}.embargo: the rows are in the order of the file; state a number of rows")


def _check_file(where, path, dataset, needs_target):
    if not path.is_file():
        beside = [str(other) for other in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = f"; {nearest(path, beside)}" if get_close_matches(str(path), beside, cutoff=0.5) else ""
        raise ConfigError(f"{where}: there is no file {str(path)!r}{hint}")
    try:
        columns = dataset.get("columns") or header(path, dataset)
    except UserError as error:
        raise ConfigError(f"{where}: {error}") from error
    if columns is None:
        return None
    if len(columns) == 1 and (separators := [mark for mark in ";\t|" if mark in columns[0]]):
        raise ConfigError(f"{where}: {str(path)!r} has one column, {columns[0]!r}; set `separator: {separators[0]!r}`")
    columns = [*columns, *partition_of(str(path), dataset)]
    known = [*columns, *([dataset["source"]] if "source" in dataset else [])]
    named = {key: as_list(dataset[key]) for key in ("target", "group", "time", "sets_by") if isinstance(dataset.get(key), str)}
    named |= {key: list(dataset.get(key, [])) for key in ("drop", "kinds", "dates", "missing_in", "deploy_where", "slices")}
    for key, names in named.items():
        for name in names:
            if name not in known and (needs_target or name != dataset["target"]):
                where_key = f"{where.rsplit('.', 1)[0]}.{key}"
                raise ConfigError(f"{where_key}: {path} has no column {name!r}; {nearest(name, known)}")
    return columns


def header(path, dataset):
    """Return the names of the columns of a text table, or None for formats that only intake reads."""
    opener = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(path.suffix.lower(), open)
    suffix = (path.with_suffix("").suffix if opener is not open else path.suffix).lower()
    if suffix in OTHER_FORMATS or is_idx(path.name):
        return None
    separator = dataset["separator"] or usual_separator(suffix)
    try:
        with opener(path, "rb") as content:
            encoding = "utf-16" if content.read(2) in UTF_16 else dataset["encoding"]
        with opener(path, "rt", encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as lines:
            return Fields(lines, path, separator).names
    except LookupError as error:
        raise ConfigError(f"{path}: there is no encoding {dataset['encoding']!r}; take utf-8 or latin-1, say") from error
    except UnicodeDecodeError as error:
        advice = "save it as UTF-8, or name its encoding under `encoding`"
        raise ConfigError(f"{path}: is not in {dataset['encoding']}; {advice}") from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
