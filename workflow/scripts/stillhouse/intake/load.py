"""From raw tables to one typed table and its schema."""

import hashlib
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from stillhouse.columns import (
    BATCH,
    DEPLOY,
    GROUP,
    LABEL,
    LABELLED,
    LATER,
    PART,
    RESERVED,
    ROW,
    TIME,
    TRAIN,
    UNLABELLED,
    WITHOUT_LABEL,
)
from stillhouse.config.dataset import as_list, batch_files, places, shown, without_password
from stillhouse.errors import UserError, log, nearest
from stillhouse.intake import kinds
from stillhouse.intake.audit import notes
from stillhouse.intake.challenge import challenged
from stillhouse.intake.loaders import file, openml, sklearn, url

MOST_CLASSES = 20
# What whoever reads such a table again has to know.
READING = ("separator", "columns", "encoding", "decimal", "missing", "missing_in")
SLIPS = 0.05
# Names that no column of a raw table has.
RAW_PART, RAW_BATCH = "\0part", "\0batch"
WHY_OUT = {
    kinds.CONSTANT: "it has one value only",
    kinds.ASIDE: "it is there to make slices by",
    kinds.IDENTIFIER: "its values seem to identify rows; state its kind under `kinds` if they do not",
    kinds.TEXT: "it seems to hold free text; state its kind under `kinds` if it does not",
}


def load(dataset, rng, shuffling=None):
    """Return the typed table and the schema of a dataset, as its configuration describes it.

    With a generator for ``shuffling`` the labels are shuffled first; see ``shuffled``.
    """
    raw = read_parts(dataset)
    raw = shuffled(raw, dataset, shuffling) if shuffling else raw
    labels, task, classes = encode_labels(raw, dataset)
    table = pd.DataFrame({PART: raw[RAW_PART], LABEL: labels})
    table = pd.concat([table, keys(raw, dataset)], axis=1)
    features, columns = typed_features(raw, dataset)
    schema = {
        "task": task,
        "classes": classes,
        "costs": costs_of(classes, dataset.get("costs")),
        "target": dataset["target"],
        "columns": columns,
        "notes": label_notes(raw, labels, dataset),
    }
    schema["reading"] = {key: dataset.get(key) for key in READING}
    table = without_unlabelled(pd.concat([table, features], axis=1), schema)
    if isinstance(dataset.get("batches"), dict):
        table = cut_into_batches(table, dataset["batches"])
    check_batches(table, dataset.get("batches"))
    if "challenge" in dataset:
        table = challenged(table, schema, dataset["challenge"], rng)
    table.insert(0, ROW, np.arange(len(table)))
    return table, described(table, schema)


def digests(files, table):
    """Return the SHA-256 digest of each file that was read, and of what was made of all that was read, by name."""
    content = pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes()
    found = {"table.parquet": hashlib.sha256(content).hexdigest()}
    for path in files:
        name = shown(str(path))
        while name in found:
            name += "_"
        found[name] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return found


def shuffled(raw, dataset, rng):
    """Return the raw rows with the target shuffled within each part, before anything is made of it.

    Whatever could still predict it knows too much: a feature that is made of the target, say. Rows of a group, or else rows
    that are equal but for the target, keep one target between them, so that folds which divide them give themselves away.
    """
    identifiers = [name for name in raw if kinds.infer(raw[name]) == kinds.IDENTIFIER]
    left_out = {dataset["target"], *dataset["drop"], *identifiers, RAW_PART, RAW_BATCH}
    keys = [dataset["group"]] if dataset.get("group") else [name for name in raw if name not in left_out]
    units = kinds.duplicate_rows(raw[keys].astype("str"), keys) if keys else np.arange(len(raw))
    target = raw[dataset["target"]].to_numpy(copy=True)
    for part in raw[RAW_PART].unique():
        rows = np.flatnonzero((raw[RAW_PART] == part) & raw[dataset["target"]].notna())
        _, first, unit = np.unique(units[rows], return_index=True, return_inverse=True)
        target[rows] = target[rows[first]][rng.permutation(len(first))][unit]
    return raw.assign(**{dataset["target"]: target})


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


