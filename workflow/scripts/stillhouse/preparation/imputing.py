"""What numeric imputers share.

An imputer has ``fit(table)`` and ``transform(table)``, which returns the numeric columns as float64, without gaps unless the
imputer leaves them, shape (rows, numeric columns). A table has the typed columns of some rows, its index the row numbers;
``fit`` gets training rows.
"""

import numpy as np

# The imputers that take tables too large for the others.
INSTEAD = "median, group or iterative"


class NumericImputer:
    """A scikit-learn imputer of the numeric columns; with ``scaled`` it sees each in units of its standard deviation."""

    def __init__(self, imputer, scaled=False):
        self.imputer, self.scaled = imputer, scaled

    def fit(self, table):
        """Fit the imputer, and the scale, on training rows."""
        X = numbers(table)
        self.scale_ = Scale(X) if self.scaled else None
        self.imputer.fit(self.scale_.apply(X) if self.scaled else X)
        return self

    def transform(self, table):
        """Return the filled numbers in their own units."""
        X = numbers(table)
        return self.scale_.undo(self.filled(self.scale_.apply(X), table.index)) if self.scaled else self.filled(X, table.index)

    def filled(self, X, rows):
        """Return numbers without gaps; ``rows`` has their row numbers."""
        return self.imputer.transform(X)


class Scale:
    """Mean 0 and deviation 1 of each column's known values; a column without any stays as it is."""

    def __init__(self, X):
        known = ~np.isnan(X)
        count = np.maximum(known.sum(axis=0), 1)
        self.centre = np.where(known, X, 0).sum(axis=0) / count
        spread = np.sqrt((np.where(known, X - self.centre, 0) ** 2).sum(axis=0) / count)
        self.spread = np.where(spread > 0, spread, 1)

    def apply(self, X):
        """Return columns in standard deviations."""
        return (X - self.centre) / self.spread

    def undo(self, X):
        """Return columns in their own units."""
        return X * self.spread + self.centre


def numbers(table):
    """Return the numeric columns of a table as float64, gaps as NaN; shape (rows, numeric columns)."""
    return table.select_dtypes("number").to_numpy("float64")
