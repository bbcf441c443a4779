"""Rows of larger classes are left out at random until every class has as many rows as the smallest."""

import numpy as np

from stillhouse.columns import LABEL


def make():
    """Return a function of (sample, rng)."""
    return undersampled


def undersampled(sample, rng):
    """Return as many rows of each class as the smallest has."""
    groups = sample.groupby(LABEL).indices
    least = min(map(len, groups.values()))
    kept = [rng.choice(rows, least, replace=False) for _, rows in sorted(groups.items())]
    return sample.iloc[np.sort(np.concatenate(kept))].reset_index(drop=True)
