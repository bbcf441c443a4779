"""The most frequent value of a column's training rows, the smallest of equals."""

from sklearn.impute import SimpleImputer


def make():
    """Return a transformer that fills gaps; a column without any value is filled with 0."""
    return SimpleImputer(strategy="most_frequent", keep_empty_features=True)
