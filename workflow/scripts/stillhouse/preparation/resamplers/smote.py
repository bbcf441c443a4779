"""SMOTE: rows between nearest rows of a class (Chawla et al. 2002); SMOTENC by itself where there are categories."""

import numpy as np
import pandas as pd
from imblearn.over_sampling import SMOTE, SMOTENC

from stillhouse.columns import LABEL, ONE_HOT, feature_kind, features, one_hot_blocks, source
from stillhouse.errors import UserError
from stillhouse.preparation.resampled_rows import with_resampled_rows

# Distances between categories take 1.6 GB for 100,000 rows.
MOST_ROWS = 1_000_000


def make(neighbors):
    """Return a function of (sample, rng) that adds synthetic rows until every class is as large as the largest."""
    return lambda sample, rng: with_smote_rows(sample, neighbors, seed=int(rng.integers(2**31)))


def with_smote_rows(sample, neighbors, seed):
    """Return the sample with synthetic rows appended."""
    check_neighbors(sample, neighbors)
    names = features(sample)
    codes = with_codes(sample[names])
    categorical = [name for name in codes if name not in names]
    if categorical:
        sampler = SMOTENC(categorical_features=categorical, k_neighbors=neighbors, random_state=seed)
    else:
        sampler = SMOTE(k_neighbors=neighbors, random_state=seed)
    resampled, labels = sampler.fit_resample(codes, sample[LABEL])
    return with_resampled_rows(sample, without_codes(resampled[len(sample) :], names), labels[len(sample) :].to_numpy())


def check_neighbors(sample, neighbors):
    """Raise ``UserError`` where a class is too small to have that many neighbours."""
    smallest = sample[LABEL].value_counts().min()
    if smallest <= neighbors:
        raise UserError(
            f"resamplers: a class has {smallest} rows to draw from, and {neighbors} neighbors are asked for; "
            "lower neighbors, or use over"
        )


def with_codes(table):
    """Return the table with each one-hot block as one column of codes, -1 for an empty block."""
    blocks = one_hot_blocks(table.columns)
    hot = {source(table.columns[block[0]]): table.iloc[:, block].to_numpy() for block in blocks}
    codes = {key: np.where(part.any(axis=1), part.argmax(axis=1), -1) for key, part in hot.items()}
    numbers = [name for name in table.columns if feature_kind(name) != ONE_HOT]
    return pd.concat([table[numbers].astype("float64"), pd.DataFrame(codes, index=table.index)], axis=1)


def without_codes(codes, names):
    """Return the features of a table made by ``with_codes``; shape (rows, features)."""
    X = np.zeros((len(codes), len(names)))
    for position, name in enumerate(names):
        if name in codes:
            X[:, position] = codes[name]
    for block in one_hot_blocks(names):
        X[:, block] = codes[source(names[block[0]])].to_numpy()[:, None] == np.arange(len(block))
    return X
