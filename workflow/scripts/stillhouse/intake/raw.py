"""Raw tables, read from wherever they are and put one below the other; what no later step can mend is refused."""

from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from stillhouse.columns import (
    DEPLOY,
    LATER,
    TRAIN,
    WITHOUT_LABEL,
)
from stillhouse.config.dataset import as_list, batch_files, places, shown, without_password
from stillhouse.errors import UserError, nearest
from stillhouse.intake import kinds
from stillhouse.intake.kinds import MOST_CLASSES
from stillhouse.intake.loaders import file, openml, sklearn, url

SLIPS = 0.05


# Names that no column of a raw table has.
RAW_PART, RAW_BATCH = "\0part", "\0batch"


def read_parts(dataset):
    """Return the raw rows of all tables of a dataset, one below the other."""
    parts = []
    for part, place in places(dataset):
        table = kinds.without_missing_words(loader(place).read(place, dataset), dataset["missing"], dataset["missing_in"])
        name = without_password(place)
        if table.empty:
            raise UserError(f"{name}: the table has no rows")
        if dataset.get("source") in table:
            raise UserError(f"source: {name} has a column {dataset['source']!r} already; choose another name")
        if "source" in dataset:
            table[dataset["source"]] = source_name(place, [earlier for _, earlier, _ in parts])
        check_values(table, name, dataset)
        parts.append((part, place, table))
    check_columns(parts, dataset)
    first, later = parts[0][2].columns, batch_files(dataset)
    whole = [
        table.reindex(columns=first).assign(**{RAW_PART: part, RAW_BATCH: later.index(place) + 1 if part == LATER else 0})
        for part, place, table in parts
    ]
    return with_deploy_rows(pd.concat(whole, ignore_index=True), dataset)


def source_name(place, earlier):
    """Return the name of a file, numbered where files that came earlier have the same."""
    name, *others = (PurePosixPath(shown(one)).name for one in (place, *earlier))
    return f"{name} {others.count(name) + 1}" if name in others else name


def with_deploy_rows(raw, dataset):
    """Return the raw rows, those of the train table that ``deploy_where`` names as deploy rows."""
    for column, wanted in dataset.get("deploy_where", {}).items():
        values = kinds.as_words(raw[column][raw[RAW_PART] == TRAIN])
        if unknown := [value for value in wanted if value not in set(values.dropna())]:
            raise UserError(
                f"deploy_where: column {column!r} has no value {unknown[0]!r}; {nearest(unknown[0], values.dropna().unique())}"
            )
        moved = values.index[values.isin(wanted)]
        raw = raw.assign(**{RAW_PART: raw[RAW_PART].mask(raw.index.isin(moved), DEPLOY)})
    return raw


def check_values(table, place, dataset):
    """Raise ``UserError`` for infinite values, and for stray words in a column of numbers."""
    for name in table.columns:
        numbers = kinds.as_numbers(table[name])
        if numbers.notna().sum() == table[name].notna().sum() and len(rows := np.flatnonzero(np.isinf(numbers))):
            raise UserError(f"{place}, row {rows[0] + 1}: column {name!r} is infinite; give the value, or leave it empty")
        stray = table[name].notna() & numbers.isna()
        if stray.any() and (commas := table[name][stray].astype("str").str.fullmatch(r"-?\d+,\d+")).mean() > 0.5:
            value = table[name][stray][commas].iloc[0]
            raise UserError(f"{place}: column {name!r} holds {value!r}: a decimal comma? Then set `decimal: ','`")
        if name not in (dataset["target"], *dataset["drop"], *dataset["kinds"]) and looks_numeric(numbers, stray):
            row = int(np.flatnonzero(stray)[0])
            raise UserError(
                f"{place}, row {row + 1}: column {name!r} holds {table[name].iloc[row]!r} among numbers; add it to `missing`, "
                f"or state the column's kind under `kinds`"
            )


def looks_numeric(numbers, stray):
    """Return whether a column has words that look like slips: few, among many different numbers."""
    known = numbers.notna().sum()
    return bool(stray.any()) and numbers.nunique() > MOST_CLASSES and stray.sum() <= SLIPS * (known + stray.sum())


def loader(place):
    """Return the module that reads tables from this kind of place."""
    known = {"sklearn:": sklearn, "openml:": openml, "http://": url, "https://": url}
    return next((module for prefix, module in known.items() if place.startswith(prefix)), file)


def check_columns(parts, dataset):
    """Raise ``UserError`` where tables differ in their columns, or lack one that the configuration names."""
    _, first, table = parts[0]
    named = {key: as_list(dataset[key]) for key in ("target", "group", "time") if isinstance(dataset.get(key), str)}
    for key, names in {**named, "deploy_where": list(dataset.get("deploy_where", []))}.items():
        if unknown := [name for name in names if name not in table]:
            raise UserError(
                f"{key}: {without_password(first)} has no column {unknown[0]!r}; {nearest(unknown[0], table.columns)}"
            )
    for part, place, other in parts[1:]:
        optional = {dataset["target"]} if part in WITHOUT_LABEL else set()
        if missing := sorted(set(table.columns) - set(other.columns) - optional):
            lacking = f"{without_password(place)}: has no column {missing[0]!r}, and {without_password(first)} has"
            raise UserError(f"{lacking}; {nearest(missing[0], other.columns)}")
