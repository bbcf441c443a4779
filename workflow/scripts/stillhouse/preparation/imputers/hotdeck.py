"""Hot deck: a gap gets the value of a similar training row, its donor (Andridge & Little 2010)."""

import numpy as np
import pandas as pd
from sklearn.metrics import pairwise_distances_chunked
from sklearn.preprocessing import OneHotEncoder

from stillhouse.intake.kinds import GAP
from stillhouse.methods import check_rows
from stillhouse.preparation.imputing import INSTEAD, Scale, numbers
from stillhouse.seeds import generator, uniforms

# Each row is compared with all donors: 140 seconds of a core for 100,000 rows.
MOST_ROWS = 2_500_000

FAR = 1e9
# Memory for distances at a time; several arrays of this size are needed at once.
WORKING_MB = 64


class HotDeck:
    """A donor is drawn among the nearest rows with the value; numbers are standardized, different categories at distance 1.

    All gaps of a row take the donor of the same rank, so that values which belong together mostly come from one row.
    """

    def __init__(self, neighbors, donors, seed):
        self.neighbors, self.donors, self.seed = neighbors, donors, seed

    def fit(self, table):
        """Keep at most ``donors`` training rows, drawn by their number."""
        check_rows("imputers", "hotdeck", len(table), INSTEAD)
        X = numbers(table)
        self.scale_ = Scale(X)
        self.encoder_ = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(categories(table))
        kept = generator(self.seed, "donors").permutation(len(table))[: self.donors]
        self.values_, self.points_ = X[kept], self._points(table.iloc[kept])
        return self

    def transform(self, table):
        """Return the filled numbers; a column that no donor has a value of is filled with 0."""
        X = numbers(table).copy()
        rows = np.flatnonzero(np.isnan(X).any(axis=1))
        if len(rows):
            chance = uniforms(self.seed, table.index[rows], 1)[:, 0]
            parts = pairwise_distances_chunked(
                self._points(table.iloc[rows]), self.points_, metric="nan_euclidean", working_memory=WORKING_MB
            )
            start = 0
            for distances in parts:
                part = slice(start, start := start + len(distances))
                X[rows[part]] = self._given(X[rows[part]], distances, chance[part])
        return X

    def _given(self, X, distances, chance):
        distances = np.nan_to_num(distances, nan=FAR)
        for column in np.flatnonzero(np.isnan(X).any(axis=0)):
            donors = np.flatnonzero(~np.isnan(self.values_[:, column]))
            gap = np.isnan(X[:, column])
            X[gap, column] = self._drawn(donors, distances[gap][:, donors], chance[gap], column) if len(donors) else 0.0
        return X

    def _drawn(self, donors, distances, chance, column):
        nearest = np.argsort(distances, axis=1, kind="stable")[:, : self.neighbors]
        rank = (chance * nearest.shape[1]).astype(int)
        return self.values_[donors[nearest[np.arange(len(rank)), rank]], column]

    def _points(self, table):
        coded = self.encoder_.transform(categories(table)) / np.sqrt(2)
        return np.hstack([self.scale_.apply(numbers(table)), coded])


def categories(table):
    """Return the categorical columns, a gap being a category of its own."""
    return pd.DataFrame(table.select_dtypes(exclude="number").astype("object").fillna(GAP))


def make(seed, neighbors, donors):
    """Return the imputer."""
    return HotDeck(neighbors, donors, seed)
