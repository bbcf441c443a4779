"""The constant model: what says the same of every row, the class shares or the mean of the rows that it may see."""

import numpy as np

from stillhouse.columns import DECISION, FOLD
from stillhouse.predictions.predictions import columns_of


def constant_rows(rows, labels, splits, task):
    """Return scored rows with the predictions of the constant model in place of another's.

    A held-out row gets the class shares, or the mean, of the rows that its split learns from, and a deploy row those of all
    rows in folds. ``labels`` has the labels of rows in folds, indexed by fold; ``splits`` are those of the scored rows.
    """
    names, found = columns_of(task.classes), rows.copy()
    learned = {split.held_out[0]: split.train for split in splits}
    for fold in rows[FOLD].unique():
        own = labels[labels.index.isin(learned[fold])] if fold in learned else labels
        own = own.to_numpy()
        shares = np.bincount(own.astype(int), minlength=len(names)) / len(own) if task.classes else [own.mean()]
        found.loc[found[FOLD] == fold, names] = np.asarray(shares, dtype="float64")
        if task.classes:
            found.loc[found[FOLD] == fold, DECISION] = int(np.argmax(shares))
    return found
