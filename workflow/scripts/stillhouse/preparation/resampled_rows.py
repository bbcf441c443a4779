"""Resampled rows: what resamplers draw among the features of a class, as complete rows of a sample."""

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors

from stillhouse.columns import FOLD, LABEL, ROW, STOP, WEIGHT, features, one_hot_blocks


def with_resampled_rows(sample, drawn, labels):
    """Return the sample with drawn rows appended.

    ``drawn`` has their features, shape (drawn rows, features), ``labels`` their classes. A drawn row has row number -1,
    and the weight and fold of the nearest row of its class, which is usually one of those it was drawn from.
    """
    if not len(drawn):
        return sample
    whole = whole_categories(drawn, sample[features(sample)])
    rows = pd.DataFrame(whole, columns=features(sample))
    parents = nearest_of_class(sample, rows.to_numpy(), np.asarray(labels))
    facts = {ROW: -1, LABEL: labels, STOP: False}
    inherited = {name: sample[name].to_numpy()[parents] for name in (WEIGHT, FOLD)}
    return pd.concat([sample, rows.assign(**facts, **inherited)[sample.columns]], ignore_index=True)


def nearest_of_class(sample, X, labels):
    """Return for each drawn row the position, in the sample, of the nearest row of its class; shape (drawn rows,)."""
    known, parents = sample[features(sample)].to_numpy(), np.empty(len(X), dtype=int)
    for label in np.unique(labels):
        rows = np.flatnonzero(sample[LABEL] == label)
        nearest = NearestNeighbors(n_neighbors=1).fit(known[rows])
        parents[labels == label] = rows[nearest.kneighbors(X[labels == label], return_distance=False)[:, 0]]
    return parents


def whole_categories(X, known):
    """Return features as float32 in which the largest entry of every one-hot block is 1 and the others are 0.

    Where known rows have blocks of zeros (categories that no training row had), a block that sums to less than 0.5 is zeros.
    """
    X = np.array(X, dtype=np.float32)
    for block in one_hot_blocks(known.columns):
        part = X[:, block]
        hot = np.zeros_like(part)
        hot[np.arange(len(part)), part.argmax(axis=1)] = 1
        if not known.iloc[:, block].to_numpy().any(axis=1).all():
            hot[part.sum(axis=1) < 0.5] = 0
        X[:, block] = hot
    return X


def rows_to_add(sample):
    """Return how many rows each class has fewer than the largest class, as ``{label: count}``."""
    counts = sample[LABEL].value_counts().sort_index()
    return {label: int(counts.max() - count) for label, count in counts.items() if count < counts.max()}
