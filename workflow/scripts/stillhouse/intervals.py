"""Bootstrap: what a metric would have been on other rows of the same kind."""

import numpy as np

CHUNK = 2**23


def draws(metric, labels, scores, weight, units, count, rng):
    """Return a metric on bootstrap draws of whole units (rows, or groups of rows); shape (count,) (Efron 1979).

    ``units`` numbers each row's unit from 0. The same ``rng`` state gives the same draws, so that the draws of two
    models on the same rows are pairs.
    """
    step = max(1, CHUNK // max(len(labels), 1))
    parts = []
    for start in range(0, count, step):
        drawn = counts(units, min(step, count - start), rng)
        parts.append(metric(labels, scores, drawn * weight))
    return np.concatenate(parts)


def counts(units, count, rng):
    """Return how often each row is drawn when as many units are drawn as there are; shape (count, rows)."""
    n = int(units.max()) + 1
    drawn = np.stack([np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(count)])
    return drawn[:, units].astype("float64")


def interval(values, level):
    """Return the percentile interval of draws, as two floats, or None where no draw has a value."""
    values = values[np.isfinite(values)]
    if not len(values):
        return None, None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
