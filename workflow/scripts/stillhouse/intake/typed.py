"""Typed columns: the features, the keys that rows are divided by (group, time, batch), and a description of each."""

import numpy as np
import pandas as pd

from stillhouse.columns import (
    BATCH,
    GROUP,
    RESERVED,
    TIME,
    WITHOUT_LABEL,
)
from stillhouse.errors import UserError
from stillhouse.intake import kinds, pictures
from stillhouse.intake.notation import described
from stillhouse.intake.raw import RAW_BATCH, RAW_PART

WHY_OUT = {
    kinds.CONSTANT: "it has one value only",
    kinds.IDENTIFIER: "its values seem to identify rows; state its kind under `kinds` if they do not",
}


def why_out(values, kind):
    """Return why a column is left out; an empty text for one that is not, or that the configuration drops."""
    known = values.dropna()
    shared = int(known.duplicated(keep=False).sum())
    if kind == kinds.IDENTIFIER and shared:
        return (
            f"most of its values are in one row only, but {shared:,} rows share one; if rows with one value belong together, "
            "name it under `group`, or else state its kind under `kinds`"
        )
    return WHY_OUT.get(kind, "")


def keys(raw, dataset):
    """Return the keys that rows are divided by: group, time and batch, as far as the dataset has them."""
    columns = {}
    if group := dataset.get("group"):
        if len(rows := np.flatnonzero(raw[group].isna() & ~raw[RAW_PART].isin(WITHOUT_LABEL))):
            raise UserError(f"group: column {group!r} has no value in row {rows[0] + 1}; give every row a group")
        columns[GROUP] = kinds.as_text(raw[group])
    if time := dataset.get("time"):
        columns[TIME] = np.arange(len(raw), dtype="float64") if time is True else as_time(raw[time], dataset)
    if "batches" in dataset:
        columns[BATCH] = raw[RAW_BATCH]
    return pd.DataFrame(columns, index=raw.index)


def as_time(column, dataset):
    """Return a column of numbers as it is, or of dates as seconds; float64."""
    name, facts = column.name, described(column, dataset)[0]
    kind = kinds.DATETIME if facts["kind"] == kinds.DATETIME else kinds.NUMERIC
    values = kinds.typed(column, kind, facts)
    if values.isna().any():
        row = int(np.flatnonzero(values.isna())[0])
        raise UserError(
            f"time: column {name!r} is neither a number nor a date in row {row + 1}; state the form of dates under `dates`"
        )
    are_dates = kind == kinds.DATETIME
    if "embargo" in dataset and isinstance(dataset["embargo"], str) != are_dates:
        held, wanted = ("dates", "a duration, such as 7 days") if are_dates else ("numbers", "a number in its unit")
        raise UserError(f"embargo: column {name!r} holds {held}; state {wanted}, and not {dataset['embargo']!r}")
    return values.astype("datetime64[us, UTC]").astype("int64") / 1e6 if are_dates else values


def typed_features(raw, dataset):
    """Return the typed features, a description of every column but the target, and notes on how they are read.

    Keys and dropped columns are set aside: no model sees them, and slices can be made by them.
    """
    keys_and_dropped = (dataset.get("group"), dataset.get("time"), *dataset["drop"], *dataset.get("deploy_where", []))
    aside = [name for name in raw.columns if name in keys_and_dropped and name != dataset["target"]]
    others = [name for name in raw.columns if name not in (dataset["target"], RAW_PART, RAW_BATCH, *aside)]
    columns, notes = [], []
    for position, name in enumerate(others):
        facts, note = described(raw[name], dataset)
        if name == dataset.get("source") and name not in dataset["kinds"]:
            # The file that a row comes from tells training from deploy rows perfectly, and future rows have none.
            facts, note = {"kind": kinds.IDENTIFIER}, None
        check_kind(raw[name], facts)
        notes += [note] if note else []
        columns += described_parts(raw[name], {"source": name, "position": position, **facts})
    columns += [{"name": name, "source": name, "position": len(raw.columns), "kind": kinds.ASIDE} for name in aside]
    if not any(column["kind"] not in kinds.LEFT_OUT for column in columns):
        raise UserError("no column is left that a model could learn from; see `drop` and `kinds`")
    give_unique_names(columns)
    typed = pd.DataFrame({column["name"]: kinds.raw_feature(raw, column) for column in columns})
    images = [column for column in columns if column["kind"] == kinds.IMAGE]
    notes += filter(None, [pictures.damaged_note(raw[column["source"]], typed[column["name"]]) for column in images])
    return typed, columns, notes


def give_unique_names(columns):
    """Append underscores to names that are reserved or taken by an earlier column, until they are unique."""
    taken = set(RESERVED)
    for column in columns:
        while column["name"] in taken:
            column["name"] += "_"
        taken.add(column["name"])


def check_kind(column, facts):
    """Raise ``UserError`` for a value that is not of its column's kind, or a date in another format.

    Pictures are decoded once, and then each says by itself what is wrong with it.
    """
    if facts["kind"] == kinds.IMAGE:
        return
    lost = (column.notna() & kinds.typed(column, facts["kind"], facts).isna()).to_numpy()
    if lost.any():
        value, form = column.iloc[int(np.flatnonzero(lost)[0])], facts.get("format")
        what = f"not a date of the form {form}" if form else f"not a {facts['kind']} value"
        raise UserError(f"{'dates' if form else 'kinds'}: column {column.name!r} holds {value!r}, which is {what}")


def described_parts(values, column):
    """Return the description of the columns that a raw column becomes: itself, or the varying parts of a time."""
    name = column["source"]
    if column["kind"] != kinds.DATETIME:
        return [{"name": name, **column}]
    parts = kinds.datetime_parts(kinds.typed(values, kinds.DATETIME, column))
    varying = [part for part, numbers in parts.items() if numbers.nunique() > 1]
    return [{"name": f"{name} {part}", "part": part, **column} for part in varying]