def encode_labels(raw, dataset):
    """Return the label column (class numbers or values, NaN where unknown), the task, and the classes or None."""
    names = {str(old): new for old, new in dataset["labels"].items()}
    target = raw[dataset["target"]].mask(raw[RAW_PART] == UNLABELLED)
    words = kinds.as_words(target)
    if unknown := [old for old in names if old not in set(words)]:
        raise UserError(f"labels: there is no label {unknown[0]!r}; {nearest(unknown[0], words.dropna().unique())}")
    words = words.replace(names)
    is_known = ~raw[RAW_PART].isin(WITHOUT_LABEL)
    task = dataset["task"] if dataset["task"] != "auto" else infer_task(words[is_known])
    if task == "regression":
        check_values_of(target[is_known], dataset["target"])
        return kinds.as_numbers(target), task, None
    classes = ordered_classes(words[is_known], dataset.get("positive"))
    check_classes(classes, task, dataset["target"])
    task = "binary" if len(classes) == 2 else "multiclass"
    codes = words.map({name: code for code, name in enumerate(classes)}).astype("float64")
    return codes, task, classes


def costs_of(classes, costs):
    """Return what it costs to miss a row of each class, 1 where nothing is said; None where no cost is stated."""
    if costs is None:
        return None
    if classes is None:
        raise UserError("costs: they are for classes, and the target is a value; leave them out")
    if unknown := [name for name in costs if name not in classes]:
        raise UserError(f"costs: there is no class {unknown[0]!r}; {nearest(unknown[0], classes)}")
    return [float(costs.get(name, 1)) for name in classes]


def label_notes(raw, labels, dataset):
    """Return a note on deploy rows whose label no row to learn from has."""
    unscored = int((labels.isna() & raw[dataset["target"]].notna() & (raw[RAW_PART] == DEPLOY)).sum())
    said = f"{unscored} deploy rows are not scored, as no row to learn from has their value of {dataset['target']!r}"
    return [said] if unscored else []


def check_values_of(target, name):
    """Raise ``UserError`` for words among the numbers of a regression target."""
    words = target[kinds.as_numbers(target).isna() & target.notna()]
    if len(words):
        raise UserError(f"target: column {name!r} holds {words.iloc[0]!r}, which is no number; add it to `missing`")


def infer_task(target):
    """Return ``regression`` for numbers with fractions or many values, else ``classes``."""
    numbers = kinds.as_numbers(target).dropna()
    if len(numbers) < target.notna().sum():
        return "classes"
    is_continuous = numbers.nunique() > MOST_CLASSES or bool((numbers % 1 != 0).any())
    return "regression" if is_continuous else "classes"


def ordered_classes(words, positive):
    """Return the class names; of two, the positive one (by default the rarer) comes last."""
    counts = words.value_counts()
    classes = sorted(counts.index)
    if positive is not None and positive not in classes:
        raise UserError(f"positive: there is no class {positive!r}; {nearest(positive, classes)}")
    if len(classes) != 2:
        return classes
    last = positive or min(reversed(classes), key=lambda name: counts[name])
    return sorted(classes, key=lambda name: name == last)


def check_classes(classes, task, target):
    """Raise ``UserError`` for a target with fewer than two classes, or with more than a binary task allows."""
    if len(classes) < 2:
        raise UserError(f"target: column {target!r} has only the class {', '.join(classes) or '(none)'}; there must be two")
    if task == "binary" and len(classes) != 2:
        raise UserError(
            f"task: column {target!r} has {len(classes)} classes, not two; merge some through `labels`, or set another task"
        )


def keys(raw, dataset):
    """Return the columns that rows are divided by: group, time and batch, each where the dataset has one."""
    columns = {}
    if group := dataset.get("group"):
        if len(rows := np.flatnonzero(raw[group].isna() & ~raw[RAW_PART].isin(WITHOUT_LABEL))):
            raise UserError(f"group: column {group!r} has no value in row {rows[0] + 1}; give every row a group")
        columns[GROUP] = kinds.as_words(raw[group])
    if time := dataset.get("time"):
        columns[TIME] = np.arange(len(raw), dtype="float64") if time is True else as_time(raw[time], time)
    if "batches" in dataset:
        columns[BATCH] = raw[RAW_BATCH]
    return pd.DataFrame(columns, index=raw.index)


