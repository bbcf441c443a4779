"""Rows with numbers drawn from a Gaussian mixture, and the categories and gaps of the nearest real row."""

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from stillhouse.errors import UserError
from stillhouse.intake import kinds
from stillhouse.preparation.transfer_rows import coded, rows_of_cells

# Rows beyond which drawing a tenth as many would take an hour; see benchmarks/methods.py.
MOST_ROWS = 1_900_000
MOST_COMPONENTS = 10


def make():
    """Return a function of (table, columns, count, rng)."""
    return mixture_sampled


def mixture_sampled(table, columns, count, rng):
    """Return rows drawn from a mixture; numbers stay within their observed range, and whole where all observed ones are."""
    numbers = [column for column in columns if column["kind"] == kinds.NUMERIC or "part" in column]
    if not numbers:
        raise UserError("synthetic.method: mixture draws numbers, and the table has none; take swap or gibbs")
    X = coded(table, numbers)
    scaler = StandardScaler().fit(X)
    components, seed = min(MOST_COMPONENTS, max(1, len(X) // 20)), int(rng.integers(2**31))
    mixture = GaussianMixture(components, reg_covar=1e-3, random_state=seed).fit(scaler.transform(X))
    drawn_numbers = scaler.inverse_transform(mixture.sample(count)[0])
    near = NearestNeighbors(n_neighbors=1).fit(scaler.transform(X))
    donors = near.kneighbors(scaler.transform(drawn_numbers), return_distance=False)
    rows = rows_of_cells(table, np.repeat(donors, len(table.columns), axis=1))
    for position, column in enumerate(numbers):
        known = X[:, position]
        values = np.clip(drawn_numbers[:, position], known.min(), known.max())
        values = np.round(values) if (known % 1 == 0).all() else values
        rows[column["name"]] = np.where(rows[column["name"]].isna(), np.nan, values)
    return rows
