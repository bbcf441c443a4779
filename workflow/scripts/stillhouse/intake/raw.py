"""Raw tables: read from their locations, checked, and concatenated."""

from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from stillhouse.columns import (
    DEPLOY,
    LATER,
    TRAIN,
    WITHOUT_LABEL,
)
from stillhouse.config.dataset import FOLDER, as_list, batch_files, locations, partition_of, shown, without_password
from stillhouse.errors import UserError, nearest
from stillhouse.intake import folders, kinds, pictures
from stillhouse.intake.loaders import file, folder, openml, sklearn, url
from stillhouse.intake.notation import cleaned, comma_doubt, common_units, stray_words

# Stray words that a message shows.
MOST_SHOWN = 5

# Names that no column of a raw table can have.
RAW_PART, RAW_BATCH = "\0part", "\0batch"


def read_parts(dataset, notes):
    """Return the raw rows of all tables of a dataset, concatenated; what was done to read them is added to ``notes``."""
    parts = []
    for part, location in locations(dataset):
        name = without_password(location)
        table = with_located_pictures(loader(location).read(location, dataset, notes), location, dataset)
        table = cleaned(table.assign(**without_doubles(partition_of(location, dataset), table, name)), dataset, name)
        if table.empty:
            raise UserError(f"{name}: the table has no rows")
        if dataset.get("source") in table:
            raise UserError(f"source: {name} has a column {dataset['source']!r} already; choose another name")
        if "source" in dataset:
            table[dataset["source"]] = source_name(location, [earlier for _, earlier, _ in parts])
        check_values(table, name, dataset)
        parts.append((part, location, table))
    check_columns(parts, dataset)
    first, later = parts[0][2].columns, batch_files(dataset)
    whole = [
        table.reindex(columns=first).assign(**{RAW_PART: part, RAW_BATCH: later.index(location) + 1 if part == LATER else 0})
        for part, location, table in parts
    ]
    return with_deploy_rows(pd.concat(whole, ignore_index=True), dataset)


def with_kinds_of_folders(dataset):
    """Return a dataset with the kinds of the columns that folders with a file for each row have, where it states no others."""
    if not any(location.startswith(FOLDER) for _, location in locations(dataset)):
        return dataset
    return {**dataset, "kinds": {**folders.KINDS, **dataset["kinds"]}}


def with_located_pictures(table, location, dataset):
    """Return a table in a file with the paths of its pictures, which it has from its folder, as they are from here.

    Columns of another stated kind, keys and dropped columns stay as they are.
    """
    if loader(location) is not file:
        return table
    stated = [name for name, kind in dataset["kinds"].items() if kind == kinds.IMAGE]
    keys = (dataset["target"], dataset.get("group"), dataset.get("time"), *dataset["drop"], *dataset.get("deploy_where", []))
    guessed = [name for name in table if name not in dataset["kinds"] and name not in keys]
    return pictures.located(table, Path(location).parent, [name for name in stated if name in table], guessed)


def without_doubles(partition, table, location):
    """Return the columns of a partition; raises ``UserError`` where the file has one of them too, with other values."""
    for column, value in ((column, value) for column, value in partition.items() if column in table):
        stated = kinds.as_text(pd.Series([value] * len(table), index=table.index, dtype="str"))
        if not kinds.as_text(table[column]).equals(stated):
            raise UserError(f"{location}: its folder states {column}={value}, and its column {column!r} says otherwise")
    return partition


def source_name(location, earlier):
    """Return the name of a file, numbered where files that came earlier have the same."""
    name, *others = (PurePosixPath(shown(one)).name for one in (location, *earlier))
    return f"{name} {others.count(name) + 1}" if name in others else name


def with_deploy_rows(raw, dataset):
    """Return the raw rows, with the training rows that ``deploy_where`` names turned into deploy rows."""
    for column, wanted in dataset.get("deploy_where", {}).items():
        values, wanted = kinds.as_text(raw[column][raw[RAW_PART] == TRAIN]), list(map(kinds.written, wanted))
        if unknown := [value for value in wanted if value not in set(values.dropna())]:
            raise UserError(
                f"deploy_where: column {column!r} has no value {unknown[0]!r}; {nearest(unknown[0], values.dropna().unique())}"
            )
        moved = values.index[values.isin(wanted)]
        raw = raw.assign(**{RAW_PART: raw[RAW_PART].mask(raw.index.isin(moved), DEPLOY)})
    return raw


def check_values(table, location, dataset):
    """Raise ``UserError`` for infinite values, commas that may be read in two ways, and stray text in a column of numbers."""
    for name in table.columns:
        if pictures.are_contents(table[name]):
            continue
        check_finite(table[name], location)
        if name in (*dataset["drop"], *dataset["kinds"], *dataset["dates"]):
            continue
        if (doubt := comma_doubt(table[name])) and not common_units(table[name].dropna().astype("str")):
            raise UserError(f"{location}: column {name!r} {doubt}")
        if name != dataset["target"] and (words := stray_words(table[name])) is not None:
            shown = ", ".join(map(repr, words.unique()[:MOST_SHOWN]))
            raise UserError(
                f"{location}, row {words.index[0] + 1}: column {name!r} holds {shown} among numbers; name the words for a "
                f"missing value under `missing_in`, such as {{{name}: [{words.iloc[0]}]}}, or state its kind under `kinds`"
            )


def check_finite(column, location):
    """Raise ``UserError`` for an infinite value in a column of numbers."""
    numbers = kinds.as_numbers(column)
    if numbers.notna().sum() == column.notna().sum() and len(rows := np.flatnonzero(np.isinf(numbers))):
        row = column.index[rows[0]] + 1
        raise UserError(f"{location}, row {row}: column {column.name!r} is infinite; give the value, or leave it empty")


def loader(location):
    """Return the module that reads tables from this kind of location."""
    known = {"sklearn:": sklearn, "openml:": openml, "http://": url, "https://": url, FOLDER: folder}
    return next((module for prefix, module in known.items() if location.startswith(prefix)), file)


def check_columns(parts, dataset):
    """Raise ``UserError`` where tables differ in their columns, or lack one that the configuration names."""
    _, first, table = parts[0]
    named = {key: as_list(dataset[key]) for key in ("target", "group", "time") if isinstance(dataset.get(key), str)}
    for key, names in {**named, "deploy_where": list(dataset.get("deploy_where", []))}.items():
        if unknown := [name for name in names if name not in table]:
            raise UserError(
                f"{key}: {without_password(first)} has no column {unknown[0]!r}; {nearest(unknown[0], table.columns)}"
            )
    for part, location, other in parts[1:]:
        optional = {dataset["target"]} if part in WITHOUT_LABEL else set()
        if missing := sorted(set(table.columns) - set(other.columns) - optional):
            lacking = f"{without_password(location)}: has no column {missing[0]!r}, and {without_password(first)} has"
            raise UserError(f"{lacking}; {nearest(missing[0], other.columns)}")
