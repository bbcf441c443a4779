"""Metrics, each for many weightings of the rows at once: ``metric(labels, scores, W)`` with W of shape (draws, rows).

``scores`` are probabilities (rows, classes) or values (rows, 1). A row of W may be ones (the plain metric), the counts of a
bootstrap draw, or shift weights (the metric for deploy rows). All metrics return shape (draws,).
"""

from functools import partial

import numpy as np

from stillhouse.predictions.predictions import label_losses

# The number of bins of the calibration error, which have equally many rows.
BINS = 10


def auc(labels, scores, W):
    """Area under the ROC curve, with ties counted half; of more than two classes, the mean of each against the rest."""
    return _mean_over_classes(_auc_of_one, labels, scores, W)


def average_precision(labels, scores, W):
    """Sum over thresholds of precision times the gain in recall, without interpolation; mean over classes as for the AUC."""
    return _mean_over_classes(_average_precision_of_one, labels, scores, W)


def log_loss(labels, scores, W):
    """Mean of -log p(label), with p at least 1e-7."""
    return mean(label_losses(labels, scores), W)


def brier(labels, scores, W):
    """Mean squared distance of the probabilities from the label; of two classes, that of the positive one (Brier 1950)."""
    distance = ((scores - np.eye(scores.shape[1])[labels]) ** 2).sum(axis=1)
    return mean(distance / 2 if scores.shape[1] == 2 else distance, W)


def accuracy(labels, scores, W):
    """Share of rows whose most likely class is their label."""
    return mean(scores.argmax(axis=1) == labels, W)


def balanced_accuracy(labels, scores, W):
    """Mean recall of the classes."""
    found = scores.argmax(axis=1) == labels
    return np.mean([share_of(found, labels == code, W) for code in np.flatnonzero(np.bincount(labels))], axis=0)


def f1(labels, scores, W):
    """Harmonic mean of precision and recall of the positive class; of more than two classes, the mean over classes."""
    chosen = scores.argmax(axis=1)
    codes = [1] if scores.shape[1] == 2 else np.union1d(labels, chosen)
    return np.mean([_f1_of_one(labels == code, chosen == code, W) for code in codes], axis=0)


def mcc(labels, scores, W):
    """Matthews' correlation of decided and true classes, for any number of classes (Gorodkin 2004); 0 where one is constant."""
    truth, chosen = np.eye(scores.shape[1])[labels], np.eye(scores.shape[1])[scores.argmax(axis=1)]
    total, right = W.sum(axis=1), W @ (truth * chosen).sum(axis=1)
    of_truth, of_chosen = W @ truth, W @ chosen
    above = right * total - (of_truth * of_chosen).sum(axis=1)
    below = np.sqrt((total**2 - (of_truth**2).sum(axis=1)) * (total**2 - (of_chosen**2).sum(axis=1)))
    return np.divide(above, below, out=np.zeros(len(W)), where=below > 0)


def recall_at_precision(labels, scores, W, precision, parts, scored=True):
    """Recall of the positive class at thresholds that other rows state this precision for.

    The threshold of a part of the rows is the one with the largest recall on the rows of all other parts, among those with
    this precision there; where there is none, no row of the part is found. ``parts`` has the part of each row, ``scored`` a
    mask of the rows that count. The precision itself may be another on the scored rows.
    """
    return _prepared_recall(labels, scores, parts, precision, scored)(W)


def _prepared_recall(labels, scores, parts, precision, scored=True, rankings=None):
    """Return recall at a precision as a function of W alone; ``rankings`` keeps those of the rows outside of each part."""
    is_positive, by_part, rankings = labels == 1, [], {} if rankings is None else rankings
    for part in np.unique(parts):
        own, key = parts == part, ("outside", part)
        if key not in rankings:
            rankings[key] = Ranking(is_positive, scores[:, 1], ~own)
        by_part.append((rankings[key], np.flatnonzero(own & is_positive & scored)))
    all_wanted = (is_positive & scored).astype("float64")

    def recall(W):
        found = 0
        for ranking, wanted in by_part:
            limit = _threshold_of(precision, ranking, W)
            found = found + (W[:, wanted] * (scores[wanted, 1] >= limit[:, None])).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return found / (W @ all_wanted)

    return recall


def calibration_error(labels, scores, W):
    """Expected calibration error: mean distance of mean probability and observed share in ten bins of about equal size.

    It is that of the positive class or, of more than two classes, that of the most likely class (Naeini, Cooper & Hauskrecht
    2015, with bins of about equal counts). Bootstrap draws of rows make it larger, so it has no interval.
    """
    is_binary = scores.shape[1] == 2
    stated = scores[:, 1] if is_binary else scores.max(axis=1)
    hit = labels == 1 if is_binary else scores.argmax(axis=1) == labels
    parts = equal_bins(stated, BINS)
    return sum(np.abs(W[:, part] @ (stated[part] - hit[part])) for part in parts) / W.sum(axis=1)


