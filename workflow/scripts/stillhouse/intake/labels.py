"""The target of a raw table: its task, its classes in order, and the cost of misclassifying each of them."""

import json
import unicodedata

import numpy as np
import pandas as pd

from stillhouse.columns import (
    DEPLOY,
    LABEL,
    UNLABELLED,
    WITHOUT_LABEL,
)
from stillhouse.errors import UserError, nearest
from stillhouse.intake import kinds, pictures
from stillhouse.intake.copies import copies
from stillhouse.intake.kinds import MOST_CLASSES
from stillhouse.intake.notation import INVISIBLE
from stillhouse.intake.raw import RAW_BATCH, RAW_PART


def shuffled(raw, dataset, rng):
    """Return the raw rows with the target shuffled within each part, before anything is derived from it.

    A model that still predicts it reveals a leak, such as a feature derived from the target. Rows of one group (or, without
    groups, copies of one case) get the same target, so that folds which divide such rows show up as a leak too.
    """
    identifiers = [name for name in raw if kinds.infer(raw[name]) == kinds.IDENTIFIER]
    left_out = {dataset["target"], *dataset["drop"], *identifiers, RAW_PART, RAW_BATCH}
    keys = [dataset["group"]] if dataset.get("group") else [name for name in raw if name not in left_out]
    units = np.arange(len(raw))
    if keys:
        images = [name for name in keys if pictures.are_pictures(raw[name])]
        cells = raw[keys].assign(**{name: pictures.content_digests(raw[name]) for name in images}).astype("str")
        cells[LABEL] = pd.factorize(raw[dataset["target"]])[0]
        same = kinds.duplicate_rows(cells, keys) if dataset.get("group") else copies(cells, keys, dataset["duplicates"])
        units = units if same is None else same
    target = raw[dataset["target"]].to_numpy(copy=True)
    for part in raw[RAW_PART].unique():
        rows = np.flatnonzero((raw[RAW_PART] == part) & raw[dataset["target"]].notna())
        _, first, unit = np.unique(units[rows], return_index=True, return_inverse=True)
        target[rows] = target[rows[first]][rng.permutation(len(first))][unit]
    return raw.assign(**{dataset["target"]: target})


def encode_labels(raw, dataset):
    """Return the label column (class numbers or values, NaN where unknown), the task, and the classes or None."""
    names = {kinds.written(str(old)): new for old, new in dataset["labels"].items()}
    target = raw[dataset["target"]].mask(raw[RAW_PART] == UNLABELLED)
    texts = kinds.as_text(target)
    if unknown := [old for old in names if old not in set(texts)]:
        raise UserError(f"labels: there is no label {unknown[0]!r}; {nearest(unknown[0], texts.dropna().unique())}")
    texts = texts.replace(names)
    is_known = ~raw[RAW_PART].isin(WITHOUT_LABEL)
    task = dataset["task"] if dataset["task"] != "auto" else infer_task(texts[is_known])
    if task == "regression":
        check_values_of(target[is_known], dataset["target"])
        return kinds.as_numbers(target), task, None
    check_look_alikes(texts[is_known].dropna().unique())
    classes = ordered_classes(texts[is_known], dataset.get("positive") and kinds.written(dataset["positive"]))
    check_classes(classes, task, dataset["target"])
    task = "binary" if len(classes) == 2 else "multiclass"
    codes = texts.map({name: code for code, name in enumerate(classes)}).astype("float64")
    return codes, task, classes


def costs_of(classes, costs):
    """Return the cost of misclassifying a row of each class, 1 where none is stated; None where the dataset states no costs."""
    if costs is None:
        return None
    if classes is None:
        raise UserError("costs: they are for classes, and the target is numeric; leave them out")
    costs = {kinds.written(name): cost for name, cost in costs.items()}
    if unknown := [name for name in costs if name not in classes]:
        raise UserError(f"costs: there is no class {unknown[0]!r}; {nearest(unknown[0], classes)}")
    return [float(costs.get(name, 1)) for name in classes]


def label_notes(raw, labels, dataset):
    """Return a note on deploy rows whose label occurs in no training row; an empty list if there are none."""
    unscored = int((labels.isna() & raw[dataset["target"]].notna() & (raw[RAW_PART] == DEPLOY)).sum())
    note = f"{unscored} deploy rows are not scored, as their value of {dataset['target']!r} occurs in no training row"
    return [note] if unscored else []


def check_values_of(target, name):
    """Raise ``UserError`` for text among the numbers of a regression target."""
    texts = target[kinds.as_numbers(target).isna() & target.notna()]
    if len(texts):
        raise UserError(
            f"target: column {name!r} holds {texts.iloc[0]!r}, which is not a number; if it stands for a missing value, "
            f"name it under `missing_in`: {{{name}: [{texts.iloc[0]}]}}"
        )


def infer_task(target):
    """Return ``regression`` for numbers with fractions or many values, else ``classes``."""
    numbers = kinds.as_numbers(target).dropna()
    if len(numbers) < target.notna().sum():
        return "classes"
    is_continuous = numbers.nunique() > MOST_CLASSES or bool((numbers % 1 != 0).any())
    return "regression" if is_continuous else "classes"


def ordered_classes(texts, positive):
    """Return the class names; of two, the positive one (by default the rarer) comes last."""
    counts = texts.value_counts()
    classes = sorted(counts.index)
    if positive is not None and positive not in classes:
        raise UserError(f"positive: there is no class {positive!r}; {nearest(positive, classes)}")
    if len(classes) != 2:
        return classes
    last = positive or min(reversed(classes), key=lambda name: counts[name])
    return sorted(classes, key=lambda name: name == last)


def check_look_alikes(names):
    """Raise ``UserError`` for classes that differ in letter case, blanks or characters that are not seen."""
    known = {}
    for name in sorted(names):
        plain = " ".join(INVISIBLE.sub("", unicodedata.normalize("NFKC", name)).casefold().split())
        if plain in known:
            other = known[plain]
            raise UserError(
                f"target: the classes {other!a} and {name!a} look alike; make them one under `labels`, such as "
                f"{{{json.dumps(name)}: {json.dumps(other)}}}, or give one of them another name there"
            )
        known[plain] = name


def check_classes(classes, task, target):
    """Raise ``UserError`` for a target with fewer than two classes, or with more than two in a binary task."""
    if len(classes) < 2:
        raise UserError(f"target: column {target!r} has only the class {', '.join(classes) or '(none)'}; there must be two")
    if task == "binary" and len(classes) != 2:
        raise UserError(
            f"task: column {target!r} has {len(classes)} classes, not two; merge some through `labels`, or set another task"
        )
