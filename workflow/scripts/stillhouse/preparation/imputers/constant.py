"""One number for every gap."""

from sklearn.impute import SimpleImputer

from stillhouse.preparation.imputing import OfNumbers


def make(seed, value):
    """Return an imputer that fills gaps with ``value``."""
    return OfNumbers(SimpleImputer(strategy="constant", fill_value=float(value), keep_empty_features=True))
