"""Borderline SMOTE: synthetic rows around those of a class that have many neighbours of others (Han et al. 2005)."""

from imblearn.over_sampling import BorderlineSMOTE

from stillhouse.columns import LABEL, features
from stillhouse.preparation.resampled_rows import with_resampled_rows
from stillhouse.preparation.resamplers.smote import check_neighbors

# Memory grows by 0.4 GB for 100,000 rows.
MOST_ROWS = 3_000_000


def make(neighbors):
    """Return a function of (sample, rng); one-hot blocks are interpolated and made whole again."""
    return lambda sample, rng: with_border_rows(sample, neighbors, seed=int(rng.integers(2**31)))


def with_border_rows(sample, neighbors, seed):
    """Return the sample with synthetic rows appended; classes without borderline rows get none."""
    check_neighbors(sample, neighbors)
    sampler = BorderlineSMOTE(k_neighbors=neighbors, m_neighbors=2 * neighbors, random_state=seed)
    X, labels = sampler.fit_resample(sample[features(sample)].to_numpy("float64"), sample[LABEL].to_numpy())
    return with_resampled_rows(sample, X[len(sample) :], labels[len(sample) :])
