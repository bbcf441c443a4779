"""SMOTE, then rows of any class that their neighbours outvote are left out (Batista et al. 2004)."""

from stillhouse.preparation.resamplers.enn import edited
from stillhouse.preparation.resamplers.smote import with_smote_rows

# As SMOTE and edited nearest neighbours.
MOST_ROWS = 1_000_000


def make(neighbors):
    """Return a function of (sample, rng)."""
    return lambda sample, rng: edited(
        with_smote_rows(sample, neighbors, seed=int(rng.integers(2**31))), neighbors=3, classes="all"
    )
