"""The score of every model against its size and the time of predicting one row."""

import numpy as np
import pandas as pd

from stillhouse.report import figures
from stillhouse.report.scatter import pareto
from stillhouse.report.text import METRIC_TITLES, number, ratio

AXES = {"milliseconds": "milliseconds for one row", "bytes": "bytes"}
# An AUC that is lower by at most this counts as almost as good.
SMALL_LOSS = 0.01
# The seconds of a run in which no job is at work, at most.
BETWEEN_JOBS = 60


def pictures(run):
    """Return the score of every model against the time of one row, and against bytes."""
    if not run.footprints:
        return []
    values = {name: run.value(name) for name in run.footprints}
    sign, title = 1 if run.more_is_better else -1, METRIC_TITLES[run.main]
    drawn = []
    for key, label in AXES.items():
        lines = [(name, found[key], values[name], found["form"]) for name, found in run.footprints.items()]
        table = pd.DataFrame(lines, columns=["model", "footprint", "score", "form"])
        at_front = pareto_front(run.footprints, {name: sign * value for name, value in values.items()}, key)
        figure = pareto(table, at_front, label, title, title=run.title)
        if len(at_front) > 1:
            line = f"The line joins the models that no other beats at less cost: none to the left has a better {title}."
        else:
            line = f"{run.title(at_front[0])} is the best and costs the least."
        text = f"{line} Preparation is included; times are on one core. Models are those of split {run.shown_split}."
        drawn.append(figures.Picture(f"front-{key}", figure, f"{title} against {label}", text))
    return drawn


def pareto_front(footprints, scores, key):
    """Return the models that no other beats in score at the same or a smaller footprint, the smallest first."""
    front, best = [], -np.inf
    for name in sorted(footprints, key=lambda name: (footprints[name][key], -scores[name])):
        if scores[name] > best:
            front.append(name)
            best = scores[name]
    return front


def sentence(run):
    """Return how much faster and smaller the fastest of the almost equally good models is; empty if it leads itself."""
    if run.leader not in run.footprints or run.main != "auc":
        return ""
    best = run.value(run.leader)
    near = [name for name in run.footprints if best - run.value(name) <= SMALL_LOSS]
    fastest = min(near, key=lambda name: run.footprints[name]["milliseconds"])
    if fastest == run.leader:
        return ""
    speed, size = (run.footprints[run.leader][key] / run.footprints[fastest][key] for key in ("milliseconds", "bytes"))
    lower = number(best - run.value(fastest))
    same = f"{run.quoted(fastest)} has the same AUC in three decimals"
    said = same if float(lower) == 0 else f"The AUC of {run.quoted(fastest)} is lower by {lower}"
    return f"{said}; it is {ratio(speed, 'faster', 'slower', 'fast')} and {ratio(size, 'smaller', 'larger', 'large')}."


def time_sentence(run, now):
    """Return how long the jobs took beside what was estimated; ``now`` is the time in seconds since the epoch.

    Where more time has passed than all jobs take one after the other, an earlier run made a part, and nothing is compared.
    """
    total = sum(job["seconds"] for job in run.jobs)
    said = f"The times of {len(run.jobs)} jobs add up to {total:.0f} seconds; the longest are shown."
    if "estimate" not in run.config or not run.jobs:
        return said
    passed = now - min(job["begun"] for job in run.jobs)
    taken = f"its first job began {passed / 60:.1f} minutes before this report"
    if passed > total + BETWEEN_JOBS:
        taken = "a part of it was made by an earlier run"
    estimate = run.config["estimate"]
    return f"The run was estimated at {estimate['minutes']} minutes on {estimate['cores']} cores; {taken}. {said}"
