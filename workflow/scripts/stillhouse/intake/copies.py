"""Rows with equal features: copies of one case, which stay together, or different cases with the same few answers."""

import numpy as np
import pandas as pd

from stillhouse.columns import LABEL
from stillhouse.intake.kinds import duplicate_rows

AUTO, TIE, LEAVE = "auto", "tie", "leave"
# Copies are rarely more than this share of a table. Of more rows, the labels tell.
USUAL_SHARE = 0.1
# Equal rows whose labels vary by at least this share of their variance in the table are different cases.
LEAST_VARIANCE = 0.1
# Labels of more different values are taken for numbers.
MOST_CLASSES = 50


def copies(labelled, names, duplicates):
    """Return a number for each labelled row, equal for copies of one case; None where equal rows are different cases.

    ``names`` are those of the features. With ``duplicates: auto`` equal rows are copies where they are few, or where their
    labels agree as those of copies do. A table of few columns with few values has many equal rows with different labels. If
    these stayed together, every held-out row would be of a pattern that no model has seen.
    """
    same = duplicate_rows(labelled, names)
    if duplicates == LEAVE:
        return None
    return same if duplicates == TIE or repeated_share(same) <= USUAL_SHARE or not labels_vary(labelled[LABEL], same) else None


def repeated_share(same):
    """Return the share of rows that repeat another, by numbers that are equal for equal rows."""
    return 1 - len(np.unique(same)) / max(len(same), 1)


def labels_vary(label, same):
    """Return whether the labels of equal rows vary, as a share of how much all labels of such rows do."""
    values = pd.get_dummies(label).to_numpy("float64") if label.nunique() <= MOST_CLASSES else label.to_numpy()[:, None]
    sets = pd.Series(same).groupby(same).transform("size").to_numpy() > 1
    values, same = pd.DataFrame(values[sets]), same[sets]
    within = ((values - values.groupby(same).transform("mean")) ** 2).to_numpy().sum() / (len(same) - len(np.unique(same)))
    overall = values.var(ddof=1).sum()
    return bool(overall > 0 and within >= LEAST_VARIANCE * overall)
