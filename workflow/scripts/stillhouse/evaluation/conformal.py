"""Conformal prediction: sets of classes, or intervals, that contain the true label with a stated probability.

The threshold of a row comes from all other held-out rows, those of its own fold included. Every held-out row was predicted by
a model that had not seen it, and rows take their places in folds at random, so that a row's nonconformity score has any rank
among all scores with equal probability. Scores of other folds alone would not do: a fold's model may be worse than the others.
Rows in order of time have thresholds from earlier blocks alone.

With ``by_class``, each class has a threshold of its own, from rows of that class, so that every class is covered as often as
stated and not only all classes on average (Vovk 2012, section 3). Strata of rows, too, may judge themselves alone; see
``strata.py``.
"""

import numpy as np

from stillhouse.columns import FOLD, LABEL, ROW
from stillhouse.evaluation.nonconformity import ends, label_scores, nonconformity_score
from stillhouse.evaluation.sets import interval_table, set_table
from stillhouse.intake.folds import unit_numbers

# The parts that groups are divided into, each judged by the others; the steps of a bisection.
MOST_PARTS, BISECTIONS = 20, 60


def threshold(scores, weight, own, level):
    """Return the threshold of rows with the weights ``own``: the weighted quantile of scores of other rows; shape of ``own``.

    ``scores`` and ``weight`` are those of the other rows. The total weight includes a row's own; where the weights of the
    others sum to less than ``level`` of it, the threshold is infinite (Tibshirani et al. 2019, equation 7). With equal weights
    it is the usual rank ceil(level (n + 1)).
    """
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weight[order])
    total = reached[-1] if len(reached) else 0.0
    position = np.searchsorted(reached, level * (total + own) - 1e-9 * (total + own))
    return np.r_[scores[order], np.inf][np.minimum(position, len(scores))]


def threshold_among_others(scores, weight, level):
    """Return for each row the ``threshold`` that all other rows give it; shape (rows,)."""
    if not len(scores):
        return np.empty(0)
    order = np.argsort(scores, kind="stable")
    ordered, reached = np.r_[scores[order], np.inf], np.cumsum(weight[order])
    wanted = level * reached[-1] - 1e-9 * reached[-1]
    place = np.empty(len(scores), dtype=int)
    place[order] = np.arange(len(scores))
    position = np.full(len(scores), np.searchsorted(reached, wanted))
    # A row at or below that position takes its own weight away from the sum that has to be reached.
    is_below = place <= position
    position[is_below] = np.searchsorted(reached, wanted + weight[is_below])
    return ordered[np.minimum(position, len(scores))]


def thresholds(scores, held_out, weight, level, counted):
    """Return a threshold for each held-out row, from ``counted`` rows of other units or, with time, of earlier folds.

    Shape (rows,). Of many groups, a twentieth at a time is judged by all others.
    """
    if not held_out.timed and held_out.are_rows:
        result = threshold(scores[counted], weight[counted], weight, level)
        result[counted] = threshold_among_others(scores[counted], weight[counted], level)
        return result
    part, result = held_out.parts, np.full(len(scores), np.inf)
    for name in np.unique(part):
        is_own, is_other = part == name, (part < name if held_out.timed else part != name) & counted
        result[is_own] = threshold(scores[is_other], weight[is_other], weight[is_own], level)
    return result


