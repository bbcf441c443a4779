"""Some numeric columns have an imputer of their own; one imputer fills the others."""

import numpy as np

from stillhouse.errors import UserError, nearest
from stillhouse.methods import build


class ByColumn:
    """Several imputers, each of which sees every column and fills its own."""

    def __init__(self, rest, each):
        self.rest, self.each = rest, each

    def fit(self, table):
        """Fit each imputer once on the training rows."""
        names = list(table.select_dtypes("number").columns)
        if unknown := [name for name in self.each if name not in names]:
            known = nearest(unknown[0], names)
            raise UserError(f"imputers: columns.each: {unknown[0]!r} is not a numeric feature here; {known}")
        self.positions_ = {name: names.index(name) for name in self.each}
        for imputer in (self.rest, *self.each.values()):
            imputer.fit(table)
        return self

    def transform(self, table):
        """Return the filled numbers."""
        filled = np.array(self.rest.transform(table))
        for name, imputer in self.each.items():
            filled[:, self.positions_[name]] = imputer.transform(table)[:, self.positions_[name]]
        return filled


def make(seed, rest, each):
    """Return the imputer; ``each`` has the options of an imputer by column, ``rest`` those of the imputer of all others."""
    return ByColumn(build("imputers", rest, seed=seed), {name: build("imputers", one, seed=seed) for name, one in each.items()})
