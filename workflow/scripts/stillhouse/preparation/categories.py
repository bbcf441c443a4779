"""One-hot encoding of categorical columns."""

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder


def fitted_encoder(categories, values):
    """Return the one-hot encoder of categorical columns, fitted on their values; shape (rows, columns).

    It is fitted on the numbers of sorted categories, as scikit-learn counts text cell by cell, and given their names then.
    """
    coded, names = zip(*(pd.factorize(column, sort=True) for column in values.T), strict=True)
    encoder = one_hot_encoder(categories).fit(np.column_stack(coded))
    encoder.categories_ = [known[kept] for known, kept in zip(names, encoder.categories_, strict=True)]
    return encoder


def one_hot_encoder(categories):
    """Return the one-hot encoder of categorical columns, with at most ``categories`` features for each."""
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        max_categories=categories,
        sparse_output=False,
        dtype=np.float32,
        feature_name_combiner=_category_name,
    )


def _category_name(column, category):
    return f"{column} is rare" if category == "infrequent_sklearn" else f"{column}={category}"
