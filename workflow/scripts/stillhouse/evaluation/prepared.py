"""Metrics of some rows as functions of weightings alone, with regard to folds where they matter."""

from functools import partial

import numpy as np

from stillhouse.evaluation.confusion import recall_of
from stillhouse.evaluation.metrics import OF_CONFUSION, OF_LOG_ODDS, OF_MEANS, RANKING, confusion_of, mean
from stillhouse.evaluation.ranking import Ranking, Thresholds, mean_over_parts, rankings, recall_at
from stillhouse.evaluation.recalibration import LogOdds


class Prepared:
    """Some rows, for metrics that are functions of weightings W alone: what does not depend on W is computed once.

    Rows of different folds are scored by different models. Ranked together, they would compare the general level of the
    models' scores, and with drifting classes an AUC may fall below 0.5 though each model ranks its own rows well. So a metric
    that ranks rows is the mean over folds, weighted by their rows; of each class, the folds that have it and others count. The
    threshold of ``recall_at_precision`` comes from other folds.
    """

    def __init__(self, labels, folds):
        self.labels, self.folds, self._kept = labels, folds, {}

    def metric(self, name, metric, scores):
        """Return a metric of all rows; ``metric`` is as ``metrics_of`` gives it, and may have settings."""
        settings = getattr(metric, "keywords", {})
        if name == "recall_at_precision":
            return recall_at(self._thresholds(scores, **settings))
        if name in RANKING:
            return partial(mean_over_parts, RANKING[name], self._rankings(scores))
        if name in OF_CONFUSION:
            return partial(OF_CONFUSION[name], *settings.values(), self.confusion(scores))
        if name in OF_LOG_ODDS:
            return partial(OF_LOG_ODDS[name], self.log_odds(scores))
        if name in OF_MEANS:
            return partial(mean, OF_MEANS[name](self.labels, scores))
        return partial(metric, self.labels, scores)

    def metric_of_fold(self, name, metric, scores, fold):
        """Return a metric of the rows of one fold, as a function of weightings of all rows."""
        own = self.folds == fold
        if name == "recall_at_precision":
            return recall_at(self._thresholds(scores, **metric.keywords), own)
        return lambda W: metric(self.labels[own], scores[own], W[:, own])

    def recall(self, code, scores):
        """Return the recall of a class."""
        return partial(recall_of, code, self.confusion(scores))

    def confusion(self, scores):
        """Return the rows by label and most likely class, once for the same array of scores."""
        return self._once("confusion", scores, lambda: confusion_of(self.labels, scores))

    def log_odds(self, scores):
        """Return the log odds that are stated, once for the same array of scores."""
        return self._once("log odds", scores, lambda: LogOdds(self.labels, scores))

    def _rankings(self, scores):
        return self._once("rankings", scores, lambda: rankings(self.labels, scores, self.folds))

    def _thresholds(self, scores, precision):
        def make():
            parts = parts_of(self.folds)
            one = self._rankings(scores)[0] if parts is self.folds else Ranking(self.labels == 1, scores[:, 1], parts)
            return Thresholds(one, precision)

        return self._once(("thresholds", precision), scores, make)

    def _once(self, what, scores, make):
        key = what, id(scores)
        if key not in self._kept:
            # The scores are kept too, so that no other array gets their identity.
            self._kept[key] = make(), scores
        return self._kept[key][0]


def parts_of(folds):
    """Return the part of each row: its fold or, of a single fold, one of two halves."""
    if len(np.unique(folds)) > 1:
        return folds
    return np.random.default_rng(0).permutation(len(folds)) % 2
