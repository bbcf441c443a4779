"""The most frequent value of a column's training rows; of equally frequent ones, the smallest."""

from sklearn.impute import SimpleImputer

from stillhouse.preparation.imputing import NumericImputer


def make(seed):
    """Return an imputer; a column without any value is filled with 0."""
    return NumericImputer(SimpleImputer(strategy="most_frequent", keep_empty_features=True))
