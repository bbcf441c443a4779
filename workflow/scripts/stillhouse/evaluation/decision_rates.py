"""How often a decision between two classes is right: of the rows that have a class, and of those that are decided for it."""

import numpy as np

from stillhouse.evaluation.intervals import share_interval
from stillhouse.evaluation.net_benefit import THRESHOLDS, Thresholds

# The rows that a rate is a share of: by label, or by decision, and which.
RATES = {
    "sensitivity": ("label", 1),
    "specificity": ("label", 0),
    "positive predictive value": ("decision", 1),
    "negative predictive value": ("decision", 0),
}


class DecisionRates:
    """The rates of the decisions for some rows as a function of weightings."""

    def __init__(self, labels, decided, p):
        by = {"label": labels, "decision": decided}
        self.labels, self.acted = labels, Thresholds(labels, p)
        self.of = np.stack([by[key] == code for key, code in RATES.values()], axis=1).astype("float64")
        self.right = self.of * (labels == decided)[:, None]

    def __call__(self, W):
        """Return each of ``RATES`` for each weighting (draws, rows); shape (draws, rates)."""
        with np.errstate(invalid="ignore"):
            return (W @ self.right) / (W @ self.of)

    def told(self, weight, drawn, level, units):
        """Return each rate with its interval, and sensitivity and specificity at each threshold, as lists."""
        found = {}
        for name, value, own, rows in zip(RATES, self(weight[None])[0], drawn.T, self.of.sum(axis=0), strict=True):
            value = float(value) if np.isfinite(value) else None
            low, high = share_interval(value, own, level, units, rows)
            found[name] = {"value": value, "low": low, "high": high, "rows": int(rows)}
        positives, acted = (part[0] for part in self.acted(weight[None]))
        of_positives, of_negatives = weight @ self.labels, weight @ (1 - self.labels)
        return {
            "tuned": found,
            "prevalence": float(of_positives / weight.sum()),
            "thresholds": THRESHOLDS.tolist(),
            "sensitivity": (positives / of_positives).tolist(),
            "specificity": (1 - (acted - positives) / of_negatives).tolist(),
        }
