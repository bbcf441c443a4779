"""Folds: the parts of the labelled rows that are held out in turn."""

import numpy as np
import pandas as pd

from stillhouse.columns import COPY, FOLD, GROUP, LABEL, LATER, PARENTS, PART, ROW, TEST, TIME, TRAIN, UNLABELLED
from stillhouse.errors import UserError
from stillhouse.intake.copies import AUTO, copies
from stillhouse.seeds import derive

STRATA = 10
FEWEST_FOLDS = 3
OF_DEPLOY, OF_BATCHES, OF_UNLABELLED, OF_SYNTHETIC, LEFT_OUT = -1, -2, -3, -4, -5


def make_folds(table, names, classes, k, seed, duplicates=AUTO, share=1, embargo=0):
    """Return columns ``row``, ``fold`` (-1 for deploy rows, -2 batches, -3 unlabelled) and, where given, ``group``, ``time``.

    Of training rows, one in ``share`` is in a fold, and the others are left out (-5); so are rows that lie less than
    ``embargo`` before a block in time, and those of a group in time that are not in its block; see ``in_one_block``.

    Given test rows are fold 0, and the training rows are folds 1 … k; else the folds are 0 … k-1. ``names`` are those of
    the features: copies of one case stay in one fold, and ``copy`` numbers them; see ``copies``.
    """
    fold = pd.Series(OF_DEPLOY, index=table.index)
    is_train = table[PART] == TRAIN
    first = 1 if (table[PART] == TEST).any() else 0
    train, keys = table[is_train], [name for name in (GROUP, TIME) if name in table]
    same = None if keys else copies(train, names, duplicates)
    units = train[GROUP] if GROUP in table else pd.Series(np.arange(len(train)) if same is None else same, index=train.index)
    fold[is_train] = LEFT_OUT
    check_size(train, units, classes, k * share, share)
    own, of_own = share_of(train, units, classes, share, seed)
    check_size(own, of_own, classes, k, share)
    in_folds = time_blocks(own, k, embargo) if TIME in table else divided(own, of_own, classes, k, seed)
    if TIME in table and GROUP in table:
        in_folds = in_one_block(in_folds, of_own)
    fold[own.index] = np.where(in_folds < 0, in_folds, first + in_folds)
    fold[table[PART] == TEST] = 0
    fold[table[PART] == LATER] = OF_BATCHES
    fold[table[PART] == UNLABELLED] = OF_UNLABELLED
    found = pd.DataFrame({ROW: table[ROW], FOLD: fold.astype("int64"), **{name: table[name] for name in keys}})
    if units.duplicated().any() and not keys:
        found[COPY] = units.reindex(table.index)
    return found


def share_of(table, units, classes, share, seed):
    """Return one in ``share`` rows with their units, which stay whole; all for 1."""
    if share == 1:
        return table, units
    is_own = divided(table, units, classes, share, derive(seed, "share")) == 0
    return table[is_own], units[is_own]


def check_size(table, units, classes, k, share=1):
    """Raise ``UserError`` for fewer rows, groups or rows of a class than ``k`` folds, with advice.

    Where one in ``share`` rows is to be in a fold, ``k`` is so many times the folds.
    """
    what = "groups" if GROUP in table else "different rows"
    key, least, advice = "folds.k", f"the {k} folds", "lower folds.k"
    if share > 1:
        key, least, advice = "report.halvings", f"the {k} that one in {share} rows takes", "lower report.halvings"
    if units.nunique() < k:
        raise UserError(f"{key}: there are {units.nunique()} {what}, fewer than {least}; {advice}")
    counts = units.groupby(table[LABEL]).nunique()
    for code, name in enumerate([] if TIME in table else classes or []):
        rows = int(counts.get(code, 0))
        if rows < k and share > 1:
            raise UserError(f"{key}: class {name!r} has {rows} {what}, fewer than {least}; {advice}")
        if rows < k:
            advice = f"lower folds.k to {rows}, " if rows >= FEWEST_FOLDS else ""
            raise UserError(
                f"folds.k: class {name!r} has {rows} {what}, fewer than the {k} folds; {advice}"
                f"give the class another's name through `labels`, or add rows{numbers_hint(classes)}"
            )


def check_repeat(table, k):
    """Raise ``UserError`` where folds cannot be drawn anew, as each group is one."""
    if GROUP in table and table.loc[table[PART] == TRAIN, GROUP].nunique() == k:
        same = f"there are as many groups as folds, {k}, so that each repeat would have the same folds"
        raise UserError(f"folds.repeats: {same}; set folds.repeats to 1")


def numbers_hint(classes):
    """Return the advice for classes that are numbers, and may have been meant as such; empty for others."""
    are_numbers = all(name.lstrip("+-").replace(".", "", 1).isdigit() for name in classes)
    return "; if the target is a number and no class, set `task: regression`" if are_numbers and len(classes) > 2 else ""


def time_blocks(table, k, embargo=0):
    """Return a block number in 0 … k-1 for each row, equal times in one block; raises ``UserError`` for an empty block.

    Rows that lie less than ``embargo`` before the beginning of the next block are in none (-5).
    """
    rank = table[TIME].rank(method="min").to_numpy() - 1
    block = np.minimum((rank * k / len(table)).astype(int), k - 1)
    if len(np.unique(block)) < k:
        raise UserError(
            f"time: its {table[TIME].nunique()} different values do not divide the rows into {k} blocks, as equal times stay "
            "together; lower folds.k, or name a finer time"
        )
    if not embargo:
        return block
    begin = np.append(table[TIME].groupby(block).min().to_numpy()[1:], np.inf)
    block = np.where(table[TIME].to_numpy() > begin[block] - embargo, LEFT_OUT, block)
    if empty := sorted(set(range(k)) - set(block)):
        raise UserError(f"embargo: {embargo:g} leaves no row in block {empty[0] + 1} of {k}; shorten it, or lower folds.k")
    return block


def in_one_block(block, groups):
    """Return the block of each row in time, or -5 where its group has more rows in another block, or as many in an earlier one.

    So no model learns from a group that it is scored on, nor from later rows. Raises ``UserError`` for an empty block.
    """
    counts = pd.crosstab(groups.to_numpy(), block).drop(columns=LEFT_OUT, errors="ignore")
    kept = np.where(groups.map(counts.idxmax(axis=1)).to_numpy() == block, block, LEFT_OUT)
    if empty := sorted(set(counts.columns) - set(kept)):
        raise UserError(
            f"group: with `time`, each group stays in the block that has most of its rows, and block {empty[0] + 1} of "
            f"{counts.shape[1]} is that of none; lower folds.k, or leave `group` out"
        )
    return kept


def divided(table, units, classes, k, seed):
    """Return a fold number in 0 … k-1 for each row: stratified by label, and no unit in two folds.

    Where there are as many groups as folds, each is one, such as the rows of a site.
    """
    if GROUP in table and units.nunique() == k:
        return pd.factorize(units, sort=True)[0]
    # Nearly every job reads this module, and few draw folds.
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

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


def unit_numbers(rows):
    """Return the number of each row's bootstrap unit: its group if there are groups, its copies, or else the row itself."""
    key = next((name for name in (GROUP, COPY) if name in rows), None)
    if key is None:
        return np.arange(len(rows))
    units = pd.factorize(rows[key])[0]
    alone = units < 0
    units[alone] = units.max(initial=-1) + 1 + np.arange(alone.sum())
    return units
