"""Scores of texts: what a linear model says of the label by all counted n-grams, before these become a few components."""

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge

# The inverse of the penalty of a logistic model, and the penalty of a linear one, of counts of length 1 or 2 for a text.
STRENGTH, PENALTY = 5.0, 0.5
# The largest logit where all rows have one label.
LARGEST = 5.0


class TextScores:
    """The logit of each target by a logistic model (Fan et al. 2008), or the value by ridge regression.

    ``targets`` are the columns of ``as_targets``; ``weights_`` has the shape (n-grams, outputs). Values are learned in units of
    their deviation from their mean, and ``centre_`` and ``scale_`` make them values again; of logits these are 0 and 1.
    """

    def __init__(self, are_classes):
        self.are_classes = are_classes

    def fit(self, counts, targets):
        """Learn weights from weighted counts, sparse, shape (rows, n-grams), and targets (rows, outputs) of training rows."""
        self.centre_ = np.zeros(targets.shape[1]) if self.are_classes else targets.mean(axis=0)
        deviation = np.ones(targets.shape[1]) if self.are_classes else targets.std(axis=0)
        self.scale_ = np.where(deviation > 0, deviation, 1.0)
        learned = [self._of_target(counts, target) for target in ((targets - self.centre_) / self.scale_).T]
        weights, self.intercept_ = (np.array(part) for part in zip(*learned, strict=True))
        # In half precision, as shipped files carry them.
        self.weights_ = weights.T.astype("float16").astype("float64")
        return self

    def _of_target(self, counts, target):
        if np.ptp(target) == 0:
            return np.zeros(counts.shape[1]), np.clip(2 * target[0] - 1, -1, 1) * LARGEST if self.are_classes else target[0]
        model = LogisticRegression(C=STRENGTH, solver="liblinear") if self.are_classes else Ridge(PENALTY, solver="sparse_cg")
        fitted = model.fit(counts, target)
        return np.ravel(fitted.coef_), np.ravel(fitted.intercept_)[0]

    def transform(self, counts):
        """Return scores of weighted counts; shape (rows, outputs)."""
        return (counts @ self.weights_ + self.intercept_) * self.scale_ + self.centre_

    def unknown(self, targets):
        """Return the scores of rows of which nothing can be learned from others; shape (outputs,)."""
        return np.zeros(targets.shape[1]) if self.are_classes else targets.mean(axis=0)
