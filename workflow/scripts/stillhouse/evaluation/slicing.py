"""Slices: parts of the held-out rows on which a model is scored separately, given ones and the worst that a search finds.

The worst slices are searched on one half of the rows and scored on the other, as the worst of many looks worse than it is.
"""

from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeRegressor

from stillhouse.columns import DEPLOY, LABEL, PART, ROW
from stillhouse.errors import UserError, nearest
from stillhouse.evaluation.bounds import Bounds
from stillhouse.evaluation.coverage import contains_label, share
from stillhouse.evaluation.importance import leaves, readable
from stillhouse.evaluation.intervals import bootstrap_p, draws, interval
from stillhouse.evaluation.metrics import main_metric, mean, possible
from stillhouse.evaluation.scores import as_arrays, as_float, main_of, row_losses
from stillhouse.evaluation.sets import JUDGED
from stillhouse.intake import kinds
from stillhouse.intake.folds import unit_numbers
from stillhouse.seeds import generator
from stillhouse.shift.adjusted import holm

COLUMNS = (
    *("slice", "found", "rows", "value", "low", "high", "loss", "loss_low", "loss_high"),
    *("predicted", "observed", "off", "off_low", "off_high", "covered", "covered_low", "covered_high", "short"),
    *("loss_elsewhere", "p", "p_adjusted", "worse"),
)
# The most conditions of a slice that is searched for, the number of such slices, and the parts of a column of numbers.
MOST_CONDITIONS, WORST_SLICES, COLUMN_PARTS = 3, 3, 4


def slices(rows, table, schema, columns, protocol, sets=None):
    """Return a line for each slice: its rows, the main metric, and the mean loss in it and elsewhere, with intervals.

    Slices by ``columns`` come first. The loss is the log loss or the squared error; slices of fewer than ``slice_rows`` rows
    are left out. ``loss_elsewhere`` is that of other rows with the slice's shares of classes, so that a slice is not called
    worse for having more rows of a class that is hard everywhere. ``p`` is the one-sided p-value of the difference; ``worse``
    says whether it is significant when adjusted for the number of slices (Holm 1979). ``off`` is how much more is observed
    than predicted, of the positive class or of the value, and ``covered`` the share of rows whose set of ``sets`` contains the
    label; ``short`` slices have clearly fewer than wanted.
    """
    held_out, typed, given = given_slices(rows, table, schema, columns)
    loss, least = row_losses(held_out, protocol.task), protocol.settings["slice_rows"]
    given = [(name, "given", mask) for name, mask in given]
    is_scored = halves(held_out, protocol.seed)
    found = [(name, "worst found", mask & is_scored) for name, mask in worst(typed, loss, ~is_scored, schema, least)]
    judged = None if sets is None else held_out[[ROW]].merge(sets, on=ROW)
    is_in = None if judged is None else contains_label(judged, held_out, protocol.task.classes)
    large = [(name, how, mask) for name, how, mask in [*given, *found] if mask.sum() >= least]
    sides = [(mask, ~mask & (is_scored if how == "worst found" else True)) for _, how, mask in large]
    lines = []
    for (name, how, mask), (rest, p) in zip(large, against_rest(held_out, loss, sides, protocol), strict=True):
        scored = scored_slice(held_out, loss, mask, protocol)
        of_sets = {} if judged is None else covered(held_out, is_in, mask & judged[JUDGED].to_numpy(), protocol, len(large))
        lines.append({"slice": name, "found": how, **scored, **of_sets, "loss_elsewhere": rest, "p": p})
    found = pd.DataFrame(lines, columns=[name for name in COLUMNS if name not in ("p_adjusted", "worse")])
    found["p_adjusted"] = holm(found["p"])
    return found.assign(worse=found["p_adjusted"] < 1 - protocol.settings["level"])


def given_slices(rows, table, schema, columns):
    """Return the held-out rows, their typed columns, and the slices by ``columns`` as pairs (title, mask)."""
    held_out = rows[rows[PART] != DEPLOY].reset_index(drop=True)
    typed = held_out[[ROW]].merge(table.drop(columns=[LABEL, PART]), on=ROW)
    return held_out, typed, [pair for column in columns for pair in values_of(typed, schema, column, held_out[LABEL])]


def scored_slice(rows, loss, mask, protocol):
    """Return the scores of a slice."""
    part, settings = rows[mask].reset_index(drop=True), protocol.settings
    even, units = np.ones(len(part)), np.unique(unit_numbers(rows)[mask], return_inverse=True)[1]
    name = main_metric(protocol.task)
    predicted, observed = predicted_and_observed(part, protocol.task)
    off = observed - predicted
    of_weightings = {name: main_of(part, protocol), "loss": partial(mean, loss[mask]), "off": partial(mean, off)}
    values = {key: as_float(metric(even[None])) for key, metric in of_weightings.items()}
    drawn = draws(of_weightings, even, units, settings["draws"], generator(protocol.seed, "bootstrap"))
    bounds = Bounds(part[LABEL].to_numpy(), bool(protocol.task.classes), units, even, settings["level"])
    loss_ends = possible("log_loss", *interval(values["loss"], drawn["loss"], settings["level"], bounds.units_in(slice(None))))
    off_ends = interval(values["off"], drawn["off"], settings["level"], bounds.units_in(slice(None)))
    return {
        "rows": len(part),
        **dict(zip(("value", "low", "high"), (values[name], *bounds.of(name, values, drawn)), strict=True)),
        **dict(zip(("loss", "loss_low", "loss_high"), (values["loss"], *loss_ends), strict=True)),
        **dict(zip(("off", "off_low", "off_high"), (values["off"], *off_ends), strict=True)),
        "predicted": predicted.mean(),
        "observed": observed.mean(),
    }


