"""One number for every gap."""

from sklearn.impute import SimpleImputer


def make(value):
    """Return a transformer that fills gaps with ``value``."""
    return SimpleImputer(strategy="constant", fill_value=float(value), keep_empty_features=True)
