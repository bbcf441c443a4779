"""A table of predictions that somebody else made, held against the rows and classes that there are."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from stillhouse.columns import FOLD, ROW, SPLIT
from stillhouse.errors import UserError
from stillhouse.predictions.predictions import columns_of

CLOSE = 1e-3


def make(table, held_out):
    """Return a function of (path, folds, classes) that gives the predictions, each with what had been held out."""
    return partial(checked, held_out=held_out)


def checked(path, folds, classes, held_out):
    """Return ``row``, the predictions and the column that ``held_out`` names; raises ``UserError`` for what cannot be so."""
    table = read(path)
    names, keys = columns_of(classes), [ROW] if held_out == "none" else [ROW, held_out]
    wanted = [ROW, *names, *keys[1:]]
    if lacking := [name for name in wanted if name not in table]:
        raise UserError(f"{path}: there is no column {lacking[0]!r}; the columns must be {', '.join(wanted)}")
    if strange := [name for name in table if name.startswith("p_") and name not in wanted]:
        raise UserError(f"{path}: column {strange[0]!r} is of no class; the classes are {', '.join(classes or ['none'])}")
    check_rows(path, table, folds, held_out)
    scores = table[names].apply(pd.to_numeric, errors="coerce").to_numpy("float64")
    check_scores(path, table, scores, classes)
    if classes:
        scores = scores / scores.sum(axis=1, keepdims=True)
    return table[keys].assign(**dict(zip(names, scores.T, strict=True)))


def read(path):
    """Return a CSV or Parquet table."""
    try:
        return pd.read_parquet(path) if Path(path).suffix == ".parquet" else pd.read_csv(path, dtype={SPLIT: str})
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: cannot be read as a table: {error}") from error


def check_rows(path, table, folds, held_out):
    """Raise ``UserError`` for rows that there are not, or that come twice, and for folds that are not those of the rows."""
    if unknown := sorted(set(table[ROW]) - set(folds[ROW])):
        raise UserError(f"{path}: there is no row {unknown[0]}; rows are numbered from 0 in the order of table.parquet")
    keys = [ROW, SPLIT] if held_out == SPLIT else [ROW]
    if table.duplicated(keys).any():
        raise UserError(f"{path}: row {table.loc[table.duplicated(keys), ROW].iloc[0]} comes more than once")
    if held_out != FOLD:
        return
    both = table[[ROW, FOLD]].merge(folds[[ROW, FOLD]], on=ROW, suffixes=("", "_known"))
    wrong = both[(both[FOLD] != both[f"{FOLD}_known"]) & (both[f"{FOLD}_known"] >= 0)]
    if len(wrong):
        row, said, known = wrong.iloc[0]
        raise UserError(f"{path}: row {row} is said to be of fold {said}, and folds.parquet says {known}; hold out these folds")


def check_scores(path, table, scores, classes):
    """Raise ``UserError`` for values that are no predictions: gaps, or probabilities that do not sum to 1."""
    if (wrong := ~np.isfinite(scores).all(axis=1)).any():
        raise UserError(f"{path}: row {table[ROW][wrong].iloc[0]} has a prediction that is no number")
    if not classes:
        return
    sums = scores.sum(axis=1)
    if (wrong := (scores < 0).any(axis=1) | (np.abs(sums - 1) > CLOSE)).any():
        row = table[ROW][wrong].iloc[0]
        said = ", ".join(f"{value:g}" for value in scores[wrong][0])
        raise UserError(f"{path}: row {row} has the probabilities {said}, which are not positive numbers of sum 1")
