"""Intervals and tests of metrics and of gaps between models: over rows by the bootstrap, over folds by a t-test."""

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from stillhouse.progress import told

# The number of values of a block of draws: few enough for the caches of a processor.
MOST_VALUES = 2**20
# A perfect value may lack this much, as it is a sum of shares.
ROUNDING = 1e-12


def draws(metrics, weight, units, count, rng):
    """Return each metric on the same bootstrap draws of whole units, rows or groups of rows (Efron 1979).

    ``metrics`` maps a name to a function of weightings (draws, rows) that returns one value for each draw; ``units`` has the
    number of each row's unit, from 0. Equal states of ``rng`` give equal draws, so that draws of two models are paired.
    """
    step = max(1, MOST_VALUES // max(len(units), 1))
    parts = []
    for start in told(range(0, count, step), "blocks of bootstrap draws"):
        drawn = counts(units, min(step, count - start), rng) * weight
        parts.append({name: metric(drawn) for name, metric in metrics.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in metrics}


def counts(units, count, rng):
    """Return how often each row is in each of ``count`` bootstrap draws of units; shape (count, rows)."""
    n = int(units.max()) + 1
    drawn = np.stack([np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(count)])
    is_by_row = len(units) == n and (units == np.arange(n)).all()
    return (drawn if is_by_row else drawn[:, units]).astype("float64")


def interval(value, drawn, level, units):
    """Return the interval of a value from its bootstrap draws, as two floats; two None where it cannot be told.

    The percentiles of the draws are moved away from the value by the ratio of Student's and the normal quantile and by the
    bias of the bootstrap's variance, as percentiles are too narrow for few ``units`` (Hesterberg 2015, section 5.3).
    """
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn) or units < 2 or value is None:
        return None, None
    stretch = student(level, units) / ndtri((1 + level) / 2) * np.sqrt(units / (units - 1))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(value + stretch * (low - value)), float(value + stretch * (high - value))


def ends(values, drawn, level, units):
    """Return the intervals of several values from their draws (draws, values), as lists ``low`` and ``high``."""
    low, high = zip(*(interval(value, own, level, units) for value, own in zip(values, drawn.T, strict=True)), strict=True)
    return {"low": list(low), "high": list(high)}


def share_interval(value, drawn, level, units, rows, at_the_edge=None):
    """Return the interval of a value in 0 … 1 by the variance of its bootstrap draws; see ``wilson``."""
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn) or units < 2 or value is None:
        return None, None
    return wilson(value, drawn.var() * units / (units - 1), level, units, rows, at_the_edge)


def wilson(value, variance, level, units, rows, at_the_edge=None):
    """Return Wilson's interval (1927) of a value in 0 … 1, with the effective number of rows that its variance implies.

    A share of n independent rows has the variance p (1 - p) / n, so a variance v stands for p (1 - p) / v rows, and for no
    more than there are. At 0 and 1 nothing varies, and each of the ``units`` counts once. Student's quantile replaces the
    normal one.
    """
    spread = value * (1 - value)
    n = min(spread / variance, rows) if variance > 0 and spread > ROUNDING else at_the_edge or units
    squared = student(level, units) ** 2
    middle = (value + squared / (2 * n)) / (1 + squared / n)
    half = np.sqrt(squared * spread / n + (squared / (2 * n)) ** 2) / (1 + squared / n)
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


def mean_of_shares(values, intervals):
    """Return the interval of the mean of independent shares from their own (Zou & Donner 2008, equation 1)."""
    values, count = np.array(values), len(values)
    if any(low is None for low, _ in intervals):
        return None, None
    lows, highs = np.array(intervals).T
    middle = values.mean()
    below, above = (np.sqrt((gaps**2).sum()) / count for gaps in (values - lows, highs - values))
    return float(middle - below), float(middle + above)


def student(level, units):
    """Return Student's quantile for a two-sided interval with one degree of freedom less than there are units."""
    return stdtrit(units - 1, (1 + level) / 2)


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
    half = stdtrit(len(values) - 1, (1 + level) / 2) * error
    p = 2 * stdtr(len(values) - 1, -abs(mean) / error) if error > 0 else float(mean == 0)
    return mean, mean - half, mean + half, float(p)


def bootstrap_p(gap, drawn, units):
    """Return the p-value of a gap of 0, by the standard deviation of its bootstrap draws and Student's distribution.

    Counting draws beyond 0 would need thousands of draws, as p-values have to remain small after adjustment for many pairs.
    """
    error = float(np.nanstd(drawn)) * np.sqrt(units / max(units - 1, 1))
    return float(2 * stdtr(max(units - 1, 1), -abs(gap) / error)) if error > 0 else float(gap == 0)


def prediction_interval(values, level):
    """Return the interval in which the value of a further group lies, by those of some groups; None for fewer than three.

    It is Student's for one more draw from a normal distribution, so that it holds the spread between groups and the noise of
    each; groups should be about equally large.
    """
    values = np.array([value for value in values if value is not None and np.isfinite(value)])
    if len(values) < 3:
        return None
    half = student(level, len(values)) * values.std(ddof=1) * np.sqrt(1 + 1 / len(values))
    return float(values.mean() - half), float(values.mean() + half)