def equal_bins(scores, count):
    """Return the rows of up to ``count`` bins of scores, as arrays of positions.

    Bins have about equally many rows. Rows of equal score are never divided, or the order of rows would change the bins.
    """
    _, positions, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    bins = (middle * count / len(scores)).astype(int)[positions]
    return [np.flatnonzero(bins == number) for number in np.unique(bins)]


def tuned_balanced_accuracy(labels, decisions, W):
    """Balanced accuracy at the threshold that was tuned on other rows; ``decisions`` has a 1 for the class decided for."""
    return balanced_accuracy(labels, decisions, W)


def cost(labels, decisions, W, costs):
    """Mean misclassification cost of a row at the threshold that was tuned on other rows; ``costs`` has that of each class."""
    is_missed = decisions.argmax(axis=1) != labels
    return mean(is_missed * np.array(costs)[labels], W)


def mae(labels, scores, W):
    """Mean absolute error, in units of the target."""
    return mean(np.abs(scores[:, 0] - labels), W)


def rmse(labels, scores, W):
    """Root of the mean squared error, in units of the target."""
    return np.sqrt(mean((scores[:, 0] - labels) ** 2, W))


def r2(labels, scores, W):
    """Share of the target's variance that is explained."""
    centred = labels - labels.mean()
    variance = mean(centred**2, W) - mean(centred, W) ** 2
    return 1 - mean((scores[:, 0] - labels) ** 2, W) / variance


def pinball(labels, scores, W, quantile):
    """Mean pinball loss of a quantile (Koenker & Bassett 1978), in units of the target; at 0.5, half the absolute error."""
    above = labels - scores[:, 0]
    return mean(np.maximum(quantile * above, (quantile - 1) * above), W)


def main_metric(task):
    """Return the name of the metric that models of a task are compared by."""
    return BY_TASK[task.kind][0].__name__


def possible(name, low, high):
    """Return the ends of an interval, limited to possible values of the metric: a loss is at least 0, others are at most 1."""
    if low is None:
        return low, high
    return (max(low, 0.0), high) if name in LESS_IS_BETTER else (low, min(high, 1.0))


def metrics_of(task, settings):
    """Return the metrics of a task as ``{name: metric(labels, scores, W)}``, with the parameters that the settings state."""
    given = {"recall_at_precision": {"precision": settings["precision"]}, "pinball": {"quantile": settings["quantile"]}}
    given["cost"] = {"costs": task.costs}
    found = {metric.__name__: partial(metric, **given.get(metric.__name__, {})) for metric in BY_TASK[task.kind]}
    return {name: metric for name, metric in found.items() if name != "cost" or task.costs}


def of_weightings(asked, labels, scores, folds, rankings=None):
    """Return metrics of all rows as functions of weightings W alone, with regard to folds where they matter.

    Rows of different folds are scored by different models. Ranked together, they would compare the general level of the
    models' scores, and with drifting classes an AUC may fall below 0.5 though each model ranks its own rows well. So a metric
    that ranks rows is the mean over folds, weighted by their rows; of each class, the folds that have it and others count. The
    threshold of ``recall_at_precision`` comes from other folds.

    ``asked`` has a metric for each name, ``scores`` the scores that it is taken of. What does not depend on weights, such as
    the order of scores, is computed once and kept in ``rankings``, and the masses of rows by score are shared by metrics.
    """
    rankings = {} if rankings is None else rankings
    return {name: _of_weightings(name, metric, labels, scores[name], folds, rankings) for name, metric in asked.items()}


def _of_weightings(name, metric, labels, scores, folds, rankings):
    if name == "recall_at_precision":
        return _prepared_recall(labels, scores, parts_of(folds), **getattr(metric, "keywords", {}), rankings=rankings)
    if name not in RANKING:
        return partial(metric, labels, scores)
    codes, present = [1] if scores.shape[1] == 2 else range(scores.shape[1]), np.unique(folds)
    for key in ((code, fold) for code in codes for fold in present):
        if key not in rankings:
            rankings[key] = Ranking(labels == key[0], scores[:, key[0]], folds == key[1])
    return partial(_mean_over_folds, RANKING[name], [[rankings[code, fold] for fold in present] for code in codes])


def of_fold(name, metric, labels, scores, folds, fold, rankings=None):
    """Return a metric of one fold as a function of weightings W of all rows; see ``of_weightings``."""
    own = folds == fold
    if name == "recall_at_precision":
        return _prepared_recall(labels, scores, parts_of(folds), **metric.keywords, scored=own, rankings=rankings)
    return lambda W: metric(labels[own], scores[own], W[:, own])


def parts_of(folds):
    """Return the part of each row: its fold or, of a single fold, one of two halves."""
    if len(np.unique(folds)) > 1:
        return folds
    return np.random.default_rng(0).permutation(len(folds)) % 2


def _mean_over_folds(metric_of_one, rankings, W):
    by_class = []
    for of_class in rankings:
        values = np.stack([metric_of_one(ranking, W) for ranking in of_class])
        weight = np.array([[len(ranking.order)] for ranking in of_class]) * np.isfinite(values)
        with np.errstate(invalid="ignore"):
            by_class.append(np.nansum(values * weight, axis=0) / weight.sum(axis=0))
    return _mean_of_known(by_class)


