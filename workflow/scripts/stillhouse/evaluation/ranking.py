"""Rows ranked by their scores, once for all weightings: the area under the ROC curve, average precision, and thresholds.

The sums behind them run over the positive rows, which are usually few, and look up how much weight of negative rows lies below
each. Weightings W have the shape (draws, rows); results have one entry for each draw.
"""

import numpy as np


class Ranking:
    """Rows in the order of their scores within parts, such as folds, whatever weights they are given later.

    ``is_positive``, ``score`` and ``parts`` have one entry for each row. ``positives`` and ``negatives`` are positions of rows
    in order of part and score; those of part q begin at ``first_positive[q]`` and ``first_negative[q]``.
    """

    def __init__(self, is_positive, score, parts):
        self.score = score
        self.parts, self.part_of = np.unique(parts, return_inverse=True)
        self.sizes = np.bincount(self.part_of, minlength=len(self.parts))
        order = np.lexsort((score, self.part_of))
        self.positives, self.negatives = order[is_positive[order]], order[~is_positive[order]]
        self.first_positive, self.first_negative = map(self._first, (self.positives, self.negatives))
        below = [self.below(part, score[self.positives[self.positives_of(part)]]) for part in range(len(self.parts))]
        self.positives_below, self.negatives_below, self.negatives_level = map(np.concatenate, zip(*below, strict=True))
        self._weights, self._masses = None, None

    def _first(self, rows):
        counts = np.bincount(self.part_of[rows], minlength=len(self.parts))
        return np.r_[0, np.cumsum(counts)]

    def positives_of(self, part):
        """Return the slice of the positive rows of a part."""
        return slice(self.first_positive[part], self.first_positive[part + 1])

    def positives_by_part(self):
        """Return the positions of the positive rows of each part."""
        return [self.positives[self.positives_of(part)] for part in range(len(self.parts))]

    def below(self, part, scores):
        """Return where scores would stand among a part's positive rows and negative rows, and after its equal negative ones."""
        start = self.first_negative[part]
        negatives = self.score[self.negatives[start : self.first_negative[part + 1]]]
        positives = self.score[self.positives[self.positives_of(part)]]
        return (
            self.first_positive[part] + np.searchsorted(positives, scores),
            start + np.searchsorted(negatives, scores),
            start + np.searchsorted(negatives, scores, side="right"),
        )

    def masses(self, W):
        """Return the weights of positive rows, and the sums of weights before each positive and each negative row."""
        if self._weights is not W:
            positive = W[:, self.positives]
            self._weights, self._masses = W, (positive, sums_before(positive), sums_before(W[:, self.negatives]))
        return self._masses

    def totals(self, part, W):
        """Return the weights of a part's positive and negative rows; each (draws, 1)."""
        _, positive, negative = self.masses(W)
        ends = (positive, self.first_positive), (negative, self.first_negative)
        return [sums[:, first[part + 1], None] - sums[:, first[part], None] for sums, first in ends]

    def above(self, part, places, W):
        """Return the weights of a part's positive and negative rows from places among them on; each (draws, places)."""
        _, positive, negative = self.masses(W)
        ends = positive[:, self.first_positive[part + 1], None], negative[:, self.first_negative[part + 1], None]
        return [end - sums[:, own] for end, sums, own in zip(ends, (positive, negative), places, strict=True)]


def sums_before(weights):
    """Return the sum of the weights before each entry, and of all; shape (draws, entries + 1)."""
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums


def rankings(labels, scores, parts):
    """Return a ranking for each class, or of two classes that of the second; ``scores`` has the shape (rows, classes)."""
    codes = [1] if scores.shape[1] == 2 else range(scores.shape[1])
    return [Ranking(labels == code, scores[:, code], parts) for code in codes]


def mean_over_parts(metric_of_part, rankings, W):
    """Return the mean of a metric over parts, weighted by their rows, and over the rankings of classes, for each draw."""
    by_class = []
    for ranking in rankings:
        values = np.stack([metric_of_part(ranking, part, W) for part in range(len(ranking.parts))])
        weight = ranking.sizes[:, None] * np.isfinite(values)
        with np.errstate(invalid="ignore"):
            by_class.append(np.nansum(values * weight, axis=0) / weight.sum(axis=0))
    return mean_of_known(by_class)


def mean_of_known(values):
    """Return the mean over classes for each draw, of those that have a value in some draw."""
    values = np.stack(values)
    known = values[np.isfinite(values).any(axis=1)]
    return known.mean(axis=0) if len(known) else np.full(values.shape[1], np.nan)


def auc_of(ranking, part, W):
    """Return the area under the ROC curve of a part's rows, with ties counted half."""
    weights, _, negative = ranking.masses(W)
    own, (positives, negatives) = ranking.positives_of(part), ranking.totals(part, W)
    beaten = (negative[:, ranking.negatives_below[own]] + negative[:, ranking.negatives_level[own]]) / 2
    beaten -= negative[:, ranking.first_negative[part], None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights[:, own] * beaten).sum(axis=1) / (positives * negatives)[:, 0]


