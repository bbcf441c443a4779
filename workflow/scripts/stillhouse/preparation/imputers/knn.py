"""The mean of the nearest training rows, by the standardized columns that both rows have."""

from sklearn.impute import KNNImputer

from stillhouse.methods import check_rows
from stillhouse.preparation.imputing import INSTEAD, NumericImputer
from stillhouse.seeds import generator

# Each row is compared with all donors: a minute of a core for 100,000 rows.
MOST_ROWS = 5_000_000


class NearestRows(NumericImputer):
    """The nearest of at most ``donors`` training rows, drawn by chance: the time grows with rows times donors."""

    def __init__(self, neighbors, donors, seed):
        super().__init__(KNNImputer(n_neighbors=neighbors, keep_empty_features=True), scaled=True)
        self.donors, self.seed = donors, seed

    def fit(self, table):
        """Keep the donors, and fit the scale on them."""
        check_rows("imputers", "knn", len(table), INSTEAD)
        kept = generator(self.seed, "donors").permutation(len(table))[: self.donors]
        return super().fit(table.iloc[sorted(kept)])


def make(seed, neighbors, donors):
    """Return the imputer (Troyanskaya et al. 2001)."""
    return NearestRows(neighbors, donors, seed)