def mean(values, W):
    """Return the weighted mean of one value per row for each weighting; shape (draws,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return W @ np.asarray(values, "float64") / W.sum(axis=1)


def share_of(found, among, W):
    """Return the weighted share of rows that were found among some rows, both masks, for each weighting; shape (draws,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return W @ (found & among).astype("float64") / (W @ among.astype("float64"))


def _mean_over_classes(metric_of_one, labels, scores, W):
    codes = [1] if scores.shape[1] == 2 else range(scores.shape[1])
    return _mean_of_known([metric_of_one(Ranking(labels == code, scores[:, code]), W) for code in codes])


def _mean_of_known(values):
    values = np.stack(values)
    known = values[np.isfinite(values).any(axis=1)]
    return known.mean(axis=0) if len(known) else np.full(values.shape[1], np.nan)


class Ranking:
    """Some rows in the order of their scores, lowest first, whatever weights they are given later.

    ``distinct`` has the different scores. The masses of the last weighting are kept, as several metrics ask for them.
    """

    def __init__(self, is_positive, score, among=None):
        own = np.arange(len(score)) if among is None else np.flatnonzero(among)
        self.order = own[np.argsort(score[own], kind="stable")]
        self.first = np.flatnonzero(np.r_[True, np.diff(score[self.order]) > 0]) if len(own) else np.arange(0)
        self.is_positive, self.distinct = is_positive[self.order], score[self.order][self.first]
        self._weights, self._masses = None, None

    def masses(self, W):
        """Return the weights of positive and of negative rows summed over equal scores; each (draws, scores)."""
        if self._weights is not W:
            sorted_weights = W[:, self.order]
            positive = sorted_weights * self.is_positive
            if len(self.first) < len(self.order):
                positive, sorted_weights = (np.add.reduceat(part, self.first, axis=1) for part in (positive, sorted_weights))
            self._weights, self._masses = W, (positive, sorted_weights - positive)
        return self._masses


def _auc_of_one(ranking, W):
    positive, negative = ranking.masses(W)
    below = np.cumsum(negative, axis=1) - negative
    with np.errstate(invalid="ignore", divide="ignore"):
        return (positive * (below + negative / 2)).sum(axis=1) / (positive.sum(axis=1) * negative.sum(axis=1))


def _average_precision_of_one(ranking, W):
    recall, precision = _recall_and_precision(ranking, W)
    return (np.diff(recall, axis=1, prepend=0) * precision).sum(axis=1)


def _recall_and_precision(ranking, W):
    """Return both at falling thresholds; shape (draws, scores)."""
    positive, negative = (mass[:, ::-1] for mass in ranking.masses(W))
    found, false = np.cumsum(positive, axis=1), np.cumsum(negative, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(found + false > 0, found / (found + false), 0)
        return found / found[:, -1:], precision


def _threshold_of(precision, ranking, W):
    """Return for each weighting the lowest threshold with a precision; infinite where none has it; shape (draws,)."""
    if not ranking.is_positive.any():
        return np.full(len(W), np.inf)
    _, reached = _recall_and_precision(ranking, W)
    falling = ranking.distinct[::-1]
    has_it = reached >= precision
    lowest = has_it.shape[1] - 1 - has_it[:, ::-1].argmax(axis=1)
    return np.where(has_it.any(axis=1), falling[lowest], np.inf)


def _f1_of_one(is_label, is_chosen, W):
    right, total = W @ (is_label & is_chosen), W @ is_label + W @ is_chosen
    return np.divide(2 * right, total, out=np.zeros(len(W)), where=total > 0)


def mass_by_score(is_positive, score, W):
    """Return the weights of positive and of negative rows summed over equal scores, lowest first; (draws, scores)."""
    return Ranking(is_positive, score).masses(W)


OF_CLASSES = (log_loss, brier, calibration_error, accuracy, balanced_accuracy, f1, mcc, tuned_balanced_accuracy, cost)
BY_TASK = {
    "binary": (auc, average_precision, recall_at_precision, *OF_CLASSES),
    "multiclass": (auc, *OF_CLASSES),
    "regression": (rmse, mae, r2, pinball),
}
# Metrics that rank rows, which only scores of one model allow, as functions of one class; see ``of_weightings``.
RANKING = {"auc": _auc_of_one, "average_precision": _average_precision_of_one}
# Metrics between 0 and 1 that rows of every class add to.
OF_ALL_ROWS, OF_EVERY_CLASS, OF_POSITIVES = ("accuracy",), ("auc", "average_precision", "f1"), ("recall_at_precision",)
# Means of the recall of each class.
MEAN_RECALLS = ("balanced_accuracy", "tuned_balanced_accuracy")
# Metrics of decisions, not of probabilities.
OF_DECISIONS = ("tuned_balanced_accuracy", "cost")
WITHOUT_INTERVAL = ("calibration_error",)
LESS_IS_BETTER = ("log_loss", "brier", "calibration_error", "cost", "rmse", "mae", "pinball")