def average_precision_of(ranking, part, W):
    """Return the sum over thresholds of precision times the gain in recall, among a part's rows."""
    own = ranking.positives_of(part)
    found, false = ranking.above(part, (ranking.positives_below[own], ranking.negatives_below[own]), W)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (ranking.masses(W)[0][:, own] * precision_of(found, false)).sum(axis=1) / ranking.totals(part, W)[0][:, 0]


def precision_of(found, false):
    """Return the share of positive weight; 0 where there is no weight."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(found + false > 0, found / (found + false), 0)


class Thresholds:
    """For each part, the lowest score of other parts' rows from which on these have a precision; infinite where none has it."""

    def __init__(self, ranking, precision):
        self.ranking, self.precision = ranking, precision
        self.rising = np.argsort(ranking.score[ranking.positives], kind="stable")
        self.scores = ranking.score[ranking.positives][self.rising]
        part_of = ranking.part_of[ranking.positives[self.rising]]
        self.others = [np.flatnonzero(part_of != part) for part in range(len(ranking.parts))]
        self.places = [ranking.below(part, self.scores)[:2] for part in range(len(ranking.parts))]
        self.negatives = ranking.negatives[np.argsort(ranking.score[ranking.negatives], kind="stable")]
        self.negative_scores = ranking.score[self.negatives]
        # The first of the negative rows with an equal score.
        self.equal_from = np.searchsorted(self.negative_scores, self.negative_scores)
        self._weights, self._above = None, None

    def outside(self, part, W):
        """Return the threshold of the rows outside of a part; shape (draws,)."""
        others = self.others[part]
        if not len(others):
            return np.full(len(W), np.inf)
        by_part = self._by_part(W)
        found, false = (sum(sums[side] for sums in by_part) - by_part[part][side] for side in (0, 1))
        found, false = found[:, others], false[:, others]
        has_it = precision_of(found, false) >= self.precision
        lowest, draws = has_it.argmax(axis=1), np.arange(len(W))
        limits = self._lowered(part, self.scores[others], lowest, found[draws, lowest], false[draws, lowest], W)
        return np.where(has_it.any(axis=1), limits, np.inf)

    def _by_part(self, W):
        if self._weights is not W:
            self._weights, self._above = W, [self.ranking.above(part, own, W) for part, own in enumerate(self.places)]
        return self._above

    def _lowered(self, part, scores, lowest, found, false, W):
        """Return thresholds lowered as far as negative rows of other parts let them, for the lowest positive row of each draw.

        All that lies between is negative, so that precision falls from one negative row to the next.
        """
        next_lower = np.r_[-np.inf, scores][np.searchsorted(scores, scores[lowest])]
        first = np.searchsorted(self.negative_scores, next_lower, side="right")[:, None]
        end = np.searchsorted(self.negative_scores, scores[lowest])[:, None]
        falling = end - 1 - np.arange((end - first).max(initial=0))
        if not falling.size:
            return scores[lowest]
        is_between, at = falling >= first, np.maximum(falling, 0)
        is_other = is_between & (self.ranking.part_of[self.negatives[at]] != part)
        passed = false[:, None] + np.cumsum(np.take_along_axis(W, self.negatives[at], axis=1) * is_other, axis=1)
        # A threshold takes all rows of its score.
        passed = np.take_along_axis(passed, np.clip(end - 1 - self.equal_from[at], 0, passed.shape[1] - 1), axis=1)
        holds = is_other & (precision_of(found[:, None], passed) >= self.precision)
        return np.minimum(self.negative_scores[at].min(axis=1, initial=np.inf, where=holds), scores[lowest])


def recall_at(thresholds, scored=True):
    """Return the recall at other parts' thresholds as a function of W alone; ``scored`` is a mask of the rows that count."""
    ranking = thresholds.ranking
    wanted = [rows[np.broadcast_to(scored, ranking.score.shape)[rows]] for rows in ranking.positives_by_part()]

    def recall(W):
        found = total = 0
        for part in (part for part, rows in enumerate(wanted) if len(rows)):
            weights = W[:, wanted[part]]
            found = found + (weights * (ranking.score[wanted[part]] >= thresholds.outside(part, W)[:, None])).sum(axis=1)
            total = total + weights.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return found / total if np.ndim(total) else np.full(len(W), np.nan)

    return recall


def masses_by_score(is_positive, score):
    """Return how many positive and how many negative rows have each score, lowest first; each (scores,)."""
    distinct, position = np.unique(score, return_inverse=True)
    return [np.bincount(position, weights=rows, minlength=len(distinct)) for rows in (is_positive, ~is_positive)]
