"""Errors by group: how often rows of a group are wrongly decided to be positive or negative, and how far that is from others.

Equal losses may hide unequal errors: a group may have most of the false positives, and another most of the false negatives.
"""

import numpy as np
import pandas as pd

from stillhouse.columns import DECISION, DEPLOY, FALSE_NEGATIVES, FALSE_POSITIVES, LABEL, PART, ROW
from stillhouse.evaluation.intervals import bootstrap_p, draws, interval, share_interval
from stillhouse.evaluation.slicing import values_of
from stillhouse.intake.folds import unit_numbers
from stillhouse.seeds import generator
from stillhouse.shift.adjusted import holm

# The label of the rows that each rate is a share of.
RATES = {FALSE_POSITIVES: 0, FALSE_NEGATIVES: 1}
COLUMNS = (
    *("group", "rate", "rows", "base_rate", "value", "low", "high"),
    *("elsewhere", "gap", "gap_low", "gap_high", "p", "p_adjusted", "apart"),
)


def groups(rows, table, schema, columns, protocol):
    """Return a line for each group and rate, the smallest group first; none but for two classes with decisions.

    Groups are the values of ``columns``, or quarters of a column of numbers, with at least ``slice_rows`` rows; a rate is that
    at the tuned threshold. ``elsewhere`` is the rate of all other rows of the column. The interval of the ``gap`` is adjusted
    for the number of lines (Bonferroni), its p-value by Holm's method; ``apart`` says whether that one is significant.
    """
    held_out = rows[rows[PART] != DEPLOY].reset_index(drop=True)
    if protocol.task.kind != "binary" or DECISION not in held_out:
        return pd.DataFrame(columns=list(COLUMNS))
    typed = held_out[[ROW]].merge(table.drop(columns=[LABEL, PART]), on=ROW)
    given = [pair for column in columns for pair in values_of(typed, schema, column, held_out[LABEL])]
    large = [(name, mask) for name, mask in given if mask.sum() >= protocol.settings["slice_rows"]]
    labels, decided = held_out[LABEL].to_numpy(int), held_out[DECISION].to_numpy(int)
    pairs = [(name, mask, rate) for name, mask in sorted(large, key=lambda one: one[1].sum()) for rate in RATES]
    lines = lines_of(pairs, labels, decided, unit_numbers(held_out), protocol)
    found = pd.DataFrame(lines, columns=[name for name in COLUMNS if name not in ("p_adjusted", "apart")])
    found["p_adjusted"] = holm(found["p"])
    return found.assign(apart=found["p_adjusted"] < 1 - protocol.settings["level"])[list(COLUMNS)]


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
    levels, lines = (settings["level"], 1 - (1 - settings["level"]) / len(known)), []
    for column, place in enumerate(known):
        (name, mask, rate), own = pairs[place], sides[place][0]
        facts = {"group": name, "rate": rate, "rows": int(mask.sum()), "base_rate": float(labels[mask].mean())}
        count = len(np.unique(units[own]))
        lines.append(facts | compared(values[:, column], drawn[:, :, column], levels, count, int(own.sum())))
    return lines


def compared(values, drawn, levels, units, rows):
    """Return a rate with its interval, and its gap to that elsewhere with an interval of another level and its p-value.

    ``values`` are the rates in the group and elsewhere, ``drawn`` their draws (draws, 2).
    """
    value, elsewhere = map(float, values)
    low, high = share_interval(value, drawn[:, 0], levels[0], units, rows)
    gap, moved = value - elsewhere, drawn[:, 0] - drawn[:, 1]
    gap_low, gap_high = interval(gap, moved, levels[1], units)
    ends = {"value": value, "low": low, "high": high, "elsewhere": elsewhere}
    return {**ends, "gap": gap, "gap_low": gap_low, "gap_high": gap_high, "p": bootstrap_p(gap, moved, units)}
