"""Columns of groups: those by whose values rows are told apart, each of which has conformal sets of its own."""

from stillhouse.columns import LABELLED, PART
from stillhouse.errors import UserError
from stillhouse.intake import kinds

# The most groups of a column.
MOST_GROUPS = 20


def column_of_groups(table, schema, source):
    """Return the description of a raw column of groups, gaps being one of them.

    Raises ``UserError`` for a column that is none or makes several, for texts and pictures, and for one of which labelled rows
    have more than ``MOST_GROUPS`` different values.
    """
    columns = [column for column in schema["columns"] if column["source"] == source and column["name"] in table]
    if len(columns) != 1 or columns[0]["kind"] in kinds.ENCODED:
        raise UserError(f"sets_by: {source!r} is not one column of numbers or categories, by which rows could be told apart")
    labelled = table.loc[table[PART].isin(LABELLED), columns[0]["name"]]
    if (count := labelled.nunique(dropna=False)) > MOST_GROUPS:
        raise UserError(
            f"sets_by: column {source!r} has {count:,} different values; each needs rows enough to judge itself, "
            f"so name a column of at most {MOST_GROUPS}"
        )
    return columns[0]
