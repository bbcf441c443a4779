"""Did the rows suffice? The learning curve of the reference model, made of ever fewer rows."""

from math import ceil, inf

import numpy as np
import pandas as pd

from stillhouse.evaluation.sample_size import explained, rows_needed
from stillhouse.intake.kinds import CATEGORICAL, ENCODED, feature_columns
from stillhouse.report import figures
from stillhouse.report.text import METRIC_TITLES, gap_with_interval, together


def pictures(run):
    """Return the learning curve, if shares of the rows were asked for."""
    if not run.shares:
        return []
    table = curve(run)
    few = "" if "test" in run.schema["rows"] else "; of few rows, few are scored"
    text = (
        f"Each point is a model made and scored in the same way on part of the rows, with its interval{few}. A curve that is "
        "flat on the right says that more rows like these would bring little."
    )
    what = "training rows" if "test" in run.schema["rows"] else "rows in folds"
    drawn = figures.learning_curve(table, METRIC_TITLES[run.main], what)
    return [figures.Picture("learning-curve", drawn, f"What more rows bring to {run.title(run.reference)}", text)]


def curve(run):
    """Return the main metric with its interval by the rows of the table, the fewest first.

    They are those that are in folds or, where given test rows alone are scored, as many as were asked for.
    """
    found, of_all = [], run.schema["rows"]
    for halvings, part in enumerate([run.metrics[run.reference], *run.shares]):
        rows = of_all["train"] // 2**halvings if "test" in of_all else part["held_out"]["rows"]
        found.append({**part["held_out"]["metrics"][run.main], "rows": rows})
    return pd.DataFrame(found)[["rows", "value", "low", "high"]].sort_values("rows", ignore_index=True)


def sentence(run):
    """Return what the last doubling of the rows brought, with an interval, and what another may bring at best."""
    if not run.shares:
        return ""
    table = curve(run)
    half, whole = table.iloc[-2], table.iloc[-1]
    gap = whole["value"] - half["value"]
    if table[["low", "high"]].iloc[-2:].isna().any(axis=None):
        return ""
    # As if the rows of both were different ones: the interval is rather too wide, as they are in part the same.
    low = gap - np.hypot(whole["value"] - whole["low"], half["high"] - half["value"])
    high = gap + np.hypot(whole["high"] - whole["value"], half["value"] - half["low"])
    better = (gap > 0) == run.more_is_better
    if low <= 0 <= high:
        what = "what another doubling would bring cannot be told from this"
    else:
        what = "another doubling may bring up to as much" if better else "more rows made it worse"
    value, before = together(whole["value"], half["value"])
    changed = gap_with_interval({"gap": gap, "gap_low": low, "gap_high": high})
    kind = "training rows" if "test" in run.schema["rows"] else "rows"
    return (
        f"With {whole['rows']:,.0f} {kind} in place of {half['rows']:,.0f}, {run.quoted(run.reference)} has an "
        f"{METRIC_TITLES[run.main]} of {value} in place of {before}, a change of {changed}; {what}. The interval "
        "is rather too wide, as the two have rows in common."
    )


def size_sentence(run):
    """Return how many rows a regression would take, and how many there are; nothing but for two classes of a plain table."""
    columns = feature_columns(run.schema)
    if run.task.kind != "binary" or any(column["kind"] in ENCODED for column in columns):
        return ""
    losses = [part["held_out"]["metrics"]["log_loss"]["value"] for part in (run.metrics[run.leader], run.constant)]
    r2, counts, rows = explained(*losses), run.schema["class_rows"], run.schema["rows"]["train"] - run.left_out
    parameters = sum(run.table[column["name"]].nunique() - 1 if column["kind"] == CATEGORICAL else 1 for column in columns)
    positive = counts[run.task.classes[1]] / sum(counts.values())
    needed = max(rows_needed(parameters, r2, positive).values()) if r2 > 0 else inf
    if needed == inf:
        return ""
    return (
        f"For scale: a regression with a coefficient for each column of numbers and each category, {parameters:,} in all, that "
        f"explains as much as {run.quoted(run.leader)} does takes {ceil(needed):,} rows to keep overfitting small (criteria of "
        f"Riley et al. 2019). There are {rows:,}, {'enough' if rows >= needed else 'too few'} for such a model, which sets no "
        "least number for trees and networks."
    )
