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


def cross_fitted(categories, targets, parts):
    """Return the means for training rows, each from the rows of the other parts, so that no row's own label is in its mean.

    ``parts`` has each row's fold, so that rows of one group, which share a fold, are not in each other's means either. If all
    rows are of one part, they get the overall mean.
    """
    means = np.full(targets.shape, targets.mean(axis=0))
    for part in np.unique(parts) if len(np.unique(parts)) > 1 else ():
        own = parts == part
        means[own] = TargetMeans().fit(categories[~own], targets[~own]).transform(categories[own])
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