class HeldOut:
    """Held-out rows with their label's nonconformity scores, units and folds; the thresholds of their own sets and of others'.

    With ``by_class`` every class has thresholds of its own.
    """

    def __init__(self, rows, classes, settings, timed):
        self.classes, self.settings, self.timed, self.level = classes, settings, timed, settings["coverage"]
        self.scores, self.folds, units = label_scores(rows, classes, settings), rows[FOLD].to_numpy(), unit_numbers(rows)
        self.are_rows = len(np.unique(units)) == len(rows)
        numbers = np.random.default_rng(0).permutation(int(units.max()) + 1) if len(rows) else units
        self.parts = self.folds if timed else numbers[units] % MOST_PARTS
        everything, labels = np.ones(len(rows), dtype=bool), rows[LABEL].to_numpy()
        self.counted = [labels == code for code in range(len(classes))] if classes and settings["by_class"] else [everything]

    def limits(self, weight):
        """Return the threshold of each held-out row and class; shape (rows, classes), or (rows, 1) if all share it."""
        columns = [thresholds(self.scores, self, weight, self.level, counted) for counted in self.counted]
        return np.stack(columns, axis=1)

    def limits_of_new(self, weight):
        """Return the threshold of each class, or a single one, for a new row of average weight; a list.

        Rows of a single group tell nothing of a new one.
        """
        if not self.are_rows and len(np.unique(self.parts)) < 2:
            return [np.inf for _ in self.counted]
        own = np.array([weight_of_new(weight)])
        return [float(threshold(self.scores[counted], weight[counted], own, self.level)[0]) for counted in self.counted]

    def sets_of_new(self, predictions, weight):
        """Return the sets of new rows by CV+ (Romano, Sesia & Candès 2020, section 2.3; Barber et al. 2021 for intervals).

        ``predictions`` maps a fold to the predictions of the new rows by the model that held it out. A held-out row counts by
        its own score against that of the new row under the same model.
        """
        own = weight_of_new(weight)
        wanted = [self.level * (weight[counted].sum() + own) for counted in self.counted]
        parts = {fold: self.sorted_scores(weight, self.folds == fold) for fold in predictions}
        first = next(iter(predictions.values()))
        if not self.classes:
            both = {fold: ends(table) for fold, table in predictions.items()}
            low, high = (
                sign * cv_plus_end({fold: found[side] for fold, found in both.items()}, parts, wanted[0], sign)
                for side, sign in enumerate((-1, 1))
            )
            return interval_table(first[ROW], low, high)
        below = np.zeros((len(first), len(self.classes)))
        for fold, table in predictions.items():
            new = nonconformity_score(table, self.classes, self.settings)
            for code in range(len(self.classes)):
                scores, reached = parts[fold][min(code, len(wanted) - 1)]
                below[:, code] += reached[np.searchsorted(scores, new[:, code], side="left")]
        return set_table(first[ROW], below < np.array(wanted) - 1e-9, self.classes)

    def sorted_scores(self, weight, in_fold):
        """Return for each class, or for all as one, a fold's sorted scores, and the weights before each of them and of all."""
        found = []
        for rows in (in_fold & counted for counted in self.counted):
            order = np.argsort(self.scores[rows], kind="stable")
            found.append((self.scores[rows][order], np.r_[0.0, np.cumsum(weight[rows][order])]))
        return found


def weight_of_new(weight):
    """Return the weight that a new row has on average, as those of held-out rows make them resemble new ones."""
    return (weight**2).sum() / weight.sum()


def cv_plus_end(centres, parts, wanted, sign):
    """Return the upper end of intervals by CV+, or minus the lower end with ``sign`` -1; shape (new rows,).

    It is the least value that a weight of ``wanted`` of the values sign * centre + score does not exceed, by bisection.
    """
    shifted = [(sign * centres[fold], *part) for fold, (part,) in parts.items()]
    if sum(reached[-1] for _, _, reached in shifted) < wanted:
        return np.full(len(shifted[0][0]), np.inf)
    low = np.min([centre for centre, _, _ in shifted], axis=0) + min(scores.min(initial=0) for _, scores, _ in shifted)
    high = np.max([centre for centre, _, _ in shifted], axis=0) + max(scores.max(initial=0) for _, scores, _ in shifted)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = sum(reached[np.searchsorted(scores, middle - centre, side="right")] for centre, scores, reached in shifted)
        is_enough = below >= wanted - 1e-9
        low, high = np.where(is_enough, low, middle), np.where(is_enough, middle, high)
    return high
