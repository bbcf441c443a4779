"""Conformal sets: how often they contain the true label, and how large they are."""

import pandas as pd

from stillhouse.report import figures
from stillhouse.report.text import number, percent

POPULATIONS = {
    "held_out": ("Coverage of conformal sets", "On held-out rows; thresholds come from rows of other folds."),
    "deploy_weighted": (
        "Coverage, weighted for deploy rows",
        "Held-out rows and thresholds are weighted to resemble deploy rows.",
    ),
    "deploy": (
        "Coverage on labelled deploy rows",
        "Thresholds come from all held-out rows, weighted if there are shift weights.",
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
    label = f"share of rows whose set contains the label; the target is {100 * wanted:g} %"
    return figures.Picture(
        f"coverage-{population}", figures.ranking(estimates, label, wanted=wanted, title=run.title), title, text
    )


def sentence(run):
    """Return the coverage and size of the leading model's conformal sets."""
    estimate = run.metrics[run.leader]["held_out"]["conformal"]
    if not estimate:
        return ""
    size = number(estimate["size"])
    sets, size = ("sets", f"have {size} classes") if run.task.classes else ("intervals", f"are {size} wide")
    return (
        f"The conformal {sets} of {run.quoted(run.leader)} contain the true label of {percent(estimate['value'])} of rows "
        f"({percent(estimate['low'])} to {percent(estimate['high'])}); the target is {percent(run.settings['coverage'])}. "
        f"They {size} on average."
    )
