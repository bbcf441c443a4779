"""Net benefit of deciding by a probability, beside treating all rows alike (Vickers & Elkin 2006).

At a threshold t a false positive counts t / (1 - t) of a true one: who treats from t on says that this many false positives are
worth one true positive. Net benefit is true positives less false positives at this rate, a share of all rows.
"""

import numpy as np
from scipy.sparse import csr_matrix

from stillhouse.evaluation.intervals import draws, interval

THRESHOLDS = np.arange(1, 100) / 100


def net_benefit(labels, p):
    """Return the net benefit of rows as a function of weightings (draws, rows), which returns (draws, thresholds)."""
    below = THRESHOLDS.searchsorted(p, side="right")
    places = csr_matrix((np.ones(len(p)), (np.arange(len(p)), below)), shape=(len(p), len(THRESHOLDS) + 1))
    odds = THRESHOLDS / (1 - THRESHOLDS)

    def benefit(W):
        positives, all_rows = ((places.T @ values.T).T[:, :0:-1].cumsum(axis=1)[:, ::-1] for values in (W * labels, W))
        return (positives - (all_rows - positives) * odds) / W.sum(axis=1, keepdims=True)

    return benefit


def of_all(labels, W):
    """Return the net benefit of treating every row; shape (draws, thresholds)."""
    share = (W @ labels / W.sum(axis=1))[:, None]
    return share - (1 - share) * THRESHOLDS / (1 - THRESHOLDS)


def assessed(labels, p, weight, units, settings, rng):
    """Return the net benefit at each threshold with its bootstrap interval, and that of treating every row, as lists."""
    benefit = net_benefit(labels, p)
    drawn = draws({"it": benefit}, weight, units, settings["draws"], rng)["it"]
    values, count = benefit(weight[None])[0], int(units.max()) + 1
    ends = [interval(value, own, settings["level"], count) for value, own in zip(values, drawn.T, strict=True)]
    low, high = zip(*ends, strict=True)
    return {
        "thresholds": THRESHOLDS.tolist(),
        "value": values.tolist(),
        "low": list(low),
        "high": list(high),
        "all": of_all(labels, weight[None])[0].tolist(),
    }
