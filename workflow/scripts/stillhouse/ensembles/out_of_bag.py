"""The out-of-bag score of a bag: each row is predicted by the members that did not draw it (Breiman 1996)."""

import numpy as np
import pandas as pd

from stillhouse.columns import BAG, LABEL, PHASE, ROW, WEIGHT
from stillhouse.predictions.predictions import label_losses


def out_of_bag(predicted, drawn, fitted, n_classes):
    """Return one line of history: log loss and AUC, or mean squared error and R², over the rows that some member left out.

    ``predicted`` has each member's predictions of the fitted rows (rows, outputs), ``drawn`` whether the member drew each row,
    shape (members, rows). There is no score, and no line, where resampling has drawn rows again or made new ones: copies
    of a row that a member left out may be among those it drew.
    """
    if not fitted[ROW].is_unique or (fitted[ROW] < 0).any():
        return pd.DataFrame()
    left_out = ~np.asarray(drawn)
    counts = left_out.sum(axis=0)
    is_left_out = counts > 0
    total = sum(scores * own[:, None] for scores, own in zip(predicted, left_out, strict=True))
    scores = total[is_left_out] / counts[is_left_out, None]
    labels, weight = fitted[LABEL].to_numpy()[is_left_out], fitted[WEIGHT].to_numpy()[is_left_out]
    # Few networks are bags.
    from sklearn.metrics import r2_score

    if n_classes:
        losses, score = label_losses(labels, scores), mean_auc(labels, scores, weight)
    else:
        losses, score = (scores[:, 0] - labels) ** 2, r2_score(labels, scores[:, 0], sample_weight=weight)
    line = {"loss": np.average(losses, weights=weight), "score": score, "rows": int(is_left_out.sum())}
    return pd.DataFrame([{PHASE: BAG, **line, "kept": True}])


def mean_auc(labels, scores, weight):
    """Return the AUC of two classes, or the mean of each class against the rest; NaN where no class can be scored."""
    from sklearn.metrics import roc_auc_score

    codes = [1] if scores.shape[1] == 2 else range(scores.shape[1])
    known = [code for code in codes if 0 < (labels == code).sum() < len(labels)]
    aucs = [roc_auc_score(labels == code, scores[:, code], sample_weight=weight) for code in known]
    return float(np.mean(aucs)) if aucs else np.nan
