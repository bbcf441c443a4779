"""Shift weights: how much a training row counts for the rows where the model will be used."""

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from stillhouse.columns import FOLD, ROW, WEIGHT, features
from stillhouse.methods import build
from stillhouse.tables import rows_in


def weighed(table, folds, split, options, seed):
    """Return ``row`` and ``weight`` of every labelled row, and what was done to get them.

    Weights have mean 1 over the training rows; the same factor scales those of held-out rows, which the weigher
    did not see. Raises ``ValueError`` for weights that are not positive and finite.
    """
    names = features(table)
    fold = table[[ROW]].merge(folds, on=ROW, how="left")
    is_training, is_deploy = rows_in(fold, split["train"], FOLD), (fold[FOLD] == -1).to_numpy()
    X = table[names].to_numpy("float64")
    weigher = build("weighers", options, seed=seed).fit(X[is_training], X[is_deploy])
    is_other = ~is_training & ~is_deploy
    weight = np.zeros(len(table))
    weight[is_training] = weigher.ratio_ / weigher.ratio_.mean()
    if is_other.any():
        weight[is_other] = weigher.predict(X[is_other]) / weigher.ratio_.mean()
    labelled = pd.DataFrame({ROW: table[ROW], WEIGHT: weight})[~is_deploy]
    if not (np.isfinite(labelled[WEIGHT]) & (labelled[WEIGHT] > 0)).all():
        raise ValueError("a weight is not positive and finite")
    return labelled, facts(weight[is_training], weigher)


def facts(weight, weigher):
    """Return the effective sample size of training weights and the cut, as plain numbers."""
    size = effective_sample_size(weight)
    if not hasattr(weigher, "most_"):
        return {"rows": len(weight), "effective_sample_size": size, "share": size / len(weight)}
    return {
        "rows": len(weight),
        "effective_sample_size": size,
        "share": size / len(weight),
        "largest": float(weight.max()),
        "cut_rows": int((weigher.ratio_ >= weigher.most_).sum()),
        "domain_auc": float(roc_auc_score(weigher.is_deploy_, weigher.scores_)),
    }


def effective_sample_size(weight):
    """Return (sum w)^2 / sum w^2 (Kish 1965): how many equally weighted rows tell as much."""
    return float(weight.sum() ** 2 / (weight**2).sum())
