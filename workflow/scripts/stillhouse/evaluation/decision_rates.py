"""How often a decision between two classes is right: of the rows that have a class, and of those that are decided for it."""

import numpy as np

from stillhouse.evaluation.confusion import share
from stillhouse.evaluation.intervals import share_interval
from stillhouse.evaluation.net_benefit import THRESHOLDS, Acted

# The class of each rate, and the axis of (label, decision) that the rows it is a share of are summed over.
RATES = {
    "sensitivity": (1, "decision"),
    "specificity": (0, "decision"),
    "positive predictive value": (1, "label"),
    "negative predictive value": (0, "label"),
}
AXES = {"label": 1, "decision": 2}


class DecisionRates:
    """The rates of the decisions for some rows as a function of weightings; ``confusion`` has them by label and decision."""

    def __init__(self, labels, confusion, p):
        self.labels, self.confusion, self.acted = labels, confusion, Acted(labels, p)

    def __call__(self, W):
        """Return each of ``RATES`` for each weighting (draws, rows); shape (draws, rates)."""
        masses = self.confusion.masses(W)
        rates = [share(masses[:, code, code], masses.sum(axis=AXES[axis])[:, code]) for code, axis in RATES.values()]
        return np.stack(rates, axis=1)

    def told(self, weight, drawn, level, units):
        """Return each rate with its interval, and sensitivity and specificity at each threshold, as lists."""
        found, counts = {}, self.confusion.counts
        for (name, (code, axis)), value, own in zip(RATES.items(), self(weight[None])[0], drawn.T, strict=True):
            value, rows = float(value) if np.isfinite(value) else None, int(counts.sum(axis=AXES[axis] - 1)[code])
            low, high = share_interval(value, own, level, units, rows)
            found[name] = {"value": value, "low": low, "high": high, "rows": rows}
        positives, acted = (part[0] for part in self.acted(weight[None]))
        of_positives, of_negatives = weight @ self.labels, weight @ (1 - self.labels)
        return {
            "tuned": found,
            "prevalence": float(of_positives / weight.sum()),
            "thresholds": THRESHOLDS.tolist(),
            "sensitivity": (positives / of_positives).tolist(),
            "specificity": (1 - (acted - positives) / of_negatives).tolist(),
        }
