"""The constant model: what says the same of every row, the class shares or the mean of the rows that it may see."""

import numpy as np

from stillhouse.columns import DECISION, DEPLOY, FOLD, LABEL, PART
from stillhouse.predictions.predictions import columns_of


def constant_rows(rows, task):
    """Return scored rows with the predictions of the constant model in place of another's.

    A held-out row gets the class shares, or the mean, of the labels of other folds; a deploy row those of all held-out rows. A
    single fold has no other, and gets its own.
    """
    held_out, names = rows[rows[PART] != DEPLOY], columns_of(task.classes)
    found = rows.copy()
    for fold in rows[FOLD].unique():
        others = held_out[held_out[FOLD] != fold]
        labels = (others if len(others) else held_out)[LABEL].to_numpy()
        shares = np.bincount(labels.astype(int), minlength=len(names)) / len(labels) if task.classes else [labels.mean()]
        found.loc[found[FOLD] == fold, names] = np.asarray(shares, dtype="float64")
        if task.classes:
            found.loc[found[FOLD] == fold, DECISION] = int(np.argmax(shares))
    return found
