"""Stacking: weights of members are learned from their predictions of rows that they did not see (Wolpert 1992)."""

import numpy as np
from scipy.special import log_softmax, softmax

from stillhouse.columns import LABEL, ROW
from stillhouse.methods import build
from stillhouse.predictions.decisions import tuned_factors
from stillhouse.predictions.predictions import columns_of, logits, unseen_predictions
from stillhouse.tables import read_split


def fit_stacker(members, labels, folds, split, schema, options):
    """Return a stacker fitted on the members' unseen predictions of a split's training rows, and its decision factors.

    ``members`` maps a name to the paths of its predictions. The factors are tuned on the same rows, of which the stacker
    learns only a few weights; a regression has none.
    """
    classes = schema["classes"]
    unseen = [unseen_predictions(paths, folds, split, classes) for paths in members.values()]
    scores = np.stack([to_scores(table, classes) for table in unseen])
    known = unseen[0][[ROW]].merge(labels, on=ROW, how="left")[LABEL].to_numpy("float64")
    settings = {key: value for key, value in options.items() if key != "members"}
    n_classes = len(classes or [])
    stacker = build("stackers", settings).fit(scores, known, n_classes)
    if not classes:
        return stacker, None
    p, weight = stacker.pooled(scores, n_classes), np.ones(len(known))
    return stacker, tuned_factors(p, known.astype(int), weight, schema["costs"])


def to_scores(table, classes):
    """Return logits of probabilities, or values; shape (rows, outputs)."""
    return as_scores(table[columns_of(classes)].to_numpy("float64"), classes)


def as_scores(values, classes):
    """Return logits of probabilities, or values as they are; shape (rows, outputs)."""
    return logits(values) if classes else values


def stacker_predictions(stacker, members, rows, split, classes, read=read_split):
    """Return the stacker's predictions of rows that a split predicts, by their numbers; shape (rows, outputs).

    ``read`` is how the members' predictions are read.
    """
    tables = [read(paths, split.name).set_index(ROW).loc[rows] for paths in members.values()]
    return stacker.pooled(np.stack([to_scores(table, classes) for table in tables]), len(classes or []))


def linear_pool(weights, intercept, scores, n_classes):
    """Return the weighted sum of members' scores (members, rows, outputs) as probabilities or values (rows, outputs)."""
    sums = np.tensordot(weights, scores, 1) + intercept
    return softmax(sums, axis=1) if n_classes else sums


def losses(scores, labels, n_classes):
    """Return the log loss of each row by its logits (rows, classes), or the squared error by its value; shape (rows,)."""
    if not n_classes:
        return (scores[:, 0] - labels) ** 2
    return -log_softmax(scores, axis=1)[np.arange(len(labels)), labels.astype(int)]
