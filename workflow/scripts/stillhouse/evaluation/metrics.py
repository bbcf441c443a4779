"""Metrics, each for many weightings of the rows at once: ``metric(labels, scores, W)`` with W of shape (draws, rows).

``scores`` are probabilities (rows, classes) or values (rows, 1). A row of W may be ones (the plain metric), the counts of a
bootstrap draw, or shift weights (the metric for deploy rows). All metrics return shape (draws,).
"""

from functools import partial

import numpy as np

from stillhouse.evaluation.confusion import Confusion, accuracy_of, balanced_accuracy_of, cost_of, f1_of, mcc_of
from stillhouse.evaluation.ranking import (
    Ranking,
    Thresholds,
    auc_of,
    average_precision_of,
    mean_over_parts,
    rankings,
    recall_at,
)
from stillhouse.evaluation.recalibration import calibration_intercept, calibration_slope, intercept_of, slope_of
from stillhouse.predictions.predictions import label_losses

# The number of bins of the calibration error, which have equally many rows.
BINS = 10


def auc(labels, scores, W):
    """Area under the ROC curve, with ties counted half; of more than two classes, the mean of each against the rest."""
    return mean_over_parts(auc_of, rankings(labels, scores, np.zeros(len(labels))), W)


def average_precision(labels, scores, W):
    """Sum over thresholds of precision times the gain in recall, without interpolation; mean over classes as for the AUC."""
    return mean_over_parts(average_precision_of, rankings(labels, scores, np.zeros(len(labels))), W)


def log_loss(labels, scores, W):
    """Mean of -log p(label), with p at least 1e-7."""
    return mean(label_losses(labels, scores), W)


def brier(labels, scores, W):
    """Mean squared distance of the probabilities from the label; of two classes, that of the positive one (Brier 1950)."""
    return mean(squared_distances(labels, scores), W)


def squared_distances(labels, scores):
    """Return what the Brier score is the mean of; shape (rows,)."""
    distance = ((scores - np.eye(scores.shape[1])[labels]) ** 2).sum(axis=1)
    return distance / 2 if scores.shape[1] == 2 else distance


def accuracy(labels, scores, W):
    """Share of rows whose most likely class is their label."""
    return accuracy_of(confusion_of(labels, scores), W)


def balanced_accuracy(labels, scores, W):
    """Mean recall of the classes."""
    return balanced_accuracy_of(confusion_of(labels, scores), W)


def f1(labels, scores, W):
    """Harmonic mean of precision and recall of the positive class; of more than two classes, the mean over classes."""
    return f1_of(confusion_of(labels, scores), W)


def mcc(labels, scores, W):
    """Matthews' correlation of decided and true classes, for any number of classes (Gorodkin 2004); 0 where one is constant."""
    return mcc_of(confusion_of(labels, scores), W)


def recall_at_precision(labels, scores, W, precision, parts, scored=True):
    """Recall of the positive class at thresholds that other rows state this precision for.

    The threshold of a part of the rows is the one with the largest recall on the rows of all other parts, among those with
    this precision there; where there is none, no row of the part is found. ``parts`` has the part of each row, ``scored`` a
    mask of the rows that count. The precision itself may be another on the scored rows.
    """
    return recall_at(Thresholds(Ranking(labels == 1, scores[:, 1], parts), precision), scored)(W)


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
    return cost_of(costs, confusion_of(labels, decisions), W)


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
    if low is None or name in UNLIMITED:
        return low, high
    return (max(low, 0.0), high) if name in LESS_IS_BETTER else (low, min(high, 1.0))


def metrics_of(task, settings):
    """Return the metrics of a task as ``{name: metric(labels, scores, W)}``, with the parameters that the settings state."""
    given = {"recall_at_precision": {"precision": settings["precision"]}, "pinball": {"quantile": settings["quantile"]}}
    given["cost"] = {"costs": task.costs}
    found = {metric.__name__: partial(metric, **given.get(metric.__name__, {})) for metric in BY_TASK[task.kind]}
    return {name: metric for name, metric in found.items() if name != "cost" or task.costs}


def confusion_of(labels, scores):
    """Return rows by label and most likely class."""
    return Confusion(labels, scores.argmax(axis=1), scores.shape[1])


def mean(values, W):
    """Return the weighted mean of one value per row for each weighting; shape (draws,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return W @ np.asarray(values, "float64") / W.sum(axis=1)


OF_CLASSES = (log_loss, brier, calibration_error, accuracy, balanced_accuracy, f1, mcc, tuned_balanced_accuracy, cost)
BY_TASK = {
    "binary": (auc, average_precision, recall_at_precision, *OF_CLASSES, calibration_slope, calibration_intercept),
    "multiclass": (auc, *OF_CLASSES),
    "regression": (rmse, mae, r2, pinball),
}
# Metrics that rank rows, as functions of a ranking and one of its parts.
RANKING = {"auc": auc_of, "average_precision": average_precision_of}
# Metrics that are means over rows, as functions of labels and scores.
OF_MEANS = {"log_loss": label_losses, "brier": squared_distances}
# Metrics of calibration, as functions of the log odds that are stated.
OF_LOG_ODDS = {"calibration_slope": slope_of, "calibration_intercept": intercept_of}
# Metrics of decided classes, as functions of their settings and of the rows by label and decision.
OF_CONFUSION = {
    "accuracy": accuracy_of,
    "balanced_accuracy": balanced_accuracy_of,
    "f1": f1_of,
    "mcc": mcc_of,
    "tuned_balanced_accuracy": balanced_accuracy_of,
    "cost": cost_of,
}
# Metrics between 0 and 1 that rows of every class add to.
OF_ALL_ROWS, OF_EVERY_CLASS, OF_POSITIVES = ("accuracy",), ("auc", "average_precision", "f1"), ("recall_at_precision",)
# Means of the recall of each class.
MEAN_RECALLS = ("balanced_accuracy", "tuned_balanced_accuracy")
# Metrics of decisions, not of probabilities.
OF_DECISIONS = ("tuned_balanced_accuracy", "cost")
WITHOUT_INTERVAL = ("calibration_error",)
UNLIMITED = tuple(OF_LOG_ODDS)
LESS_IS_BETTER = ("log_loss", "brier", "calibration_error", "cost", "rmse", "mae", "pinball")