def as_time(column, name):
    """Return a column of numbers or times as float64 that sorts like it."""
    kind = kinds.DATETIME if kinds.infer(column) == kinds.DATETIME else kinds.NUMERIC
    values = kinds.typed(column, kind)
    if values.isna().any():
        row = int(np.flatnonzero(values.isna())[0])
        raise UserError(f"time: column {name!r} is neither a number nor a date in row {row + 1}")
    return values.astype("int64").astype("float64") if kind == kinds.DATETIME else values


def typed_features(raw, dataset):
    """Return the typed columns that models may see, and a description of every column that is no key."""
    kept = [dataset["target"], dataset.get("group"), dataset.get("time"), RAW_PART, RAW_BATCH]
    kept += [*dataset["drop"], *dataset.get("deploy_where", [])]
    aside = [name for name in dataset["slices"] if name in kept]
    columns = []
    for position, name in enumerate(name for name in raw.columns if name not in kept):
        # Where a row comes from tells training from deploy rows perfectly, and is not known of rows to come.
        usual = kinds.IDENTIFIER if name == dataset.get("source") else kinds.infer(raw[name])
        kind = dataset["kinds"].get(name, usual)
        check_kind(raw[name], kind)
        columns += described_parts(raw[name], {"source": name, "position": position, "kind": kind})
    columns += [{"name": name, "source": name, "position": len(raw.columns), "kind": kinds.ASIDE} for name in aside]
    if not any(column["kind"] not in kinds.LEFT_OUT for column in columns):
        raise UserError("no column is left that a model could learn from; see `drop` and `kinds`")
    give_unique_names(columns)
    return pd.DataFrame({column["name"]: kinds.raw_feature(raw, column) for column in columns}), columns


def give_unique_names(columns):
    """Append to names that are reserved, or that an earlier column has, as many underscores as it takes."""
    taken = set(RESERVED)
    for column in columns:
        while column["name"] in taken:
            column["name"] += "_"
        taken.add(column["name"])


def check_kind(column, kind):
    """Raise ``UserError`` for a value that is not of the kind which its column is said to be."""
    lost = (column.notna() & kinds.typed(column, kind).isna()).to_numpy()
    if lost.any():
        value = column.iloc[int(np.flatnonzero(lost)[0])]
        raise UserError(f"kinds: column {column.name!r} holds {value!r}, which is no {kind} value")


def described_parts(values, column):
    """Return the description of the columns that a raw column becomes: itself, or the varying parts of a time."""
    name = column["source"]
    if column["kind"] != kinds.DATETIME:
        return [{"name": name, **column}]
    parts = kinds.datetime_parts(kinds.typed(values, kinds.DATETIME))
    varying = [part for part, numbers in parts.items() if numbers.nunique() > 1]
    return [{"name": f"{name} {part}", "part": part, **column} for part in varying]


def without_unlabelled(table, schema):
    """Return the table less rows to learn from that have no label, with a note of how many there were."""
    unlabelled = table[LABEL].isna() & ~table[PART].isin(WITHOUT_LABEL)
    if unlabelled.any():
        schema["notes"].append(f"{int(unlabelled.sum())} rows without a value of {schema['target']!r} are left out")
    return table[~unlabelled].reset_index(drop=True)


def cut_into_batches(table, options):
    """Return the table with the last share of its training rows, in time or in the order of the file, as batches.

    Rows of one time stay together where the share is cut off, so that the first batch is later than every training row.
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


def described(table, schema):
    """Return the schema with counts of rows and classes, missing shares, and notes on the table."""
    for column in schema["columns"]:
        column["missing"] = float(table[column["name"]].isna().mean())
        if column["kind"] in kinds.LEFT_OUT:
            schema["notes"].append(f"column {column['source']!r} is left out: {WHY_OUT[column['kind']]}")
    schema["notes"] += notes(table, schema)
    for note in schema["notes"]:
        log.info("%s", note)
    schema["rows"] = {part: int(count) for part, count in table[PART].value_counts(sort=False).items()}
    if schema["classes"]:
        codes = table.loc[table[PART].isin(LABELLED), LABEL].value_counts()
        schema["class_rows"] = {name: int(codes.get(code, 0)) for code, name in enumerate(schema["classes"])}
    return schema
