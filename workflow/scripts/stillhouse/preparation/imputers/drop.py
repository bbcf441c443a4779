"""Training rows with gaps are left out; rows to be predicted are filled with the median."""

from sklearn.impute import SimpleImputer

from stillhouse.preparation.imputing import NumericImputer


class DropRows(NumericImputer):
    """A median imputer, fitted on the training rows that stay."""

    def __init__(self, above):
        super().__init__(SimpleImputer(strategy="median", keep_empty_features=True))
        self.above = above

    def drops(self, table):
        """Return a mask of the rows to leave out of training: those with a greater share of gaps than ``above``."""
        return (table.isna().mean(axis=1) > self.above).to_numpy()


def make(seed, above):
    """Return the imputer."""
    return DropRows(above)
