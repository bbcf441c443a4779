"""Predictions made outside the workflow: read from a table, and checked against the rows, folds and classes."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from stillhouse.columns import FOLD, ROW, SPLIT, is_probability
from stillhouse.errors import UserError
from stillhouse.predictions.predictions import columns_of

SUM_TOLERANCE = 1e-3


def make(table, held_out):
    """Return a function of (path, folds, classes) that returns the checked predictions."""
    return partial(checked_predictions, held_out=held_out)


def checked_predictions(path, folds, classes, held_out):
    """Return ``row``, the predictions and the column that ``held_out`` names; raises ``UserError`` for impossible ones."""
    table = read_predictions(path)
    names, keys = columns_of(classes), [ROW] if held_out == "none" else [ROW, held_out]
    wanted = [ROW, *names, *keys[1:]]
    if lacking := [name for name in wanted if name not in table]:
        raise UserError(f"{path}: there is no column {lacking[0]!r}; the columns must be {', '.join(wanted)}")
    if unknown := [name for name in table if is_probability(name) and name not in wanted]:
        raise UserError(f"{path}: column {unknown[0]!r} belongs to no class; the classes are {', '.join(classes or ['none'])}")
    check_rows(path, table, folds, held_out)
    scores = table[names].apply(pd.to_numeric, errors="coerce").to_numpy("float64")
    check_scores(path, table, scores, classes)
    if classes:
        scores = scores / scores.sum(axis=1, keepdims=True)
    return table[keys].assign(**dict(zip(names, scores.T, strict=True)))


def read_predictions(path):
    """Return a CSV or Parquet table."""
    try:
        return pd.read_parquet(path) if Path(path).suffix == ".parquet" else pd.read_csv(path, dtype={SPLIT: str})
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: cannot be read as a table: {error}") from error


def check_rows(path, table, folds, held_out):
    """Raise ``UserError`` for unknown rows, repeated rows, and rows with another fold than in ``folds``."""
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
        row, stated, known = wrong.iloc[0]
        raise UserError(
            f"{path}: row {row} has fold {stated} here and fold {known} in folds.parquet; hold out the folds of folds.parquet"
        )


def check_scores(path, table, scores, classes):
    """Raise ``UserError`` for missing or infinite predictions, and for probabilities that are negative or do not sum to 1."""
    if (wrong := ~np.isfinite(scores).all(axis=1)).any():
        raise UserError(f"{path}: row {table[ROW][wrong].iloc[0]} has a prediction that is not a finite number")
    if not classes:
        return
    sums = scores.sum(axis=1)
    if (wrong := (scores < 0).any(axis=1) | (np.abs(sums - 1) > SUM_TOLERANCE)).any():
        row = table[ROW][wrong].iloc[0]
        shown = ", ".join(f"{value:g}" for value in scores[wrong][0])
        raise UserError(f"{path}: row {row} has the probabilities {shown}, which must be 0 or more and sum to 1")
