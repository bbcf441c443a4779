"""Conformal sets as tables: ``in_<class>``, or ``low`` and ``high``, for each row; and which rows share thresholds."""

import numpy as np
import pandas as pd

from stillhouse.columns import PREDICTION, ROW
from stillhouse.evaluation.nonconformity import ends, nonconformity_score
from stillhouse.intake import kinds

LOW, HIGH, JUDGED = "low", "high", "judged"
GROUP, FIFTH = "group", "fifth"


def set_column(name):
    """Return the name of the column that says whether a class is in a row's set."""
    return f"in_{name}"


def threshold_sets(rows, limit, classes, settings):
    """Return each row's set as ``in_<class>``, or its interval as ``low`` and ``high``, by thresholds (rows, classes or 1)."""
    if classes:
        return set_table(rows[ROW], nonconformity_score(rows, classes, settings) <= limit, classes)
    low, high = ends(rows)
    return interval_table(rows[ROW], low - limit[:, 0], high + limit[:, 0])


def set_table(rows, is_in, classes):
    """Return row numbers and sets, shape (rows, classes), as a table."""
    return pd.DataFrame({ROW: np.asarray(rows), **{set_column(name): is_in[:, code] for code, name in enumerate(classes)}})


def interval_table(rows, low, high):
    """Return row numbers and intervals as a table."""
    return pd.DataFrame({ROW: np.asarray(rows), LOW: low, HIGH: high})


def contains_all(rows, classes):
    """Return sets that exclude nothing, of rows that no other row tells anything of."""
    if classes:
        return set_table(rows, np.ones((len(rows), len(classes)), dtype=bool), classes)
    return interval_table(rows, np.full(len(rows), -np.inf), np.full(len(rows), np.inf))


def sizes(table, classes):
    """Return the number of classes in each set, or the width of each interval."""
    if classes:
        return table[[set_column(name) for name in classes]].to_numpy().sum(axis=1)
    return (table[HIGH] - table[LOW]).clip(lower=0).to_numpy()


def group_names(values):
    """Return a typed column as the names of groups; gaps are a group too."""
    return kinds.as_text(values).astype("object").fillna(kinds.GAP)


def positions_by_stratum(rows, groups, edges):
    """Return the positions of the rows of each stratum, as ``{(group, fifth): positions}``.

    ``groups`` has each row's group, or is None, and ``edges`` divide predicted values, or are None.
    """
    group = "" if groups is None else np.asarray(groups)
    fifth = 0 if edges is None else np.searchsorted(edges, rows[PREDICTION].to_numpy("float64"), side="right")
    return pd.DataFrame({GROUP: group, FIFTH: fifth}, index=range(len(rows))).groupby([GROUP, FIFTH]).indices
