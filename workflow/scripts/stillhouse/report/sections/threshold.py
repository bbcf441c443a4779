"""A threshold of two classes for the reader to choose: what it decides, rightly and wrongly, for a thousand rows."""

import numpy as np

from stillhouse.columns import DEPLOY, LABEL, PART

ROWS = 1000


def choice(run):
    """Return what the page needs for its threshold: rates by threshold, the share of positive rows, and the first counts.

    None but for two classes. The threshold that is shown first is the held-out share of positive rows, the best one for
    balanced accuracy if probabilities are right.
    """
    found = run.metrics[run.leader]["held_out"].get("decisions")
    if not found:
        return None
    share, whence = positive_share(run, found)
    first = min(range(len(found["thresholds"])), key=lambda place: abs(found["thresholds"][place] - found["prevalence"]))
    rates = {key: np.round(found[key], 5).tolist() for key in ("sensitivity", "specificity")}
    return {
        "rates": rates,
        "first": first + 1,
        "share": round(100 * share, 1),
        "whence": whence,
        "model": run.quoted(run.leader),
        "counts": counts(rates["sensitivity"][first], rates["specificity"][first], share),
    }


def positive_share(run, found):
    """Return the share of positive rows where the model will be used, as far as it is known, and what it is a share of."""
    deploy = run.table.loc[(run.table[PART] == DEPLOY) & run.table[LABEL].notna(), LABEL]
    if len(deploy):
        return float(deploy.mean()), "of the labelled deploy rows"
    if run.shift and run.shift.get("recommended") == "label":
        return float(run.shift["labels"]["em"]["prior"][1]), "estimated for the deploy rows"
    return found["prevalence"], "of the held-out rows"


def counts(sensitivity, specificity, share):
    """Return the counts of decisions for ``ROWS`` rows: found, missed, false alarms, rightly left alone."""
    positive = round(ROWS * share)
    right, alone = round(positive * sensitivity), round((ROWS - positive) * specificity)
    return {"found": right, "missed": positive - right, "false": ROWS - positive - alone, "alone": alone}
