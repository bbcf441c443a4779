"""Edited nearest neighbours: rows of larger classes that their neighbours outvote are left out (Wilson 1972)."""

from imblearn.under_sampling import EditedNearestNeighbours

from stillhouse.columns import LABEL, features

# The time grows with the square of the rows: 46 seconds of a core for 100,000.
MOST_ROWS = 1_000_000


def make(neighbors):
    """Return a function of (sample, rng)."""
    return lambda sample, rng: edited(sample, neighbors, classes="auto")


def edited(sample, neighbors, classes):
    """Return the sample without outvoted rows: of all classes but the smallest (``auto``), or of ``all`` classes."""
    cleaner = EditedNearestNeighbours(n_neighbors=neighbors, sampling_strategy=classes, kind_sel="mode")
    cleaner.fit_resample(sample[features(sample)].to_numpy(), sample[LABEL].to_numpy())
    return sample.iloc[sorted(cleaner.sample_indices_)].reset_index(drop=True)
