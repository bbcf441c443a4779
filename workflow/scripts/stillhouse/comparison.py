"""Comparison: models beside the leading one, and students beside teachers and twins, by the same bootstrap draws."""

import numpy as np
import pandas as pd

from stillhouse.columns import DEPLOY, PART, ROW
from stillhouse.errors import UserError
from stillhouse.evaluation import as_arrays, unit_numbers
from stillhouse.intervals import draws, interval
from stillhouse.metrics import MORE_IS_BETTER, main_metric, within_folds
from stillhouse.predictions import SMALLEST, columns_of
from stillhouse.seeds import generator

STUDENTS = ("student", "other", "is", "gap", "gap_low", "gap_high", "better", "worse", "agreement", "divergence")
PARTS = {"": "value", "_low": "low", "_high": "high"}


def compare(metrics, drawn, plain, schema, settings):
    """Return one row per model, the leading one first: its metrics, and its gap to the leader with an interval.

    ``metrics`` and ``drawn`` map a model to its metrics and its ``main_draws``, ``plain`` a resampled model to the same without
    resampling, which at its tuned threshold is what resampling has to beat. ``behind`` is True where the interval of the gap
    leaves out 0, so that chance alone is no good explanation for it; the leader was chosen on the same rows, which makes the
    gaps look a little larger than they are.
    """
    name_of_main, sign, values = main_values(metrics, schema)
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


def compare_students(students, metrics, rows, drawn, schema, settings):
    """Return one row for each student and each model that it is held against: its teachers, and its twin.

    ``students`` maps a name to those models by what they are to it. ``gap`` is the student's main metric less the other's
    on the same rows, ``better`` and ``worse`` say whether its interval leaves out 0. ``agreement`` is the share of rows whose
    likeliest class is the same, ``divergence`` the mean of KL(other || student); of a regression these are the correlation
    and the root mean squared difference.
    """
    (_, sign, values), lines = main_values(metrics, schema), []
    for student, others in students.items():
        for other, part in others.items():
            low, high = interval(drawn[student] - drawn[other], settings["level"])
            ends = sorted((sign * low, sign * high))
            line = {"student": student, "other": other, "is": part, "gap": values[student] - values[other]}
            line |= {"gap_low": low, "gap_high": high, "better": ends[0] > 0, "worse": ends[1] < 0}
            lines.append(line | fidelity(rows[student], rows[other], schema["classes"]))
    return pd.DataFrame(lines, columns=STUDENTS)


def fidelity(student, other, classes):
    """Return how alike the predictions of two models are on held-out rows; see ``compare_students``."""
    both = student[student[PART] != DEPLOY].merge(other, on=ROW, suffixes=("", " of other"))
    names = columns_of(classes)
    p, q = both[names].to_numpy(), both[[f"{name} of other" for name in names]].to_numpy()
    if not classes:
        alike = float(np.corrcoef(p[:, 0], q[:, 0])[0, 1]) if p.std() and q.std() else None
        return {"agreement": alike, "divergence": float(np.sqrt(((p - q) ** 2).mean()))}
    logs = np.log(np.maximum(q, SMALLEST)) - np.log(np.maximum(p, SMALLEST))
    return {"agreement": float((p.argmax(1) == q.argmax(1)).mean()), "divergence": float((q * logs).sum(axis=1).mean())}


def main_values(metrics, schema):
    """Return the main metric's name, 1 where more of it is better and -1 else, and its value on held-out rows by model."""
    name = main_metric(schema["task"]).__name__
    values = {model: found["held_out"]["metrics"][name]["value"] for model, found in metrics.items()}
    return name, 1 if name in MORE_IS_BETTER else -1, values


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
