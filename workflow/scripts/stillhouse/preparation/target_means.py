"""Target encoding: a category becomes the mean label of the training rows that have it, cross-fitted by folds."""

import numpy as np
import pandas as pd

# A category's mean counts as if this many further rows had the overall mean.
STRENGTH = 10.0


class TargetMeans:
    """The mean label of each category of a column, shrunk towards the overall mean (Micci-Barreca 2001).

    ``targets`` are the columns of ``as_targets``. A category that no training row has gets the overall mean.
    """

    def fit(self, categories, targets):
        """Learn means from categories (rows,) and targets (rows, outputs) of training rows."""
        groups = pd.DataFrame(targets).groupby(np.asarray(categories))
        count = groups.size().to_numpy()[:, None]
        self.overall_ = targets.mean(axis=0)
        self.means_ = (groups.sum() + STRENGTH * self.overall_) / (count + STRENGTH)
        return self

    def transform(self, categories):
        """Return the means of categories; shape (rows, outputs)."""
        return self.means_.reindex(categories).fillna(dict(enumerate(self.overall_))).to_numpy()

    def unknown(self, targets):
        """Return the means of rows of which nothing can be learned from others; shape (outputs,)."""
        return targets.mean(axis=0)


def cross_fitted(new, values, targets, parts):
    """Return what is learned of the labels for training rows, each by the rows of the other parts, and never by its own label.

    ``new`` returns an unfitted ``TargetMeans`` or ``TextScores``, ``values`` are what it reads of each row. ``parts`` has each
    row's fold, so that rows of one group, which share a fold, do not learn of each other either.
    """
    found = np.full(targets.shape, new().unknown(targets))
    for part in np.unique(parts) if len(np.unique(parts)) > 1 else ():
        own = np.flatnonzero(parts == part)
        others = np.flatnonzero(parts != part)
        found[own] = new().fit(values[others], targets[others]).transform(values[own])
    return found


def as_targets(labels, classes):
    """Return labels as columns to average: the value, the positive class of two, or each class; shape (rows, outputs)."""
    labels = np.asarray(labels, dtype=float)
    if not classes or len(classes) == 2:
        return labels[:, None]
    return np.eye(len(classes))[labels.astype(int)]


def target_names(classes):
    """Return what the columns of ``as_targets`` are of."""
    return classes if classes and len(classes) > 2 else [classes[1] if classes else "target"]
