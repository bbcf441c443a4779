"""Predictions: probabilities on the original prior, one row of the table a row; models meet only through them."""

import numpy as np
import pandas as pd

from stillhouse.columns import DECISION, FOLD, PARENTS, PREDICTION, ROW, probability
from stillhouse.intake.folds import OF_DEPLOY, OF_UNLABELLED
from stillhouse.tables import read_split

SMALLEST = 1e-7


def columns_of(classes):
    """Return the names of the prediction columns of a task with these classes (None for a regression)."""
    return [probability(name) for name in classes] if classes else [PREDICTION]


def on_original_prior(scores, ledger):
    """Return probabilities moved from the prior that a model learned back to the original one; shape (rows, classes).

    By Bayes' rule p(y|x) changes by before(y) / after(y) and is normalised (Elkan 2001, theorem 2). Scores of a
    regression have no ledger and stay as they are.
    """
    if ledger is None:
        return scores
    before, after = np.array(ledger["before"]), np.array(ledger["after"])
    return moved(scores, before, after)


def on_learned_prior(probabilities, ledger):
    """Return probabilities on the original prior moved to the prior that a model is to learn."""
    if ledger is None:
        return probabilities
    return moved(probabilities, np.array(ledger["after"]), np.array(ledger["before"]))


def moved(probabilities, to, origin):
    """Return probabilities times ``to / origin``, normalised over classes; shape (rows, classes)."""
    factor = np.divide(to, origin, out=np.ones_like(to), where=origin > 0)
    weighed = probabilities * factor
    return weighed / weighed.sum(axis=1, keepdims=True)


def rows_to_predict(folds, split):
    """Return the row numbers that a split predicts: of the folds it holds out, deploy rows and those without labels.

    A synthetic row is predicted by the splits that hold out its parents' fold.
    """
    is_wanted = folds[FOLD].isin([*split["held_out"], OF_DEPLOY, OF_UNLABELLED])
    if PARENTS in folds:
        is_wanted |= folds[PARENTS].isin(split["held_out"])
    return folds.loc[is_wanted, ROW]


def unseen_predictions(paths, folds, split, classes, with_synthetic=False):
    """Return a model's predictions of a split's training rows, each by the split that held the row's fold out too.

    Folds that no split predicts (the first block in time) are absent. Columns: ``row`` and the predictions. Synthetic rows,
    where they are wanted, are rows of their parents' fold.
    """
    parts = []
    for fold, other in split["unseen"].items():
        is_wanted = folds[FOLD] == int(fold)
        if with_synthetic:
            is_wanted |= folds[PARENTS] == int(fold)
        parts.append(folds.loc[is_wanted, [ROW]].merge(read_split(paths, other), on=ROW))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[ROW, *columns_of(classes)], dtype=float)


def prediction_table(rows, scores, classes, decisions=None):
    """Return ``row``, the prediction columns as float64 and, where given, ``decision``: the class by the tuned threshold."""
    names = columns_of(classes)
    table = pd.DataFrame(np.asarray(scores, "float64").reshape(len(rows), len(names)), columns=names)
    table.insert(0, ROW, np.asarray(rows))
    return table if decisions is None else table.assign(**{DECISION: np.asarray(decisions, "int64")})


def label_losses(labels, scores):
    """Return -log p(label) of each row, with p at least 1e-7; shape (rows,)."""
    return -np.log(np.maximum(scores[np.arange(len(labels)), labels.astype(int)], SMALLEST))


def logits(probabilities):
    """Return centred log probabilities, each at least log(1e-7) before centring; shape (rows, classes)."""
    logs = np.log(np.clip(probabilities, SMALLEST, 1))
    return logs - logs.mean(axis=1, keepdims=True)
