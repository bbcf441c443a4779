"""Monitoring: scores of models on later batches, and alarms where the loss of the frozen model has risen.

Labels of a batch are read after every model has predicted it.
"""

import numpy as np

from stillhouse.columns import BATCH, FOLD, LABEL, ROW, STATE, STATES, TIME
from stillhouse.evaluation.scores import assess, row_losses

# Rises of the mean loss below this many standard deviations are ignored.
TOLERANCE = 0.1
# Draws of sequences of expected losses, and the share of them that may raise an alarm.
DRAWS, FALSE_ALARMS = 500, 0.01
# After an alarm, the rows that are needed before the statistic counts again.
LEAST_PAST = 200
STATISTIC_POINTS = 600


def monitored(updates, table, folds, held_out, protocol, rng):
    """Return scores by batch and state, alarms on the frozen model's loss, and the statistic behind them.

    ``updates`` has the predictions of the batches; ``held_out`` has the scored rows of the same model, whose loss is the one
    expected without drift. ``folds`` has time and group, if there are any.
    """
    known = updates.merge(table[[ROW, LABEL]], on=ROW).merge(folds, on=ROW)
    frozen = sorted_by_time(known[known[STATE] == STATES[0]], [BATCH])
    expected = row_losses(sorted_by_time(held_out), protocol.task)
    statistic, threshold, alarms = page_hinkley_watch(row_losses(frozen, protocol.task), expected, rng)
    batches = frozen[BATCH].to_numpy()
    points = np.unique(np.linspace(0, len(statistic) - 1, STATISTIC_POINTS).astype(int))
    return {
        "batches": [batch_scores(part, protocol) for _, part in known.groupby(BATCH)],
        "alarms": [{"after_rows": position + 1, "batch": int(batches[position])} for position in alarms],
        "threshold": threshold,
        "statistic": [[int(point) + 1, float(statistic[point])] for point in points],
    }


def sorted_by_time(rows, first=()):
    """Return rows sorted by the columns ``first``, then by time if there is any, then by row number."""
    return rows.sort_values([*first, *([TIME] if TIME in rows else []), ROW])


def batch_scores(part, protocol):
    """Return the metrics of each state on one batch."""
    scored = part.assign(**{FOLD: 0})
    states = {state: assess(scored[scored[STATE] == state], protocol)["metrics"] for state in STATES}
    return {"batch": int(part[BATCH].iloc[0]), "rows": int((part[STATE] == STATES[0]).sum()), "states": states}


def page_hinkley_watch(losses, expected, rng):
    """Return the Page-Hinkley statistic after each row, the threshold, and the positions where it was exceeded.

    Of sequences of this length that are drawn from the expected losses, one in 100 exceeds the threshold. Each is judged by the
    mean and deviation of a reference that is drawn anew, as those of the expected losses are estimates too. All are drawn in
    blocks of adjacent rows, as these may be dependent (Künsch 1989). After an alarm the statistic restarts, with the mean and
    deviation of the rows since the rise as expectation; it stays 0 for 200 rows, and these are few, so that later alarms are
    less certain.
    """
    mean, deviation = moments(expected)
    sequences, references = (drawn_in_blocks(expected, length, rng) for length in (len(losses), len(expected)))
    highest = [
        page_hinkley((drawn - own_mean) / own_deviation - TOLERANCE).max()
        for drawn, (own_mean, own_deviation) in zip(sequences, map(moments, references), strict=True)
    ]
    threshold = float(np.quantile(highest, 1 - FALSE_ALARMS))
    statistic, alarms, start = np.empty(len(losses)), [], 0
    steps = (losses - mean) / deviation - TOLERANCE
    while start < len(losses):
        sums = page_hinkley(steps)
        above = np.flatnonzero(sums > threshold)
        end = above[0] + 1 if len(above) else len(sums)
        statistic[start : start + end] = sums[:end]
        if len(above):
            alarms.append(int(start + end - 1))
            rise = start + int(np.argmin(np.r_[0, np.cumsum(steps[:end])]))
            steps = standardized_by_past(losses[rise:])[start + end - rise :] - TOLERANCE
        start += end
    return statistic, threshold, alarms


def moments(losses):
    """Return the mean and the standard deviation of losses, the latter above 0."""
    return float(losses.mean()), max(float(losses.std()), 1e-12)


def drawn_in_blocks(expected, length, rng):
    """Yield sequences of losses, shape (length,), made of blocks whose size is the square root of the number of losses."""
    size = max(1, round(len(expected) ** 0.5))
    for _ in range(DRAWS):
        starts = rng.integers(len(expected) - size + 1, size=-(-length // size))
        yield expected[(starts[:, None] + np.arange(size)).ravel()[:length]]


def standardized_by_past(values):
    """Return each value standardized by the values before it; 0 where these are fewer than ``LEAST_PAST``."""
    count = np.maximum(np.arange(len(values)), 1)
    mean, square = (np.r_[0, np.cumsum(values**power)[:-1]] / count for power in (1, 2))
    deviation = np.sqrt(np.maximum(square - mean**2, 1e-24))
    return np.where(count >= LEAST_PAST, (values - mean) / deviation, 0)


def page_hinkley(steps):
    """Return how far cumulated steps are above their minimum so far, along the last axis (Page 1954; Hinkley 1971)."""
    sums = np.cumsum(steps, axis=-1)
    return sums - np.minimum(np.minimum.accumulate(sums, axis=-1), 0)
