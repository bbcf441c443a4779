"""Predictions: probabilities on the original class prior, or values; models read each other's predictions and nothing else."""

import numpy as np
import pandas as pd

from stillhouse.columns import DECISION, FOLD, PARENTS, PREDICTION, ROW, probability, quantile
from stillhouse.intake.folds import OF_DEPLOY, OF_UNLABELLED
from stillhouse.tables import read_split

# The least probability whose logarithm is taken.
SMALLEST = 1e-7


def columns_of(classes):
    """Return the names of the prediction columns; ``classes`` is None for a regression."""
    return [probability(name) for name in classes] if classes else [PREDICTION]


def on_original_prior(scores, ledger):
    """Return probabilities moved from the class prior that a model learned back to the original one; shape (rows, classes).

    By Bayes' rule p(y|x) is multiplied by before(y) / after(y) and normalised (Elkan 2001, theorem 2). A regression has no
    ledger, and its values stay as they are.
    """
    if ledger is None:
        return scores
    return moved(scores, ledger.before, ledger.after)


def on_learned_prior(probabilities, ledger):
    """Return probabilities moved from the original class prior to the one that a model learns."""
    if ledger is None:
        return probabilities
    return moved(probabilities, ledger.after, ledger.before)


def moved(probabilities, to, origin):
    """Return probabilities times ``to / origin``, normalised over classes; shape (rows, classes)."""
    weighed = probabilities * prior_ratio(to, origin)
    return weighed / weighed.sum(axis=1, keepdims=True)


def prior_ratio(to, origin):
    """Return ``to / origin`` of two class priors, 1 for classes that the origin does not have; shape (classes,)."""
    to, origin = np.asarray(to, dtype=float), np.asarray(origin, dtype=float)
    return np.divide(to, origin, out=np.ones_like(to), where=origin > 0)


def among_all_classes(scores, known, n_classes):
    """Return scores of some classes as columns among all classes, 0 for the others; (rows, known) to (rows, classes)."""
    placed = np.zeros((len(scores), n_classes))
    placed[:, np.asarray(known).astype(int)] = scores
    return placed


def rows_to_predict(folds, split):
    """Return the row numbers that a split predicts: rows of the folds that it holds out, and rows without labels."""
    return folds.loc[folds[FOLD].isin(split.held_out) | _have_no_labels(folds, split), ROW]


def rows_without_labels(folds, split):
    """Return the numbers of the rows without labels that a split predicts: deploy rows, unlabelled and synthetic rows.

    Of these last it predicts those that were drawn from rows that it learns from, if a student of the split learns from them.
    """
    return folds.loc[_have_no_labels(folds, split), ROW]


def _have_no_labels(folds, split):
    found = folds[FOLD].isin([OF_DEPLOY, OF_UNLABELLED])
    return found | folds[PARENTS].isin(split.train) if PARENTS in folds and split.synthetic else found


def unseen_predictions(paths, folds, split, classes):
    """Return a model's predictions of a split's training rows, each by the split that also held out the row's fold.

    Columns: ``row`` and the predictions. Folds that no split predicts (the first block in time) are absent.
    """
    parts = []
    for fold, other in split.unseen.items():
        own = folds.loc[folds[FOLD] == int(fold), [ROW]]
        parts.append(own.merge(read_split(paths, other), on=ROW))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[ROW, *columns_of(classes)], dtype=float)


def prediction_table(rows, scores, classes, decisions=None, levels=()):
    """Return ``row``, the prediction columns as float64 and, where given, ``decision``: the class that is decided for.

    ``levels`` are those of the quantiles that scores have after a value.
    """
    names = [*columns_of(classes), *map(quantile, levels)]
    table = pd.DataFrame(np.asarray(scores, "float64").reshape(len(rows), len(names)), columns=names)
    table.insert(0, ROW, np.asarray(rows))
    return table if decisions is None else table.assign(**{DECISION: np.asarray(decisions, "int64")})


def label_losses(labels, scores):
    """Return the log loss -log p(label) of each row, with p at least 1e-7; shape (rows,)."""
    return -np.log(np.maximum(scores[np.arange(len(labels)), labels.astype(int)], SMALLEST))


def logits(probabilities):
    """Return centred log probabilities, each at least log(1e-7) before centring; shape (rows, classes)."""
    logs = np.log(np.clip(probabilities, SMALLEST, 1))
    return logs - logs.mean(axis=1, keepdims=True)


def with_sorted_quantiles(scores):
    """Return values and quantiles (rows, 1 + quantiles) with each row's quantiles in rising order, so that none cross."""
    scores[:, 1:].sort(axis=1)
    return scores
