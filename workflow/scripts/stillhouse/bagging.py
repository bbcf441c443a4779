"""The out-of-bag score of a bag: each row is judged by the members that did not draw it (Breiman 1996)."""

import numpy as np
import pandas as pd

from stillhouse.columns import BAG, LABEL, PHASE, WEIGHT
from stillhouse.metrics import auc, log_loss, mean, r2


def out_of_bag(said, drawn, fitted, n_classes):
    """Return one line of history: log loss and AUC, or mean squared error and R², over the rows that some member left out.

    ``said`` has what each member predicts of the fitted rows (rows, outputs), ``drawn`` whether it had drawn them,
    shape (members, rows).
    """
    left_out = ~np.asarray(drawn)
    counts = left_out.sum(axis=0)
    is_judged = counts > 0
    total = sum(scores * own[:, None] for scores, own in zip(said, left_out, strict=True))
    scores = total[is_judged] / counts[is_judged, None]
    labels, W = fitted[LABEL].to_numpy()[is_judged], fitted[WEIGHT].to_numpy()[None, is_judged]
    if n_classes:
        loss, score = log_loss(labels.astype(int), scores, W), auc(labels.astype(int), scores, W)
    else:
        loss, score = mean((scores[:, 0] - labels) ** 2, W), r2(labels, scores, W)
    return pd.DataFrame([{PHASE: BAG, "loss": loss[0], "score": score[0], "rows": int(is_judged.sum()), "kept": True}])
