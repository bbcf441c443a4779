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
    together,
    with_interval,
    with_interval_in_percent,
)

MOST_BARS = 15
# The columns of a slice's loss and of that elsewhere.
LOSSES = {"value": "loss", "low": "loss_low", "high": "loss_high", "elsewhere": "loss_elsewhere"}


def pictures(run):
    """Return the loss on slices, the importance of columns, and how predictions move with the leading ones."""
    return [*slice_pictures(run), *importance_pictures(run), *dependence_pictures(run)]


def slice_pictures(run):
    """Return the mean loss of the reference model on slices, the largest first."""
    table = run.slices.sort_values("loss", ascending=False).head(MOST_BARS)
    if not len(table):
        return []
    names = {"slice": "name", "loss": "value", "loss_low": "low", "loss_high": "high"}
    shown = table[list(names)].rename(columns=names)
    title = "mean log loss" if run.task.classes else "RMSE"
    if not run.task.classes:
        shown[["value", "low", "high"]] **= 0.5
    drawn = figures.ranking(shown, title)
    text = (
        "Less is better. Slices that were found by search were searched on one half of the rows and are scored on the other "
        "half."
    )
    return [figures.Picture("slices", drawn, f"Where {run.title(run.reference)} errs", text)]


def importance_pictures(run):
    """Return the permutation importance of columns for the reference model."""
    if run.importance is None:
        return []
    table, metric = run.importance.head(MOST_BARS), METRIC_TITLES[run.main]
    arrows = table["direction"].map({"rises": " ↑", "falls": " ↓"}).fillna("")
    names = table["column"].astype("str") + arrows
    change = "drop" if run.more_is_better else "rise"
    drawn = figures.ranking(table.assign(name=names).rename(columns={"loss": "value"}), f"{change} in {metric} when shuffled")
    level = f" Lines are {100 * run.settings['level']:g} % intervals over folds." if table["low"].notna().any() else ""
    text = (
        f"How much worse the {metric} on held-out rows is when the values of a column are shuffled.{level} An arrow says that "
        "predictions clearly rise or fall with the column; without one they do neither everywhere. Columns that go together "
        "share what they are worth, so a small value does not show that a column is not used."
    )
    return [figures.Picture("importance", drawn, f"Columns that {run.title(run.reference)} relies on", text)]


def dependence_pictures(run):
    """Return how predictions of the reference model move with its leading columns; none of more than two classes."""
    if run.dependence is None:
        return []
    said = f"probability of {run.task.classes[1]}" if run.task.classes else f"predicted {run.schema['target']}"
    curves = sum(name.startswith("row ") for name in run.dependence.columns)
    text = (
        f"Predictions of held-out rows if this column had other values, and all else stayed as it is. Pale are {curves} single "
        "rows, bold is the mean of more. Where columns go together, some such rows cannot exist."
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
    elsewhere = "elsewhere, weighted to the same shares of classes" if run.task.classes else "elsewhere"
    further = {0: "", 1: "; one more slice is worse"}.get(others, f"; {others} more slices are worse")
    what, size = ("a mean log loss of", float) if run.task.classes else ("a root mean squared error of", math.sqrt)
    there, rest = together(size(line["loss"]), size(line["loss_elsewhere"]))
    half = " of the half that such slices are scored on" if line["found"] != "given" else ""
    return (
        f"{run.quoted(run.reference)} errs most where {line['slice']} ({line['rows']:,} rows{half}): {what} {there} there, and "
        f"{rest} {elsewhere}{further} by more than chance explains."
    )


def group_sentence(run):
    """Return the largest gap between a group's errors and those of others that is clear; empty if there is none."""
    apart = run.groups[run.groups["apart"].astype(bool)]
    if not len(apart):
        return ""
    largest = apart.loc[apart["gap"].abs().idxmax()]
    both = run.groups[run.groups["group"] == largest["group"]].to_dict("records")
    others = len(apart) - sum(bool(line["apart"]) for line in both)
    more = f" {others} more such gap{'s are' if others > 1 else ' is'} clear: see “Errors by group”." if others else ""
    return (
        f"Errors differ between groups. Where {largest['group']}, {run.quoted(run.reference)} decides "
        f"{', and '.join(rate_part(line, run.task.classes) for line in both)}.{more}"
    )


def rate_part(line, classes):
    """Return how often rows of a class are wrongly decided in a group and elsewhere, as a part of a sentence."""
    negative, positive = classes
    was, said = (negative, positive) if line["rate"] == FALSE_POSITIVES else (positive, negative)
    apart = "" if line["apart"] else ", which chance may explain"
    return f"for {said} in {percent(line['value'])} of the rows that are {was} ({percent(line['elsewhere'])} elsewhere{apart})"


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
            **loss_text(line, run.task.classes),
            "off": off_text(line, run.task.classes),
            "covered": covered_text(line),
            "worse": line["worse"],
        }
        for line in run.slices.to_dict("records")
    ]


def loss_text(line, classes):
    """Return the loss of a slice and that elsewhere as text; of values the root of the squared error, in their own unit."""
    size = float if classes else math.sqrt
    found = {key: line[name] if pd.isna(line[name]) else size(line[name]) for key, name in LOSSES.items()}
    return {"loss": with_interval(found), "elsewhere": number(found["elsewhere"])}


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
