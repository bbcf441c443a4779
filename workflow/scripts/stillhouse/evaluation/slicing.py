"""Slices: parts of the held-out rows on which a model is scored separately, given ones and the worst that a search finds.

The worst slices are searched on one half of the rows and scored on the other, as the worst of many looks worse than it is.
"""

from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeRegressor

from stillhouse.columns import DEPLOY, LABEL, PART, ROW
from stillhouse.errors import UserError, nearest
from stillhouse.evaluation.importance import leaves, readable
from stillhouse.evaluation.intervals import draws, interval
from stillhouse.evaluation.metrics import mean
from stillhouse.evaluation.scores import as_float, main_of, row_losses, unit_numbers
from stillhouse.intake import kinds
from stillhouse.seeds import generator

COLUMNS = ("slice", "found", "rows", "value", "low", "high", "loss", "loss_low", "loss_high", "loss_elsewhere", "worse")
# The most conditions of a slice that is searched for, the number of such slices, and the parts of a column of numbers.
MOST_CONDITIONS, WORST_SLICES, COLUMN_PARTS = 3, 3, 4


def slices(rows, table, schema, columns, protocol):
    """Return a line for each slice: its rows, the main metric, and the mean loss in it and elsewhere, with intervals.

    Slices by ``columns`` come first. ``worse`` says whether the interval of the mean loss is above the loss elsewhere. The loss
    is the log loss or the squared error; slices of fewer than ``slice_rows`` rows are left out.
    """
    held_out = rows[rows[PART] != DEPLOY].reset_index(drop=True)
    typed = held_out[[ROW]].merge(table.drop(columns=[LABEL, PART]), on=ROW)
    loss, least = row_losses(held_out, protocol.task), protocol.settings["slice_rows"]
    given = [(name, "given", mask) for column in columns for name, mask in values_of(typed, column)]
    is_scored = halves(held_out, protocol.seed)
    found = [(name, "worst found", mask & is_scored) for name, mask in worst(typed, loss, ~is_scored, schema, least)]
    lines = []
    for name, how, mask in [*given, *found]:
        if mask.sum() >= least:
            elsewhere = ~mask & (is_scored if how == "worst found" else True)
            lines.append({"slice": name, "found": how, **scored_slice(held_out, loss, mask, elsewhere, protocol)})
    return pd.DataFrame(lines, columns=COLUMNS)


def scored_slice(rows, loss, mask, elsewhere, protocol):
    """Return the scores of a slice."""
    part = rows[mask].reset_index(drop=True)
    of_weightings = {"value": main_of(part, protocol), "loss": partial(mean, loss[mask])}
    even, rng, settings = np.ones(len(part)), generator(protocol.seed, "bootstrap"), protocol.settings
    drawn = draws(of_weightings, even, unit_numbers(part), settings["draws"], rng)
    ends = {name: interval(drawn[name], settings["level"]) for name in drawn}
    rest = float(loss[elsewhere].mean()) if elsewhere.any() else None
    return {
        "rows": len(part),
        "value": as_float(of_weightings["value"](even[None])),
        "low": ends["value"][0],
        "high": ends["value"][1],
        "loss": float(loss[mask].mean()),
        "loss_low": ends["loss"][0],
        "loss_high": ends["loss"][1],
        "loss_elsewhere": rest,
        "worse": rest is not None and ends["loss"][0] > rest,
    }


def values_of(typed, name):
    """Return the slices of a column as pairs (title, mask): each value and the gaps, or quarters of a column of numbers."""
    if name not in typed:
        raise UserError(f"slices: {name!r} is not a column of the typed table; {nearest(name, typed.columns)}")
    values = typed[name]
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > COLUMN_PARTS:
        edges = np.unique(np.quantile(values.dropna(), np.linspace(0, 1, COLUMN_PARTS + 1)))
        parts = pd.cut(values, edges, include_lowest=True, labels=False)
        named = {f"{name} {low:.4g} to {high:.4g}": parts == index for index, (low, high) in enumerate(pairwise(edges))}
    else:
        texts = kinds.as_text(values)
        named = {f"{name} is {value}": texts == value for value in sorted(texts.dropna().unique())}
    named[f"{name} is missing"] = values.isna()
    return [(title, mask.fillna(False).to_numpy(bool)) for title, mask in named.items()]


def halves(rows, seed):
    """Return a mask of the half of the rows, or groups, that slices are scored on."""
    units = unit_numbers(rows)
    return (generator(seed, "halves").permutation(int(units.max()) + 1) % 2 == 0)[units]


def worst(typed, loss, is_searched, schema, least):
    """Return the leaves with the largest losses of a small tree of the loss, as pairs (title, mask over all rows)."""
    # With half as many more, the other half of the rows hardly ever has fewer than the least.
    smallest = least + least // 2
    if is_searched.sum() < 2 * smallest:
        return []
    tree = DecisionTreeRegressor(max_depth=MOST_CONDITIONS, min_samples_leaf=smallest, random_state=0)
    X = readable(typed, is_searched, schema)
    tree.fit(X[is_searched], loss[is_searched])
    leaf_of = tree.apply(X)
    ends = np.unique(leaf_of)
    named = dict(zip(ends, (leaf["where"] for leaf in leaves(tree, list(X), schema)), strict=False))
    ranked = sorted(ends, key=lambda end: -float(tree.tree_.value[end][0][0]))
    above = [end for end in ranked if tree.tree_.value[end][0][0] > loss[is_searched].mean()]
    return [(named[end], leaf_of == end) for end in above[:WORST_SLICES]]
