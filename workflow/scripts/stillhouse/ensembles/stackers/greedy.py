"""Greedy selection with replacement (Caruana et al. 2004): members are added one by one, whichever helps most."""

import numpy as np

from stillhouse.ensembles.stackers.mean import Mean
from stillhouse.ensembles.stacking import losses


class Greedy(Mean):
    """Weights that are shares of a member among those chosen, at the number of choices with the least loss."""

    def __init__(self, rounds):
        self.rounds = rounds

    def fit(self, scores, labels, n_classes):
        """Learn from scores of shape (members, rows, outputs) and labels of shape (rows,); no rows mean equal weights."""
        super().fit(scores, labels, n_classes)
        if not len(labels):
            return self
        counts, total, least = np.zeros(len(scores)), np.zeros(scores.shape[1:]), np.inf
        for chosen in range(1, self.rounds + 1):
            found = [losses((total + member) / chosen, labels, n_classes).mean() for member in scores]
            best = int(np.argmin(found))
            counts[best] += 1
            total += scores[best]
            if found[best] < least:
                least, self.weights = found[best], counts / chosen
        return self


def make(rounds):
    """Return the stacker."""
    return Greedy(rounds)
