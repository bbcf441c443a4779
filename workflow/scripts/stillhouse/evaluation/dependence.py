"""How predictions move with one column, all else as it is: partial dependence (Friedman 2001) and curves of single rows.

Where columns go together, some of the rows that this makes up cannot exist.
"""

import numpy as np
import pandas as pd

from stillhouse.columns import FOLD, ROW
from stillhouse.intake import kinds

# The columns that are shown, the points of a column of numbers, the categories of others, rows behind a mean, and single rows.
MOST_COLUMNS, POINTS, MOST_CATEGORIES, ROWS, CURVES = 4, 15, 8, 200, 25
# The quantiles that points of a column lie between, as hardly a row is beyond.
ENDS = (0.025, 0.975)


def dependence(models, table, folds, schema, names, rng):
    """Return for the first of some raw columns the mean prediction at each of some values, and those of single rows.

    A line has ``column``, ``value`` (a number, or the place of a category), ``name`` of a category, ``mean``, and predictions
    ``row 0``, ``row 1``, … Predictions are the probability of the second of two classes, or the value; there are none of more
    classes. Each held-out row is predicted by the model of ``models`` (fold to pipeline) that held it out.
    """
    described = {column["source"]: column for column in kinds.feature_columns(schema) if can_be_moved(column, schema)}
    scored = folds.loc[folds[FOLD].isin(list(models)), [ROW, FOLD]]
    held_out = table[table[ROW].isin(scored[ROW])]
    known = [described[name] for name in names if name in described and held_out[described[name]["name"]].notna().any()]
    if len(schema["classes"] or []) > 2 or not known:
        return pd.DataFrame(columns=["column", "value", "name", "mean"])
    rows = held_out.merge(scored.sample(min(len(scored), ROWS), random_state=rng.integers(2**31)), on=ROW)
    shown = [of_column(models, rows, held_out[column["name"]], column) for column in known[:MOST_COLUMNS]]
    return pd.concat(shown, ignore_index=True)


def can_be_moved(column, schema):
    """Return whether a column is a number or a category that stands for itself: no part of a time, no text, no picture."""
    alone = sum(other["source"] == column["source"] for other in kinds.feature_columns(schema)) == 1
    return alone and column["kind"] not in kinds.ENCODED


def of_column(models, rows, held, column):
    """Return the lines of one column, of which all held-out rows have the values ``held``."""
    name, values = column["name"], points_of(held, column["kind"])
    predicted = np.empty((len(values), len(rows)))
    for fold, own in rows.groupby(FOLD).indices.items():
        moved = pd.concat([rows.iloc[own].assign(**{name: value}) for value in values], ignore_index=True)
        moved[name] = moved[name].astype(rows[name].dtype)
        predicted[:, own] = models[fold].predict(moved)[:, -1].reshape(len(values), -1)
    is_category = column["kind"] == kinds.CATEGORICAL
    lines = {"column": column["source"], "value": range(len(values)) if is_category else values}
    curves = {f"row {place}": predicted[:, place] for place in range(min(CURVES, len(rows)))}
    return pd.DataFrame({**lines, "name": values if is_category else "", "mean": predicted.mean(axis=1), **curves})


def points_of(values, kind):
    """Return the values at which predictions are made: numbers that occur, both truth values, or frequent categories.

    Numbers are quantiles of the rows; where most rows have few values, they are quantiles of the different values.
    """
    values = values.dropna()
    if kind == kinds.CATEGORICAL:
        return values.value_counts().index[:MOST_CATEGORIES].tolist()
    different = np.unique(values)
    if len(different) <= POINTS:
        return different.tolist()
    of_rows, of_values = (np.unique(quantiles_among(held)) for held in (values, different))
    return (of_rows if len(of_rows) > POINTS // 2 else of_values).tolist()


def quantiles_among(values):
    """Return quantiles of numbers that are some of them; shape (points,)."""
    return np.quantile(values, np.linspace(*ENDS, POINTS), method="nearest")
