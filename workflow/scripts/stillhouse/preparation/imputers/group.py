"""The median of the training rows that agree in one column, such as the ward a patient lies in."""

from stillhouse.errors import UserError, nearest
from stillhouse.preparation.imputing import numbers


class GroupMedian:
    """Medians by group; the median of all rows where a row's group is unknown or has no value."""

    def __init__(self, by):
        self.by = by

    def fit(self, table):
        """Learn the medians; a column without any value is filled with 0."""
        if self.by not in table:
            known = nearest(self.by, table.columns)
            raise UserError(f"imputers: group: {self.by!r} is not a feature here; {known}")
        values = table.select_dtypes("number")
        self.overall_ = values.median().fillna(0)
        self.of_group_ = values.groupby(table[self.by]).median().fillna(self.overall_)
        return self

    def transform(self, table):
        """Return the filled numbers."""
        fills = self.of_group_.reindex(table[self.by]).fillna(self.overall_)
        values = table.select_dtypes("number")
        return numbers(values.where(values.notna(), fills.set_axis(table.index)))


def make(seed, by):
    """Return the imputer."""
    return GroupMedian(by)
