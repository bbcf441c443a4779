"""The confidence-weighted mean: in each row, a member's weight grows with its confidence in that row."""

import numpy as np
from scipy.special import softmax

from stillhouse.ensembles.stackers.mean import Mean
from stillhouse.errors import UserError


class Confidence(Mean):
    """Probabilities averaged with weights 1 - entropy / log(classes) of each member and row; nothing is learned."""

    def fit(self, scores, labels, n_classes):
        """Learn nothing; raises ``UserError`` for values, which come without a confidence."""
        if not n_classes:
            raise UserError("confidence is for classes, and the target is numeric; take the mean of the members")
        return super().fit(scores, labels, n_classes)

    def pooled(self, scores, n_classes):
        """Return probabilities of members' logits (members, rows, classes); shape (rows, classes)."""
        p = softmax(scores, axis=2)
        entropy = -(p * np.log(np.maximum(p, 1e-300))).sum(axis=2, keepdims=True)
        confidence = np.maximum(1 - entropy / np.log(n_classes), 1e-9)
        return (p * confidence).sum(axis=0) / confidence.sum(axis=0)


def make():
    """Return the stacker."""
    return Confidence()
