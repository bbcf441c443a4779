"""Greedy selection with replacement (Caruana et al. 2004): in each round the member is added that lowers the loss most."""

import numpy as np

from stillhouse.ensembles.stackers.mean import Mean
from stillhouse.ensembles.stacking import losses


class Greedy(Mean):
    """A member's weight is its share of the choices, after the round with the lowest loss."""

    def __init__(self, rounds):
        self.rounds = rounds

    def fit(self, scores, labels, n_classes):
        """Learn from scores of shape (members, rows, outputs) and labels of shape (rows,); without rows, weights are equal."""
        super().fit(scores, labels, n_classes)
        if not len(labels):
            return self
        counts, total, least = np.zeros(len(scores)), np.zeros(scores.shape[1:]), np.inf
        for chosen in range(1, self.rounds + 1):
            round_losses = [losses((total + member) / chosen, labels, n_classes).mean() for member in scores]
            best = int(np.argmin(round_losses))
            counts[best] += 1
            total += scores[best]
            if round_losses[best] < least:
                least, self.weights = round_losses[best], counts / chosen
        return self


def make(rounds):
    """Return the stacker."""
    return Greedy(rounds)
