"""Where the reference model errs, which columns it relies on, and a small tree that imitates it."""

import math

import pandas as pd

from stillhouse.columns import FALSE_POSITIVES
from stillhouse.report import figures
from stillhouse.report.text import (
    METRIC_TITLES,
    gap_with_interval,
    number,
    percent,
    with_interval,
    with_interval_in_percent,
)

MOST_BARS = 15


def pictures(run):
    """Return the loss on slices, the importance of columns, and how predictions move with the leading ones."""
    return [*slice_pictures(run), *importance_pictures(run), *dependence_pictures(run)]


def slice_pictures(run):
    """Return the mean loss of the reference model on slices, the largest first."""
    table = run.slices.sort_values("loss", ascending=False).head(MOST_BARS)
    if not len(table):
        return []
    names = {"slice": "name", "loss": "value", "loss_low": "low", "loss_high": "high"}
    drawn = figures.ranking(table[list(names)].rename(columns=names), "mean loss")
    text = (
        "Log loss or squared error; less is better. Slices that were found by search were searched on one half of the "
        "rows and are scored on the other half."
    )
    return [figures.Picture("slices", drawn, f"Where {run.title(run.reference)} errs", text)]


def importance_pictures(run):
    """Return the permutation importance of columns for the reference model."""
    if run.importance is None:
        return []
    table, metric = run.importance.head(MOST_BARS), METRIC_TITLES[run.main]
    arrows = table["direction"].map({"rises": " ↑", "falls": " ↓"}).fillna("")
    names = table["column"].astype("str") + arrows
    drawn = figures.ranking(table.assign(name=names).rename(columns={"loss": "value"}), f"drop in {metric}")
    text = (
        f"How much worse the {metric} on held-out rows is when a column is shuffled. Lines are intervals over folds. An arrow "
        "says whether predictions mostly rise or fall with the column."
    )
    return [figures.Picture("importance", drawn, f"Columns that {run.title(run.reference)} relies on", text)]


def dependence_pictures(run):
    """Return how predictions of the reference model move with its leading columns; none of more than two classes."""
    if run.dependence is None:
        return []
    said = f"probability of {run.task.classes[1]}" if run.task.classes else f"predicted {run.schema['target']}"
    text = (
        "Pale is a held-out row with other values of this column and all else as it is; bold is the mean of such rows. "
        "Where columns go together, some such rows cannot exist."
    )
    return [
        figures.Picture(f"dependence-{place}", figures.dependence(lines, said), f"Predictions by {name}", text)
        for place, (name, lines) in enumerate(run.dependence.groupby("column", sort=False))
    ]


def slice_sentence(run):
    """Return the worst of the slices that are significantly worse than the rest; empty if there are none."""
    worse = run.slices[run.slices["worse"].astype(bool)].sort_values("loss", ascending=False)
    if not len(worse):
        return ""
    line, others = worse.iloc[0], len(worse) - 1
    others_like_it = "other rows with the same shares of classes" if run.task.classes else "other rows"
    further = {0: "", 1: "; one more slice is clearly worse"}.get(others, f"; {others} more slices are clearly worse")
    what, size = ("a mean log loss of", float) if run.task.classes else ("a root mean squared error of", math.sqrt)
    return (
        f"{run.quoted(run.reference)} errs most where {line['slice']} ({line['rows']:,} rows): {what} "
        f"{number(size(line['loss']))} there, {number(size(line['loss_elsewhere']))} on {others_like_it}{further}."
    )


def group_sentence(run):
    """Return the largest gap between a group's errors and those of others that is clear; empty if there is none."""
    apart = run.groups[run.groups["apart"].astype(bool)]
    if not len(apart):
        return ""
    line, others = apart.loc[apart["gap"].abs().idxmax()], len(apart) - 1
    negative, positive = run.task.classes
    was, said = (negative, positive) if line["rate"] == FALSE_POSITIVES else (positive, negative)
    further = {0: "", 1: "; one more such gap is clear"}.get(others, f"; {others} more such gaps are clear")
    return (
        f"Errors differ between groups: of rows that are {was}, {run.quoted(run.reference)} decides for {said} in "
        f"{percent(line['value'])} where {line['group']}, and in {percent(line['elsewhere'])} of others{further}."
    )


def group_lines(run):
    """Return a line for each group and kind of error, as text."""
    return [
        {
            **{key: line[key] for key in ("group", "rate", "rows", "apart")},
            "base_rate": percent(line["base_rate"]),
            "value": with_interval(line),
            "elsewhere": number(line["elsewhere"]),
            "gap": gap_with_interval(line),
        }
        for line in run.groups.to_dict("records")
    ]


def slice_lines(run):
    """Return a line for each slice, as text."""
    return [
        {
            "slice": line["slice"],
            "searched": line["found"] != "given",
            "rows": line["rows"],
            "value": with_interval(line),
            "loss": with_interval({"value": line["loss"], "low": line["loss_low"], "high": line["loss_high"]}),
            "elsewhere": number(line["loss_elsewhere"]),
            "off": off_text(line, run.task.classes),
            "covered": covered_text(line),
            "worse": line["worse"],
        }
        for line in run.slices.to_dict("records")
    ]


def off_text(line, classes):
    """Return what is predicted and observed on a slice, and the gap between them, as text; empty for several classes."""
    if pd.isna(line["off"]):
        return None
    write = percent if classes else number
    gap = {"value": line["off"], "low": line["off_low"], "high": line["off_high"]}
    return write(line["predicted"]), write(line["observed"]), with_interval(gap)


def covered_text(line):
    """Return the share of a slice's rows whose conformal set contains the label, as text; a dash where it is not known."""
    found = {"value": line["covered"], "low": line["covered_low"], "high": line["covered_high"]}
    return "–" if pd.isna(line["covered"]) else with_interval_in_percent(found)


def leaf_lines(run):
    """Return a line for each leaf of the surrogate tree, as text."""
    if run.surrogate is None:
        return []
    leaves = run.surrogate["leaves"]
    return [{**leaf, "says": leaf["says"] if isinstance(leaf["says"], str) else number(leaf["says"])} for leaf in leaves]


def surrogate_sentence(run):
    """Return how well the surrogate tree imitates the reference model; empty without one."""
    if run.surrogate is None:
        return ""
    classes, fidelity, model = run.task.classes, percent(run.surrogate["fidelity"]), run.quoted(run.reference)
    if classes and len(classes) > 2:
        result = f"names the most likely class of {model} for {fidelity} of rows that it was not fitted on"
    else:
        what = f"{model}'s probability of {classes[1]}" if classes else f"{model}'s values"
        result = f"explains {fidelity} of the variance of {what} on rows that it was not fitted on"
    return f"A tree of depth three {result}. It shows what the model predicts, not what is true."
