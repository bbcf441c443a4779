"""Synthetic transfer rows: drawn to resemble the labelled rows, for students to learn from their teacher's predictions.

The rows that a synthetic row is drawn from (its parents) are of one fold. Splits that learn from this fold predict it, as they
would a new row, for their students; no other split ever sees it.
"""

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from stillhouse.columns import FOLD, PARENTS, ROW
from stillhouse.errors import UserError
from stillhouse.intake import kinds
from stillhouse.methods import build, check_rows
from stillhouse.seeds import generator


def synthetic_rows(table, folds, columns, options, seed):
    """Return the rows drawn for each fold: ``row``, ``parents`` (the fold of their parents) and the typed columns."""
    names = [column["name"] for column in columns]
    if encoded := [column["source"] for column in columns if column["kind"] in kinds.ENCODED]:
        which = f"and column {encoded[0]!r} holds such"
        raise UserError(f"synthetic: texts and pictures cannot be drawn, {which}; drop it, or draw no rows")
    check_rows("synthesizers", options["method"], int((folds[FOLD] >= 0).sum()), "swap, or draw no rows")
    draw, parts = build("synthesizers", {"method": options["method"]}), []
    for fold in sorted(set(folds.loc[folds[FOLD] >= 0, FOLD])):
        parents = table.loc[(folds[FOLD] == fold).to_numpy(), names].reset_index(drop=True)
        count = round(options["share"] * len(parents))
        drawn = draw(parents, columns, count, generator(seed, "synthetic", fold))
        parts.append(drawn.assign(**{PARENTS: fold}))
    whole = pd.concat(parts, ignore_index=True)
    whole.insert(0, ROW, table[ROW].max() + 1 + np.arange(len(whole)))
    return whole


def rows_of_cells(table, donors):
    """Return rows put together from cells of a table; ``donors`` (rows, columns) has the position of each cell's row."""
    cells = {name: table[name].to_numpy()[donors[:, column]] for column, name in enumerate(table.columns)}
    return pd.DataFrame(cells).astype(table.dtypes.to_dict())


def coded(table, columns):
    """Return a table as numbers: gaps at the median, categories (a gap is one) as codes from 0; shape (rows, columns)."""
    return np.column_stack([_code(table[column["name"]], column["kind"]) for column in columns])


def _code(values, kind):
    if kind == kinds.CATEGORICAL:
        return pd.factorize(values, use_na_sentinel=False)[0].astype("float64")
    numbers = values.to_numpy("float64")
    known = numbers[~np.isnan(numbers)]
    return np.where(np.isnan(numbers), np.median(known) if len(known) else 0.0, numbers)


def points(table, columns):
    """Return a table as points: numbers standardized, different categories at distance 1; shape (rows, dimensions)."""
    categorical = [column["name"] for column in columns if column["kind"] == kinds.CATEGORICAL]
    numbers = [column for column in columns if column["name"] not in categorical]
    blocks = [pd.get_dummies(table[categorical], dummy_na=True).to_numpy("float64") / np.sqrt(2)] if categorical else []
    if numbers:
        blocks.append(StandardScaler().fit_transform(coded(table, numbers)))
    return np.hstack(blocks)
