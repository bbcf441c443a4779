"""Conformal sets: how often they contain the true label, and how large they are."""

from math import ceil

import pandas as pd

from stillhouse.report import figures
from stillhouse.report.text import number, percent, together, with_interval_in_percent

POPULATIONS = {
    "held_out": (
        "Coverage of conformal sets",
        "On held-out rows. The limits of a row come from all others, so that coverage of all rows is near what is wanted by "
        "construction; parts of the rows, and deploy rows, put it to the test.",
    ),
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


def sentences(run):
    """Return what the leading model's conformal sets are, how often they hold on held-out and deploy rows, and where least."""
    estimate = run.metrics[run.leader]["held_out"]["conformal"]
    if not estimate:
        return []
    wanted, title = percent(run.settings["coverage"]), run.quoted(run.leader)
    if run.task.classes:
        what = f"the classes that it may have, so that {wanted} of such sets contain the true one (conformal sets)"
    else:
        what = f"the values that it may have, so that {wanted} of such intervals contain the true one (conformal intervals)"
    first = (
        f"For each row, {title} can name {what}. Their limits come from other held-out rows, so of all held-out rows "
        f"{with_interval_in_percent(estimate)} have theirs contain it{by_class(run, estimate)}. {size_sentence(run, estimate)}"
    )
    return [first, *filter(None, (group_sentence(run), deploy_sentence(run), least_slice_sentence(run)))]


def group_sentence(run):
    """Return that groups have limits of their own, and what that means; empty where they have not."""
    facts = thresholds(run)
    if not facts or not facts["by"]:
        return ""
    return (
        f"Each value of {facts['by']['source']} has limits of its own: two rows with equal predictions may have different "
        "sets, as they are of different groups."
    )


def deploy_sentence(run):
    """Return how often the leading model's sets of labelled deploy rows contain the label; empty without such rows."""
    estimate = (run.metrics[run.leader].get("deploy") or {}).get("conformal")
    if not estimate:
        return ""
    wanted = run.settings["coverage"]
    is_low = estimate["high"] is not None and estimate["high"] < wanted
    short = f", clearly fewer than the {percent(wanted)} that are wanted" if is_low else ""
    return f"Of the labelled deploy rows, {with_interval_in_percent(estimate)} have sets that contain the label{short}."


def least_slice_sentence(run):
    """Return the slice whose rows have sets that contain the label least often; empty where none is clearly short."""
    short = run.slices[run.slices["short"].eq(True)]
    if not len(short):
        return ""
    line, more = short.loc[short["covered"].idxmin()], len(short) - 1
    found = {"value": line["covered"], "low": line["covered_low"], "high": line["covered_high"]}
    others = f"; {more} more slice{'s have' if more > 1 else ' has'} clearly too few" if more else ""
    return (
        f"Coverage of all rows hides parts of them: where {line['slice']}, sets of {run.quoted(run.reference)} contain the "
        f"label of {with_interval_in_percent(found)} of the rows{others}."
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
        return f"Intervals are {number(estimate['size'])} wide on average{by_fifth(run)}."
    several = max(0.0, 1 - estimate["single"] - estimate["empty"])
    none = f", and {percent(estimate['empty'])} none" if estimate["empty"] else ""
    return f"Of the sets, {percent(estimate['single'])} name one class, {percent(several)} several{none}."


def by_fifth(run):
    """Return how wide the intervals of the lowest and the highest predicted values are, where each fifth has its own."""
    facts = thresholds(run)
    if not facts or not facts["edges"] or run.metrics[run.leader]["held_out"].get("quantiles"):
        return ""
    limits = {line["fifth"]: line["limits"][0] for line in facts["strata"] if not line["group"]}
    if None in (limits.get(0), limits.get(4)):
        return ""
    lowest, highest = together(2 * limits[0], 2 * limits[4])
    return f", {lowest} for the lowest fifth of predicted values and {highest} for the highest"


def by_class(run, estimate):
    """Return the class whose rows are covered least, and what to do about it; empty where each class has sets of its own."""
    if not estimate["classes"] or run.settings["by_class"]:
        return ""
    name, least = min(estimate["classes"].items(), key=lambda item: item[1]["value"])
    advice = "; `report: {by_class: true}` makes sets for each class" if is_short(run, least) else ""
    return f", and of those that are {name} {percent(least['value'])} ({least['rows']:,} rows){advice}"


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
