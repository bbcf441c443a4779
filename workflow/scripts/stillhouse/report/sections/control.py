"""The control: models that are made on shuffled labels, which nothing can predict unless something leaks."""

from scipy.special import ndtri

from stillhouse.report.text import METRIC_TITLES, listed, number

# The level of the interval that must contain chance, so that a run without a leak hardly ever raises the alarm.
CONTROL_LEVEL = 0.999
# The value of a metric where nothing can be predicted; for R², lower values mean chance too.
CHANCE = {"auc": 0.5, "r2": 0.0}


def alarms(run):
    """Return the sentences in red: shuffled labels that were predicted, columns that tell the target, rows learned from."""
    leaking = judged_controls(run)[True]
    found = [
        f"Something leaks: on shuffled labels, which nothing can predict, {listed(leaking)}. "
        "Do not trust any score on this page until the reason is found."
    ] * bool(leaking)
    return [*found, *(f"{alert[0].upper()}{alert[1:]}" + "." * (alert[-1] not in ".?") for alert in run.schema["alerts"])]


def sentence(run):
    """Return how the controls scored if nothing leaks; an empty text otherwise, or without controls."""
    controls = judged_controls(run)
    if controls[True] or not controls[False]:
        return ""
    return (
        f"On shuffled labels, {listed(controls[False])}, which includes chance: the workflow itself shows no leak. Columns "
        "that would not be known when the model is used, and rows that are in the table twice, cannot be found in this way."
    )


def judged_controls(run):
    """Return the controls that leak, under True, and those that do not, under False, as phrases."""
    metric, phrases = run.main if run.main in CHANCE else "r2", {True: [], False: []}
    for model, metrics in run.control.items():
        estimate = metrics["held_out"]["metrics"][metric]
        if estimate["value"] is None or estimate["low"] is None:
            continue
        low, high = control_interval(estimate, run.settings["level"])
        leaks = low > CHANCE[metric] or (metric == "auc" and high < CHANCE[metric])
        scored = f"{METRIC_TITLES[metric]} of {number(estimate['value'])} (99.9 % interval {number(low)} to {number(high)})"
        phrases[leaks].append(f"{run.quoted(model)} has an {scored}")
    return phrases


def control_interval(estimate, level):
    """Return the interval of a metric at the level of controls, from its interval at the level of the run."""
    factor = ndtri((1 + CONTROL_LEVEL) / 2) / ndtri((1 + level) / 2)
    value = estimate["value"]
    return value - factor * (value - estimate["low"]), value + factor * (estimate["high"] - value)