def predicted_and_observed(rows, task):
    """Return the probability of the positive class and whether a row has it, or the values; NaN for several classes.

    Shapes (rows,).
    """
    if task.kind == "multiclass":
        return np.full((2, len(rows)), np.nan)
    labels, scores, _ = as_arrays(rows, task)
    return scores[:, -1], labels


def covered(rows, is_in, mask, protocol, slices):
    """Return the share of some rows whose conformal set contains the label, with its interval; nothing of no rows.

    ``short`` says whether it is less than wanted, by an interval that is adjusted for the number of slices (Bonferroni).
    """
    weight, settings = mask.astype("float64"), protocol.settings
    found = share(is_in, weight, rows, protocol)
    if not found:
        return {}
    adjusted = {**settings, "level": 1 - (1 - settings["level"]) / slices}
    most = share(is_in, weight, rows, replace(protocol, settings=adjusted))["high"]
    is_short = most is not None and most < settings["coverage"]
    return {"covered": found["value"], "covered_low": found["low"], "covered_high": found["high"], "short": is_short}


def against_rest(rows, loss, sides, protocol):
    """Return for each slice the mean loss of other rows at its shares of classes, and the p-value of its being no larger.

    ``sides`` has pairs of masks, of the slice and of the other rows. Classes that no other row has are left out. Without other
    rows there is no loss, and the p-value is 1. All slices are compared on the same draws.
    """
    strata = rows[LABEL].to_numpy("int64") if protocol.task.classes else np.zeros(len(rows), dtype="int64")
    cell, first = cells_of([strata, *(mask for side in sides for mask in side)])
    known = [
        (place, RestOfSlice(own[first], others[first], strata[first], np.bincount(cell)))
        for place, (own, others) in enumerate(sides)
    ]
    known = [(place, rest) for place, rest in known if rest.codes]
    found = [(None, 1.0)] * len(sides)
    if not known:
        return found

    def gaps(W):
        mass, lost = (np.stack([np.bincount(cell, one) for one in part]) for part in (W, W * loss))
        means = [rest.means(mass, lost) for _, rest in known]
        return np.stack([own - others for own, others in means], axis=1)

    even, units = np.ones(len(rows)), unit_numbers(rows)
    drawn = draws({"gaps": gaps}, even, units, protocol.settings["draws"], generator(protocol.seed, "bootstrap"))["gaps"]
    for (place, rest), own_gap, own_drawn in zip(known, gaps(even[None])[0], drawn.T, strict=True):
        both_sides = bootstrap_p(own_gap, own_drawn, len(np.unique(units[rest.is_compared[cell]])))
        elsewhere = rest.means(np.bincount(cell)[None], np.bincount(cell, loss)[None])[1]
        found[place] = float(elsewhere[0]), both_sides / 2 if own_gap > 0 else 1 - both_sides / 2
    return found


class RestOfSlice:
    """A slice and the rows that it is compared with, by cells of rows that no slice and no class tells apart.

    All arrays are of shape (cells,): whether a cell is of the slice, or of the others, its class, and its number of rows.
    """

    def __init__(self, is_own, is_other, strata, rows):
        self.codes = [code for code in np.unique(strata[is_own]) if (is_other & (strata == code)).any()]
        self.is_compared = is_own & np.isin(strata, self.codes)
        self.sides = [[part & (strata == code) for code in self.codes] for part in (is_own, is_other)]
        counts = np.array([rows[cells].sum() for cells in self.sides[0]], dtype=float)
        self.shares = counts / counts.sum()

    def means(self, mass, lost):
        """Return the mean loss of the slice and of the others, at the slice's shares of classes; two of shape (draws,).

        ``mass`` and ``lost`` have the weights of rows and of their losses in each cell; shape (draws, cells).
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            return [
                self.shares @ np.stack([lost[:, cells].sum(axis=1) / mass[:, cells].sum(axis=1) for cells in side])
                for side in self.sides
            ]


def cells_of(marks):
    """Return the number of each row's cell, rows being in one if they have the same marks, and a row of each cell."""
    cell = np.zeros(len(marks[0]), dtype="int64")
    for mark in marks:
        cell = pd.factorize(cell * (int(mark.max(initial=0)) + 1) + mark)[0]
    return cell, np.unique(cell, return_index=True)[1]


def values_of(typed, schema, source, labels):
    """Return the slices of a raw column as pairs (title, mask): each value and the gaps, or quarters of a column of numbers."""
    named = []
    for name, values in columns_of(typed, schema, source, labels).items():
        named += parts_of(values, name)
    return named


def columns_of(typed, schema, source, labels):
    """Return the typed columns that were made of a raw one, by name; of texts and pictures, what is measured of them.

    The target is that of the rows.
    """
    if source == schema["target"]:
        names = dict(enumerate(schema["classes"])) if schema["classes"] else {}
        return {source: labels.map(names) if names else labels}
    columns = {column["name"]: column["source"] for column in schema["columns"]}
    encoded = {column["name"]: column for column in schema["columns"] if column["kind"] in kinds.ENCODED}
    made = [name for name in columns if source in (name, columns[name])]
    if made and set(made) <= set(encoded):
        title, values = kinds.measured(typed[made[0]], encoded[made[0]])
        return {f"{source}, {title},": values}
    if made:
        return {name if columns[name] != source or len(made) > 1 else source: typed[name] for name in made}
    raise UserError(f"slices: there is no column {source!r}; {nearest(source, dict.fromkeys(columns.values()))}")


def parts_of(values, name):
    """Return the slices of a typed column as pairs (title, mask)."""
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
