"""Soft targets: what a teacher says of rows that it did not see."""

import numpy as np

from stillhouse.columns import ROW
from stillhouse.predictions import columns_of, on_learned_prior, unseen_predictions


def soft_targets(sample, teacher, folds, split, classes, ledger):
    """Return the teacher's unseen probabilities of a sample's rows, NaN where there are none; shape (rows, outputs).

    Synthetic rows (row -1) and rows of folds that no split predicts have none. The teacher speaks on the original
    prior; its probabilities are moved to the prior that the student learns, so that the ledger is undone once.
    """
    unseen = unseen_predictions(teacher, folds, split, classes)
    soft = sample[[ROW]].merge(unseen, on=ROW, how="left")[columns_of(classes)].to_numpy("float64", copy=True)
    taught = ~np.isnan(soft[:, 0])
    soft[taught] = on_learned_prior(soft[taught], ledger)
    return soft
