"""A threshold of two classes for the reader to choose: what it decides, rightly and wrongly, for a thousand rows."""

import numpy as np

from stillhouse.columns import DEPLOY, PART
from stillhouse.report.sections.probabilities import tuned_thresholds

# The rows that counts are of, and those of a class that is so rare that a thousand rows would hardly have one.
ROWS, MANY, RARE = 1000, 100_000, 0.01
ROWS_OF = {"held_out": "held-out rows", "deploy": "labelled deploy rows"}


def choice(run):
    """Return what the page needs for its threshold: rates by threshold, the share of positive rows, and the first counts.

    None but for two classes. Rates are those of labelled deploy rows where there are some. The threshold that is shown first
    is the tuned one there, of several folds the one in the middle.
    """
    metrics = run.metrics[run.leader]
    if not metrics["held_out"].get("decisions"):
        return None
    population = "deploy" if "decisions" in metrics.get("deploy", {}) else "held_out"
    found = metrics[population]["decisions"]
    rows = run.rows[run.leader]
    tuned = tuned_thresholds(rows[(rows[PART] == DEPLOY) == (population == "deploy")], run.task.classes)
    usual = float(np.median(tuned)) if tuned else found["prevalence"]
    share, whence = positive_share(run, found, population)
    first = min(range(len(found["thresholds"])), key=lambda place: abs(found["thresholds"][place] - usual))
    rows, digits = (MANY, 3) if share < RARE else (ROWS, 1)
    rates = {key: np.round(found[key], 5).tolist() for key in ("sensitivity", "specificity")}
    return {
        "rates": rates,
        "first": first + 1,
        "share": round(100 * share, digits),
        "step": 10.0**-digits,
        "of": rows,
        "whence": whence,
        "rows": ROWS_OF[population],
        "model": run.quoted(run.leader),
        "counts": counts(rows, rates["sensitivity"][first], rates["specificity"][first], share),
    }


def positive_share(run, found, population):
    """Return the share of positive rows where the model will be used, as far as it is known, and what it is a share of."""
    if population == "held_out" and run.shift and run.shift.get("recommended") == "label":
        return float(run.shift["labels"]["em"]["prior"][1]), "that is estimated for the deploy rows"
    return found["prevalence"], f"of the {ROWS_OF[population]}"


def counts(rows, sensitivity, specificity, share):
    """Return the counts of decisions for so many rows: found, missed, false alarms, rightly left alone."""
    positive = round(rows * share)
    right, alone = round(positive * sensitivity), round((rows - positive) * specificity)
    return {"found": right, "missed": positive - right, "false": rows - positive - alone, "alone": alone}
