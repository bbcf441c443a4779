"""Folds: the parts of the labelled rows that are held out in turn."""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from stillhouse.columns import FOLD, GROUP, LABEL, LATER, PARENTS, PART, ROW, TEST, TIME, TRAIN, UNLABELLED
from stillhouse.errors import UserError
from stillhouse.intake.kinds import duplicate_rows

STRATA = 10
FEWEST_FOLDS = 3
OF_DEPLOY, OF_BATCHES, OF_UNLABELLED, OF_SYNTHETIC = -1, -2, -3, -4


def make_folds(table, names, classes, k, seed):
    """Return columns ``row``, ``fold`` (-1 for deploy rows, -2 batches, -3 unlabelled) and, where given, ``group``, ``time``.

    Given test rows are fold 0, and the training rows are folds 1 … k; else the folds are 0 … k-1. ``names`` are those of
    the features: rows that are equal in all of them stay in one fold.
    """
    fold = pd.Series(OF_DEPLOY, index=table.index)
    is_train = table[PART] == TRAIN
    first = 1 if (table[PART] == TEST).any() else 0
    train = table[is_train]
    units = train[GROUP] if GROUP in table else pd.Series(duplicate_rows(train, names), index=train.index)
    check_size(train, units, classes, k)
    fold[is_train] = first + (time_blocks(train, k) if TIME in table else divided(train, units, classes, k, seed))
    fold[table[PART] == TEST] = 0
    fold[table[PART] == LATER] = OF_BATCHES
    fold[table[PART] == UNLABELLED] = OF_UNLABELLED
    keys = [name for name in (GROUP, TIME) if name in table]
    return pd.DataFrame({ROW: table[ROW], FOLD: fold.astype("int64"), **{name: table[name] for name in keys}})


def check_size(table, units, classes, k):
    """Raise ``UserError`` for fewer rows, groups or rows of a class than folds, with advice."""
    if units.nunique() < k:
        what = "groups" if GROUP in table else "different rows"
        raise UserError(f"folds.k: there are {units.nunique()} {what}, fewer than the {k} folds; lower folds.k")
    counts = units.groupby(table[LABEL]).nunique()
    for code, name in enumerate([] if TIME in table else classes or []):
        rows = int(counts.get(code, 0))
        if rows < k:
            what = "groups" if GROUP in table else "different rows"
            advice = f"lower folds.k to {rows}, " if rows >= FEWEST_FOLDS else ""
            raise UserError(
                f"folds.k: class {name!r} has {rows} {what}, fewer than the {k} folds; {advice}"
                "give the class another's name through `labels`, or add rows"
            )


def time_blocks(table, k):
    """Return a block number in 0 … k-1 for each row, equal times in one block; raises ``UserError`` for an empty block."""
    rank = table[TIME].rank(method="min").to_numpy() - 1
    block = np.minimum((rank * k / len(table)).astype(int), k - 1)
    if len(np.unique(block)) < k:
        raise UserError(
            f"time: its {table[TIME].nunique()} different values do not divide the rows into {k} blocks, as equal times stay "
            "together; lower folds.k, or name a finer time"
        )
    return block


def divided(table, units, classes, k, seed):
    """Return a fold number in 0 … k-1 for each row: stratified by label, and no unit in two folds."""
    strata = table[LABEL] if classes else pd.qcut(table[LABEL].rank(method="first"), min(STRATA, len(table)), labels=False)
    if GROUP in table:
        splits = StratifiedGroupKFold(k, shuffle=True, random_state=seed).split(table, strata, units)
        return fold_numbers(splits, len(table))
    is_first = ~units.duplicated()
    splits = StratifiedKFold(k, shuffle=True, random_state=seed).split(table[is_first], strata[is_first])
    fold_of = dict(zip(units[is_first], fold_numbers(splits, int(is_first.sum())), strict=True))
    return units.map(fold_of).to_numpy()


def fold_numbers(splits, rows):
    """Return the number of the split that holds each row out; shape (rows,)."""
    fold = np.empty(rows, dtype=int)
    for number, (_, held_out) in enumerate(splits):
        fold[held_out] = number
    return fold


def with_synthetic_rows(folds, synthetic):
    """Return the folds with synthetic rows appended, in fold -4; ``parents`` is the fold of the rows they were drawn from.

    ``synthetic`` has their row numbers and parents, or is None.
    """
    if synthetic is None:
        return folds
    return pd.concat([folds, synthetic[[ROW, PARENTS]].assign(**{FOLD: OF_SYNTHETIC})], ignore_index=True)
