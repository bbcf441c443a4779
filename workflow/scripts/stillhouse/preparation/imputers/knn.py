"""The mean of the nearest training rows, by the columns that both have, each in standard deviations."""

from sklearn.impute import KNNImputer

from stillhouse.preparation.imputing import OfNumbers


def make(seed, neighbors):
    """Return the imputer (Troyanskaya et al. 2001)."""
    return OfNumbers(KNNImputer(n_neighbors=neighbors, keep_empty_features=True), scaled=True)
