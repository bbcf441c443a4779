"""From raw tables to one typed table and its schema."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from stillhouse.columns import (
    BATCH,
    LABEL,
    LABELLED,
    LATER,
    PART,
    ROW,
    TIME,
    TRAIN,
    WITHOUT_LABEL,
)
from stillhouse.config.dataset import shown
from stillhouse.errors import UserError
from stillhouse.intake.audit import alerts, notes
from stillhouse.intake.challenge import challenged
from stillhouse.intake.kinds import feature_columns
from stillhouse.intake.labels import costs_of, encode_labels, label_notes, shuffled
from stillhouse.intake.near_copies import with_near_copies_equal
from stillhouse.intake.raw import RAW_PART, read_parts, with_kinds_of_folders
from stillhouse.intake.typed import keys, typed_features, why_out

# The settings that reading further rows of the same table needs.
READING = ("separator", "columns", "target", "encoding", "decimal", "thousands", "sheet", "query", "missing", "missing_in")


def load(dataset, rng, shuffling=None):
    """Return the typed table and the schema of a dataset, as its configuration describes it.

    With a generator for ``shuffling`` the labels are shuffled first; see ``shuffled``.
    """
    read_notes, dataset = [], with_kinds_of_folders(dataset)
    raw = read_parts(dataset, read_notes)
    raw = shuffled(raw, dataset, shuffling) if shuffling else raw
    labels, task, classes = encode_labels(raw, dataset)
    table = pd.DataFrame({PART: raw[RAW_PART], LABEL: labels})
    table = pd.concat([table, keys(raw, dataset)], axis=1)
    features, columns, typed_notes = typed_features(raw, dataset)
    schema = {
        "task": task,
        "classes": classes,
        "costs": costs_of(classes, dataset.get("costs")),
        "target": dataset["target"],
        "columns": columns,
        "notes": [*read_notes, *typed_notes, *label_notes(raw, labels, dataset)],
    }
    schema["reading"] = {key: dataset.get(key) for key in READING}
    table = without_unlabelled(pd.concat([table, features], axis=1), schema)
    if isinstance(dataset.get("batches"), dict):
        table = cut_into_batches(table, dataset["batches"])
    check_batches(table, dataset.get("batches"))
    if "challenge" in dataset:
        table = challenged(table, schema, dataset["challenge"], rng)
    table.insert(0, ROW, np.arange(len(table)))
    schema = described(table, schema, dataset["duplicates"])
    return table, schema


def digests(files, table):
    """Return the SHA-256 digest of each file that was read, and of the typed table, by name."""
    content = pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()
    digest_of = {"table.parquet": hashlib.sha256(content).hexdigest()}
    for path in files:
        name = shown(str(path))
        while name in digest_of:
            name += "_"
        digest_of[name] = hashlib.sha256(content_of(Path(path))).hexdigest()
    return digest_of


def content_of(path):
    """Return the content of a file or, of a folder, the names of its files and the digest of each."""
    if not path.is_dir():
        return path.read_bytes()
    files = sorted(file for file in path.iterdir() if file.is_file())
    return "".join(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n" for file in files).encode()


def without_unlabelled(table, schema):
    """Return the table without training rows that have no label, and say in the schema how many there were."""
    unlabelled = table[LABEL].isna() & ~table[PART].isin(WITHOUT_LABEL)
    schema["without_label"] = int(unlabelled.sum())
    if unlabelled.any():
        schema["notes"].append(f"{schema['without_label']} rows without a value of {schema['target']!r} are left out")
    return table[~unlabelled].reset_index(drop=True)


def cut_into_batches(table, options):
    """Return the table with the last share of its training rows (in time, or in file order) turned into batches.

    Rows of equal time are not divided between training rows and batches, so that the first batch is later than them all.
    """
    train = table[table[PART] == TRAIN]
    order = train[TIME].sort_values(kind="stable") if TIME in train else pd.Series(range(len(train)), index=train.index)
    first = len(order) - round(options["share"] * len(order))
    later = order.index[(order > order.iloc[max(first - 1, 0)]).to_numpy()]
    table = table.copy()
    table.loc[later, PART] = LATER
    table.loc[later, BATCH] = np.arange(len(later)) * options["count"] // max(len(later), 1) + 1
    return table


def check_batches(table, batches):
    """Raise ``UserError`` for a batch without a labelled row."""
    if batches is None:
        return
    count = batches["count"] if isinstance(batches, dict) else len(batches)
    if empty := sorted(set(range(1, count + 1)) - set(table[BATCH])):
        raise UserError(f"batches: batch {empty[0]} of {count} has no labelled row; take fewer or larger batches")


def described(table, schema, duplicates):
    """Return the schema with counts of rows and classes, missing shares, and notes and alerts on the table."""
    for column in schema["columns"]:
        column["missing"] = float(table[column["name"]].isna().mean())
        if reason := why_out(table[column["name"]], column["kind"]):
            schema["notes"].append(f"column {column['source']!r} is left out: {reason}")
    alike = with_near_copies_equal(table, feature_columns(schema))
    schema["notes"] += notes(table, alike, schema, duplicates)
    schema["alerts"] = alerts(table, alike, schema, duplicates)
    schema["rows"] = {part: int(count) for part, count in table[PART].value_counts(sort=False).items()}
    if schema["classes"]:
        codes = table.loc[table[PART].isin(LABELLED), LABEL].value_counts()
        schema["class_rows"] = {name: int(codes.get(code, 0)) for code, name in enumerate(schema["classes"])}
    return schema
