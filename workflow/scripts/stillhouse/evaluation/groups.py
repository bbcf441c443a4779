"""Errors by group: how often rows of a group are wrongly decided to be positive or negative, and how far that is from others.

Equal losses may hide unequal errors: a group may have most of the false positives, and another most of the false negatives.
"""

import numpy as np
import pandas as pd

from stillhouse.columns import DECISION, FALSE_NEGATIVES, FALSE_POSITIVES, LABEL
from stillhouse.evaluation.intervals import draws, share_interval
from stillhouse.evaluation.slicing import given_slices
from stillhouse.intake.folds import unit_numbers
from stillhouse.seeds import generator

# The label of the rows that each rate is a share of.
RATES = {FALSE_POSITIVES: 0, FALSE_NEGATIVES: 1}
COLUMNS = (
    *("group", "rate", "rows", "base_rate", "of_rows", "value", "low", "high"),
    *("elsewhere", "gap", "gap_low", "gap_high", "apart"),
)


def groups(rows, table, schema, columns, protocol):
    """Return a line for each group and rate, the smallest group first; none but for two classes with decisions.

    Groups are the values of ``columns``, or quarters of a column of numbers, with at least ``slice_rows`` rows; of two that
    have all rows between them the smaller one, as the other has the same gap with the other sign. A rate is that at the tuned
    threshold, a share of ``of_rows`` rows. ``elsewhere`` is the rate of all other rows. The interval of the ``gap`` is
    adjusted for the number of lines (Bonferroni); ``apart`` says whether it leaves out 0.
    """
    if protocol.task.kind != "binary" or DECISION not in rows:
        return pd.DataFrame(columns=list(COLUMNS))
    held_out, _, given = given_slices(rows, table, schema, columns)
    large = without_mirrors((name, mask) for name, mask in given if mask.sum() >= protocol.settings["slice_rows"])
    labels, decided = held_out[LABEL].to_numpy(int), held_out[DECISION].to_numpy(int)
    pairs = [(name, mask, rate) for name, mask in large for rate in RATES]
    return pd.DataFrame(lines_of(pairs, labels, decided, unit_numbers(held_out), protocol), columns=list(COLUMNS))


def without_mirrors(named):
    """Return pairs (name, mask) without those whose mask is the complement of a smaller one, or of an earlier one as large."""
    kept = []
    for name, mask in sorted(named, key=lambda one: one[1].sum()):
        if not any((mask == ~other).all() for _, other in kept):
            kept.append((name, mask))
    return kept


def lines_of(pairs, labels, decided, units, protocol):
    """Return a line for each (name, mask, rate) whose rate is known in the group and elsewhere."""
    sides = [(mask & (labels == RATES[rate]), ~mask & (labels == RATES[rate])) for _, mask, rate in pairs]
    known = [place for place, (own, others) in enumerate(sides) if own.any() and others.any()]
    if not known:
        return []
    within, outside = (np.column_stack([sides[place][side] for place in known]).astype("float64") for side in (0, 1))
    wrong, settings = (decided != labels)[:, None], protocol.settings

    def rates(W):
        return np.stack([W @ (part * wrong) / (W @ part) for part in (within, outside)], axis=1)

    even, rng = np.ones(len(labels)), generator(protocol.seed, "bootstrap")
    with np.errstate(invalid="ignore", divide="ignore"):
        values, drawn = rates(even[None])[0], draws({"": rates}, even, units, settings["draws"], rng)[""]
    adjusted, lines = 1 - (1 - settings["level"]) / len(known), []
    for column, place in enumerate(known):
        name, mask, rate = pairs[place]
        facts = {"group": name, "rate": rate, "rows": int(mask.sum()), "base_rate": float(labels[mask].mean())}
        shares = [
            (float(values[side, column]), drawn[:, side, column], len(np.unique(units[rows])), int(rows.sum()))
            for side, rows in enumerate(sides[place])
        ]
        lines.append({**facts, "of_rows": shares[0][3], **compared(*shares, settings["level"], adjusted)})
    return lines


def compared(own, other, level, adjusted):
    """Return a rate with its interval, and its gap to that elsewhere with an interval of another level.

    Each rate is (value, draws, units, rows). The gap's interval is that of two independent shares, from their own (Newcombe
    1998, method 10), so that a rate of 0 in a few rows is as uncertain as it should be.
    """
    (value, drawn, units, rows), elsewhere = own, other[0]
    low, high = share_interval(value, drawn, level, units, rows)
    wide = [share_interval(one, draws, adjusted, units, rows) for one, draws, units, rows in (own, other)]
    gap, ends = value - elsewhere, (None, None)
    if None not in (*wide[0], *wide[1]):
        (own_low, own_high), (other_low, other_high) = wide
        ends = gap - np.hypot(value - own_low, other_high - elsewhere), gap + np.hypot(own_high - value, elsewhere - other_low)
    is_apart = ends[0] is not None and not ends[0] <= 0 <= ends[1]
    found = {"value": value, "low": low, "high": high, "elsewhere": elsewhere}
    return {**found, "gap": gap, "gap_low": ends[0], "gap_high": ends[1], "apart": is_apart}
