"""Target encoding: a word becomes the mean label of the training rows that have it, cross-fitted by folds."""

import numpy as np
import pandas as pd

# A word's mean counts as if this many further rows had the mean of all.
STRENGTH = 10.0


class TargetMeans:
    """The mean label of each word of a column, drawn towards that of all rows (Micci-Barreca 2001).

    ``targets`` are the columns of ``as_targets``. A word that no training row has gets the mean of all.
    """

    def fit(self, words, targets):
        """Learn means from words (rows,) and targets (rows, outputs) of training rows."""
        groups = pd.DataFrame(targets).groupby(np.asarray(words))
        count = groups.size().to_numpy()[:, None]
        self.overall_ = targets.mean(axis=0)
        self.means_ = (groups.sum() + STRENGTH * self.overall_) / (count + STRENGTH)
        return self

    def transform(self, words):
        """Return the means of words; shape (rows, outputs)."""
        return self.means_.reindex(words).fillna(dict(enumerate(self.overall_))).to_numpy()


def cross_fitted(words, targets, parts):
    """Return the means for training rows, each by the rows of the other parts, so that no row meets its own label.

    ``parts`` numbers the fold of each row, so that groups which share a fold never tell on each other. Rows of one part alone
    get the mean of all.
    """
    means = np.full(targets.shape, targets.mean(axis=0))
    for part in np.unique(parts) if len(np.unique(parts)) > 1 else ():
        own = parts == part
        means[own] = TargetMeans().fit(words[~own], targets[~own]).transform(words[own])
    return means


def as_targets(labels, classes):
    """Return labels as columns to average: the value, the positive class of two, or each class; shape (rows, outputs)."""
    labels = np.asarray(labels, dtype=float)
    if not classes or len(classes) == 2:
        return labels[:, None]
    return np.eye(len(classes))[labels.astype(int)]


def target_names(classes):
    """Return what the columns of ``as_targets`` are means of."""
    return [f"mean of {name}" for name in (classes if classes and len(classes) > 2 else [classes[1] if classes else "target"])]
