"""Rows of rarer classes are drawn again until every class has as many rows as the largest."""

import numpy as np

from stillhouse.columns import LABEL


def make():
    """Return a function of (sample, rng); drawn rows keep their row number, weight and fold."""
    return oversampled


def oversampled(sample, rng):
    """Return all rows of the sample and, for each class but the largest, drawn ones."""
    groups = sample.groupby(LABEL).indices
    most = max(map(len, groups.values()))
    drawn = [np.r_[rows, rng.choice(rows, most - len(rows))] for _, rows in sorted(groups.items())]
    return sample.iloc[np.sort(np.concatenate(drawn))].reset_index(drop=True)
