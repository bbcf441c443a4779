"""One number for every gap."""

from sklearn.impute import SimpleImputer

from stillhouse.preparation.imputing import NumericImputer


def make(seed, value):
    """Return an imputer that fills gaps with ``value``."""
    return NumericImputer(SimpleImputer(strategy="constant", fill_value=float(value), keep_empty_features=True))
