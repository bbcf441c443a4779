"""Intervals and tests of metrics and of gaps between models: over rows by the bootstrap, over folds by a t-test."""

import numpy as np
from scipy.stats import norm, t

# The largest number of values of a block of draws, which limits memory.
MOST_VALUES = 2**23


def draws(metrics, weight, units, count, rng):
    """Return each metric on the same bootstrap draws of whole units, rows or groups of rows (Efron 1979).

    ``metrics`` maps a name to a function of weightings (draws, rows) that returns one value for each draw; ``units`` has the
    number of each row's unit, from 0. Equal states of ``rng`` give equal draws, so that draws of two models are paired.
    """
    step = max(1, MOST_VALUES // max(len(units), 1))
    parts = []
    for start in range(0, count, step):
        drawn = counts(units, min(step, count - start), rng) * weight
        parts.append({name: metric(drawn) for name, metric in metrics.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in metrics}


def counts(units, count, rng):
    """Return how often each row is in each of ``count`` bootstrap draws of units; shape (count, rows)."""
    n = int(units.max()) + 1
    drawn = np.stack([np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(count)])
    return drawn[:, units].astype("float64")


def interval(values, level):
    """Return the percentile interval of draws, as two floats; two None where no draw is finite."""
    values = values[np.isfinite(values)]
    if not len(values):
        return None, None
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def resampled_t(values, ratio, level):
    """Return the mean of values of folds, its interval, and the p-value of a mean of 0, by the corrected resampled t-test.

    ``ratio`` is the ratio of held-out to training rows. As training sets overlap, the variance of the mean is estimated as
    (1 / folds + ratio) times that of the values (Nadeau & Bengio 2003, section 3). Folds without a value are left out; with
    fewer than two, all but the mean are None.
    """
    values = np.array(list(values), dtype=float)
    values = values[np.isfinite(values)]
    if len(values) < 2 or ratio is None:
        return (float(values.mean()) if len(values) else None), None, None, None
    mean, error = float(values.mean()), float(np.sqrt((1 / len(values) + ratio) * values.var(ddof=1)))
    half = t.ppf((1 + level) / 2, len(values) - 1) * error
    p = 2 * t.sf(abs(mean) / error, len(values) - 1) if error > 0 else float(mean == 0)
    return mean, mean - half, mean + half, float(p)


def bootstrap_p(gap, drawn):
    """Return the p-value of a gap of 0, by the standard deviation of its bootstrap draws and the normal distribution.

    Counting draws beyond 0 would need thousands of draws, as p-values have to remain small after adjustment for many pairs.
    """
    error = float(np.nanstd(drawn))
    return float(2 * norm.sf(abs(gap) / error)) if error > 0 else float(gap == 0)
