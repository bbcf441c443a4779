"""The mean of the nearest training rows, by the standardized columns that both rows have."""

from sklearn.impute import KNNImputer

from stillhouse.preparation.imputing import NumericImputer


def make(seed, neighbors):
    """Return the imputer (Troyanskaya et al. 2001)."""
    return NumericImputer(KNNImputer(n_neighbors=neighbors, keep_empty_features=True), scaled=True)
