"""Comparison: each model beside the leading one, on the same rows and the same bootstrap draws."""

import numpy as np
import pandas as pd

from stillhouse.columns import DEPLOY, PART
from stillhouse.errors import UserError
from stillhouse.evaluation import as_arrays, unit_numbers
from stillhouse.intervals import draws, interval
from stillhouse.metrics import MORE_IS_BETTER, main_metric, within_folds
from stillhouse.seeds import generator

PARTS = {"": "value", "_low": "low", "_high": "high"}


def compare(metrics, rows, plain, schema, settings, seed):
    """Return one row per model, the leading one first: its metrics, and its gap to the leader with an interval.

    ``metrics`` and ``rows`` map a model to its metrics and its scored rows, ``plain`` a model that learns from resampled rows
    to the same without resampling, which at its tuned threshold is what resampling has to beat. ``behind`` is True where the
    interval of the gap leaves out 0, so that chance alone is no good explanation for it; the leader was chosen on the same
    rows, which makes the gaps look a little larger than they are.
    """
    drawn = {name: main_draws(scored, schema, settings, seed) for name, scored in rows.items()}
    name_of_main = main_metric(schema["task"]).__name__
    sign = 1 if name_of_main in MORE_IS_BETTER else -1
    values = {name: found["held_out"]["metrics"][name_of_main]["value"] for name, found in metrics.items()}
    if None in values.values():
        raise UserError(f"the scored rows have no {name_of_main}, as they are of one class; score more rows, or merge classes")
    ranked = sorted(values, key=lambda name: -sign * values[name])
    lines = []
    for name in ranked:
        found, best = values[name], values[ranked[0]]
        low, high = interval(drawn[name] - drawn[ranked[0]], settings["level"])
        line = {"model": name, "plain": plain.get(name, ""), **numbers(metrics[name])}
        lines.append({**line, "gap": found - best, "gap_low": low, "gap_high": high})
    table = pd.DataFrame(lines)
    worst = table["gap_high"] if sign > 0 else -table["gap_low"]
    table["behind"] = (table["model"] != ranked[0]) & (worst < 0)
    return table


def main_draws(rows, schema, settings, seed):
    """Return bootstrap draws of the main metric on held-out rows."""
    rows = rows[rows[PART] != DEPLOY]
    labels, scores, folds = as_arrays(rows, schema)
    metric, rng = within_folds(main_metric(schema["task"]), folds), generator(seed, "bootstrap")
    return draws(metric, labels, scores, np.ones(len(rows)), unit_numbers(rows), settings["draws"], rng)


def numbers(metrics):
    """Return a model's metrics as one flat row."""
    values = {}
    for population, assessed in metrics.items():
        prefix = "" if population == "held_out" else f"{population}_"
        for metric, found in assessed["metrics"].items():
            values |= {f"{prefix}{metric}{part}": found[key] for part, key in PARTS.items()}
    return values
