"""Rows drawn to be like the labelled ones, for students to learn from what their teacher says of them.

A row's parents are all of one fold, so that it is a row of that fold without a label: split i+j predicts it unseen for the
students of split i, as it does the labelled rows of fold j.
"""

import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler

from stillhouse.columns import FOLD, PARENTS, ROW
from stillhouse.intake import kinds
from stillhouse.methods import build
from stillhouse.seeds import generator


def synthetic_rows(table, folds, columns, options, seed):
    """Return ``row``, ``parents`` (their fold) and typed columns of the rows that are drawn for each fold of labelled rows."""
    names = [column["name"] for column in columns]
    draw, parts = build("synthesizers", {"method": options["method"]}), []
    for fold in sorted(set(folds.loc[folds[FOLD] >= 0, FOLD])):
        parents = table.loc[(folds[FOLD] == fold).to_numpy(), names].reset_index(drop=True)
        count = round(options["share"] * len(parents))
        drawn = draw(parents, columns, count, generator(seed, "synthetic", fold))
        parts.append(drawn.assign(**{PARENTS: fold}))
    whole = pd.concat(parts, ignore_index=True)
    whole.insert(0, ROW, table[ROW].max() + 1 + np.arange(len(whole)))
    return whole


def taken(table, donors):
    """Return rows made of the values of others: ``donors`` has the position of each cell's; shape (rows, columns)."""
    cells = {name: table[name].to_numpy()[donors[:, place]] for place, name in enumerate(table.columns)}
    return pd.DataFrame(cells).astype(table.dtypes.to_dict())


def coded(table, columns):
    """Return a table as numbers: gaps at the median, words as numbers from 0, gaps among them; shape (rows, columns)."""
    return np.column_stack([_code(table[column["name"]], column["kind"]) for column in columns])


def _code(values, kind):
    if kind == kinds.CATEGORICAL:
        return pd.factorize(values, use_na_sentinel=False)[0].astype("float64")
    numbers = values.to_numpy("float64")
    known = numbers[~np.isnan(numbers)]
    return np.where(np.isnan(numbers), np.median(known) if len(known) else 0.0, numbers)


def places(table, columns):
    """Return a table as points: numbers in deviations, words at a distance of 1 from each other; shape (rows, places)."""
    words = [column["name"] for column in columns if column["kind"] == kinds.CATEGORICAL]
    numbers = [column for column in columns if column["name"] not in words]
    blocks = [pd.get_dummies(table[words], dummy_na=True).to_numpy("float64") / np.sqrt(2)] if words else []
    if numbers:
        blocks.append(StandardScaler().fit_transform(coded(table, numbers)))
    return np.hstack(blocks)
