"""Tomek links: of two nearest neighbours of different classes, the one of the larger class is left out (Tomek 1976)."""

from imblearn.under_sampling import TomekLinks

from stillhouse.columns import LABEL, features

# The time grows with the square of the rows: 50 seconds of a core for 100,000.
MOST_ROWS = 1_000_000


def make():
    """Return a function of (sample, rng)."""
    return lambda sample, rng: without_links(sample)


def without_links(sample):
    """Return the sample without the rows of larger classes that are in links."""
    cleaner = TomekLinks()
    cleaner.fit_resample(sample[features(sample)].to_numpy(), sample[LABEL].to_numpy())
    return sample.iloc[sorted(cleaner.sample_indices_)].reset_index(drop=True)
