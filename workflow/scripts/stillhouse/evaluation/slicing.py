"""Slices: parts of the held-out rows that a model is scored on by themselves, given ones and the worst that can be found.

The worst are looked for on one half of the rows and scored on the other, as the worst of many looks worse than it is.
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
from stillhouse.evaluation.scores import main_of, number, row_losses, unit_numbers
from stillhouse.intake import kinds
from stillhouse.seeds import generator

COLUMNS = ("slice", "found", "rows", "value", "low", "high", "loss", "loss_low", "loss_high", "loss_elsewhere", "worse")
# Conditions that lead to a slice at most, how many are looked for, and parts of a column of numbers.
DEPTH, WORST, PARTS = 3, 3, 4


def slices(rows, table, schema, columns, settings, seed):
    """Return a line for each slice: its rows, the main metric, and the mean loss there and elsewhere, with intervals.

    Those by ``columns`` come first. ``worse`` says whether the interval of the mean loss lies above the loss elsewhere. The
    loss is the log loss, or the squared error; slices of fewer than ``slice_rows`` rows are left out.
    """
    held_out = rows[rows[PART] != DEPLOY].reset_index(drop=True)
    typed = held_out[[ROW]].merge(table.drop(columns=[LABEL, PART]), on=ROW)
    loss, least = row_losses(held_out, schema), settings["slice_rows"]
    given = [(name, "given", mask) for column in columns for name, mask in values_of(typed, column)]
    is_scored = halves(held_out, seed)
    found = [(name, "worst found", mask & is_scored) for name, mask in worst(typed, loss, ~is_scored, schema, least)]
    lines = []
    for name, how, mask in [*given, *found]:
        if mask.sum() >= least:
            elsewhere = ~mask & (is_scored if how == "worst found" else True)
            lines.append({"slice": name, "found": how, **line(held_out, loss, mask, elsewhere, schema, settings, seed)})
    return pd.DataFrame(lines, columns=COLUMNS)


def line(rows, loss, mask, elsewhere, schema, settings, seed):
    """Return a slice's numbers."""
    part = rows[mask].reset_index(drop=True)
    of_weightings = {"value": main_of(part, schema, settings), "loss": partial(mean, loss[mask])}
    even, rng = np.ones(len(part)), generator(seed, "bootstrap")
    drawn = draws(of_weightings, even, unit_numbers(part), settings["draws"], rng)
    ends = {name: interval(drawn[name], settings["level"]) for name in drawn}
    rest = float(loss[elsewhere].mean()) if elsewhere.any() else None
    return {
        "rows": len(part),
        "value": number(of_weightings["value"](even[None])),
        "low": ends["value"][0],
        "high": ends["value"][1],
        "loss": float(loss[mask].mean()),
        "loss_low": ends["loss"][0],
        "loss_high": ends["loss"][1],
        "loss_elsewhere": rest,
        "worse": rest is not None and ends["loss"][0] > rest,
    }


def values_of(typed, name):
    """Return the slices of a column as pairs of words and mask: a value each, gaps, or quarters of a column of many numbers."""
    if name not in typed:
        raise UserError(f"slices: {name!r} is no column of the table as models see it; {nearest(name, typed.columns)}")
    values = typed[name]
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > PARTS:
        edges = np.unique(np.quantile(values.dropna(), np.linspace(0, 1, PARTS + 1)))
        parts = pd.cut(values, edges, include_lowest=True, labels=False)
        named = {f"{name} {low:.4g} to {high:.4g}": parts == place for place, (low, high) in enumerate(pairwise(edges))}
    else:
        words = kinds.as_words(values)
        named = {f"{name} is {value}": words == value for value in sorted(words.dropna().unique())}
    named[f"{name} is missing"] = values.isna()
    return [(words, mask.fillna(False).to_numpy(bool)) for words, mask in named.items()]


def halves(rows, seed):
    """Return a mask of the half of the rows (or groups) that slices are scored on."""
    units = unit_numbers(rows)
    return (generator(seed, "halves").permutation(int(units.max()) + 1) % 2 == 0)[units]


def worst(typed, loss, is_searched, schema, least):
    """Return the leaves of a small tree of the loss with the greatest losses, as pairs of words and mask over all rows."""
    # With half as many again, the other half hardly ever has fewer than the least.
    smallest = least + least // 2
    if is_searched.sum() < 2 * smallest:
        return []
    tree = DecisionTreeRegressor(max_depth=DEPTH, min_samples_leaf=smallest, random_state=0)
    X = readable(typed, is_searched, schema)
    tree.fit(X[is_searched], loss[is_searched])
    place = tree.apply(X)
    ends = np.unique(place)
    named = dict(zip(ends, (leaf["where"] for leaf in leaves(tree, list(X), schema)), strict=False))
    ranked = sorted(ends, key=lambda end: -float(tree.tree_.value[end][0][0]))
    above = [end for end in ranked if tree.tree_.value[end][0][0] > loss[is_searched].mean()]
    return [(named[end], place == end) for end in above[:WORST]]
