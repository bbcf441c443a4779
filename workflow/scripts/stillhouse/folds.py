"""Folds: which labelled rows are held out together."""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from stillhouse.columns import DEPLOY, FOLD, GROUP, LABEL, PART, ROW, TEST, TIME, TRAIN
from stillhouse.errors import UserError

STRATA = 10


def make_folds(table, classes, k, seed):
    """Return ``row``, ``fold`` (-1 for deploy rows) and, where the table has them, ``group`` and ``time``.

    Given test rows are fold 0, and the training rows are folds 1 … k; else the folds are 0 … k-1.
    """
    fold = pd.Series(-1, index=table.index)
    is_train = table[PART] == TRAIN
    first = 1 if (table[PART] == TEST).any() else 0
    check_size(table[is_train], classes, k, by_time=TIME in table)
    fold[is_train] = first + divided(table[is_train], classes, k, seed)
    fold[table[PART] == TEST] = 0
    fold[table[PART] == DEPLOY] = -1
    keys = [name for name in (GROUP, TIME) if name in table]
    return pd.DataFrame({ROW: table[ROW], FOLD: fold.astype("int64"), **{name: table[name] for name in keys}})


def check_size(table, classes, k, by_time):
    """Raise ``UserError`` for fewer rows, groups or rows of a class than folds, with advice."""
    units = table[GROUP].nunique() if GROUP in table else len(table)
    if units < k:
        what = "groups" if GROUP in table else "rows"
        raise UserError(f"folds.k: there are {units} {what}, fewer than the {k} folds; lower folds.k")
    counts = table[LABEL].value_counts()
    for code, name in enumerate(classes or []):
        rows = int(counts.get(code, 0))
        if rows < k and not by_time:
            raise UserError(
                f"folds.k: class {name!r} has {rows} rows, fewer than the {k} folds; lower folds.k to "
                f"{max(rows, 3)}, give the class another's name through `labels`, or add rows"
            )


def divided(table, classes, k, seed):
    """Return a fold number in 0 … k-1 for each row: by time, by group, or at random, like in their labels."""
    if TIME in table:
        rank = table[TIME].rank(method="min").to_numpy() - 1
        return np.minimum((rank * k / len(table)).astype(int), k - 1)
    strata = table[LABEL] if classes else pd.qcut(table[LABEL].rank(method="first"), min(STRATA, len(table)), labels=False)
    splitter = (StratifiedGroupKFold if GROUP in table else StratifiedKFold)(k, shuffle=True, random_state=seed)
    fold = np.empty(len(table), dtype=int)
    for number, (_, held_out) in enumerate(splitter.split(table, strata, table.get(GROUP))):
        fold[held_out] = number
    return fold
