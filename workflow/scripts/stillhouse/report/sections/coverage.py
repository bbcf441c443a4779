"""Conformal sets: how often they contain the true label, and how large they are."""

from math import ceil

import pandas as pd

from stillhouse.report import figures
from stillhouse.report.text import number, percent, with_interval_in_percent

POPULATIONS = {
    "held_out": ("Coverage of conformal sets", "On held-out rows; the thresholds of a row come from all others."),
    "deploy_weighted": (
        "Coverage, weighted for deploy rows",
        "Held-out rows and thresholds are weighted to resemble deploy rows.",
    ),
    "deploy": (
        "Coverage on labelled deploy rows",
        "By the models of all splits (CV+), weighted if there are shift weights.",
    ),
}


def pictures(run):
    """Return the coverage of every model on each population."""
    return [picture for population in POPULATIONS if (picture := coverage_picture(run, population))]


def coverage_picture(run, population):
    """Return the coverage of every model on a population, or None where no model has one."""
    names = [name for name in run.comparison["model"] if (run.metrics[name].get(population) or {}).get("conformal")]
    if not names:
        return None
    lines = [{"name": name, **run.metrics[name][population]["conformal"]} for name in names]
    estimates = pd.DataFrame(lines)[["name", "value", "low", "high"]]
    wanted, (title, text) = run.settings["coverage"], POPULATIONS[population]
    label = f"share of rows; the target is {100 * wanted:g} %"
    return figures.Picture(
        f"coverage-{population}", figures.ranking(estimates, label, wanted=wanted, title=run.title), title, text
    )


def sentence(run):
    """Return the coverage and size of the leading model's conformal sets, and the class that they cover least."""
    estimate = run.metrics[run.leader]["held_out"]["conformal"]
    if not estimate:
        return ""
    sets = "sets" if run.task.classes else "intervals"
    return (
        f"The conformal {sets} of {run.quoted(run.leader)} contain the true label of "
        f"{with_interval_in_percent(estimate)} of rows; {percent(run.settings['coverage'])} is wanted"
        f"{by_class(run, estimate)}{by_group(run, estimate)}. {size_sentence(run, estimate)}"
    )


def short_sentence(run):
    """Return for which classes and groups new rows have sets that exclude nothing, and why; empty for none."""
    facts = thresholds(run)
    if not facts:
        return ""
    classes, share = run.task.classes if run.task.classes and run.settings["by_class"] else [None], run.settings["coverage"]
    least, few, unlike = ceil(share / (1 - share) - 1e-9), [], []
    for line in facts["strata"]:
        for name, limit, rows in zip(classes, line["limits"], line["rows"], strict=True):
            if limit is None:
                title = stratum_title(name, facts["by"], line["group"], line["fifth"] if facts["edges"] else None)
                (few if rows < least else unlike).append(title)
    said = [
        f"for want of the {least} held-out rows that sets of {percent(share)} take ({'; '.join(few)})" if few else "",
        f"for want of held-out rows that resemble deploy rows ({'; '.join(unlike)})" if unlike else "",
    ]
    return f"Sets of new rows exclude nothing {', and '.join(filter(None, said))}." if few or unlike else ""


def thresholds(run):
    """Return what the leading model's sets of new rows are made by; None without sets."""
    return run.metrics[run.leader]["held_out"].get("sets")


def stratum_title(name, by, group, fifth):
    """Return what a threshold is for: a class, a group, a fifth of the predicted values, or several of them."""
    parts = (
        "" if name is None else f"class {name}",
        f"{by['source']} {group}" if by else "",
        "" if fifth is None else f"fifth {fifth + 1} of the predicted values",
    )
    return ", ".join(filter(None, parts))


def quantile_sentences(run):
    """Return for each model with quantiles how many rows lie below each of them."""
    known = {name: run.metrics[name]["held_out"].get("quantiles") for name in run.comparison["model"]}
    return [
        f"Of the rows, {', '.join(map(share_below, found.items()))} of {run.quoted(name)}."
        for name, found in known.items()
        if found
    ]


def share_below(item):
    """Return the share of rows below a quantile as text, with its interval."""
    name, found = item
    return f"{with_interval_in_percent(found)} lie below the quantile {float(name[1:]):g}"


def size_sentence(run, estimate):
    """Return how large the sets or intervals are."""
    if not run.task.classes:
        return f"They are {number(estimate['size'])} wide on average."
    several = max(0.0, 1 - estimate["single"] - estimate["empty"])
    none = f", and {percent(estimate['empty'])} none" if estimate["empty"] else ""
    return f"Of the sets, {percent(estimate['single'])} name one class, {percent(several)} several{none}."


def by_class(run, estimate):
    """Return the class whose rows are covered least, and what to do about it; empty for a regression."""
    if not estimate["classes"]:
        return ""
    name, least = min(estimate["classes"].items(), key=lambda item: item[1]["value"])
    advice = ", and `report: {by_class: true}` makes sets for each class" if is_short(run, least) else ""
    return f". Of the rows of class {name} it is {percent(least['value'])} ({least['rows']:,} rows){advice}"


def by_group(run, estimate):
    """Return the group whose rows are covered least; empty without groups."""
    if not estimate["groups"]:
        return ""
    name, least = min(estimate["groups"].items(), key=lambda item: item[1]["value"])
    where = f"{thresholds(run)['by']['source']} is {name}"
    return f". Where {where} it is {percent(least['value'])} ({least['rows']:,} rows), the least of all groups"


def is_short(run, estimate):
    """Return whether coverage is clearly less than wanted, and sets are not made by class already."""
    return estimate["high"] is not None and estimate["high"] < run.settings["coverage"] and not run.settings["by_class"]


def class_lines(run):
    """Return a line for each model: its coverage of held-out rows, of all and of each class, as text."""
    return [
        {"model": run.title(name), "all": with_interval_in_percent(found), "size": number(found["size"])}
        | {code: with_interval_in_percent(found["classes"].get(code)) for code in run.task.classes}
        for name in run.comparison["model"]
        if run.task.classes and (found := run.metrics[name]["held_out"]["conformal"])
    ]


def group_lines(run):
    """Return a line for each model: its coverage of the held-out rows of each group, as text; none without groups."""
    found = {name: (run.metrics[name]["held_out"]["conformal"] or {}).get("groups") for name in run.comparison["model"]}
    return [
        {"model": run.title(name), "groups": {group: with_interval_in_percent(one) for group, one in groups.items()}}
        for name, groups in found.items()
        if groups
    ]
