"""How good the probabilities are: curves and calibration of two classes, a confusion matrix of several, or a scatter plot."""

import numpy as np

from stillhouse.config.models import verb
from stillhouse.evaluation.decision_rates import RATES
from stillhouse.evaluation.metrics import equal_bins
from stillhouse.evaluation.ranking import masses_by_score
from stillhouse.evaluation.scores import as_arrays
from stillhouse.report import figures
from stillhouse.report.text import number, percent, with_interval, with_interval_in_percent

TITLES = {
    "binary": "How good the probabilities are",
    "multiclass": "What the leading model confuses, and how good its probabilities are",
    "regression": "Predicted and true values",
}
# How many models get a curve; students and what they are compared with always do.
MOST_CURVES = 5
MOST_CURVE_POINTS = 400


def pictures(run):
    """Return the pictures that fit the task."""
    leader = run.title(run.leader)
    labels, scores, _ = as_arrays(run.held_out(run.leader), run.task)
    if run.task.kind == "regression":
        drawn = figures.scatter(scores[:, 0], labels, "predicted", "true", diagonal=True)
        left = figures.scatter(scores[:, 0], labels - scores[:, 0], "predicted", "true less predicted", diagonal=False)
        text = "Points should lie as far above 0 as below it, and as far from it everywhere; a funnel asks for `by_class` sets."
        return [
            figures.Picture("scatter", drawn, f"Predicted and true values of {leader}", "On the dashed line they are equal."),
            figures.Picture("residuals", left, f"Errors of {leader}", text),
        ]
    if run.task.kind == "multiclass":
        drawn = [confusion_picture(labels, scores, run.task.classes, leader), class_curves_picture(run)]
        return list(filter(None, drawn))
    return curve_pictures(run)


def curve_pictures(run):
    """Return ROC curves, precision and recall, and calibration of the models with curves."""
    arrays = {run.title(name): as_arrays(run.held_out(name), run.task)[:2] for name in models_with_curves(run)}
    roc, recall, calibration = (
        {name: points(labels, scores[:, 1]) for name, (labels, scores) in arrays.items()}
        for points in (roc_points, recall_points, reliability_points)
    )
    positive = f"The positive class is {run.schema['classes'][1]}."
    calibrated = "On the dashed line, observed shares equal predicted probabilities."
    drawn = [
        figures.Picture("roc", figures.curves(roc, "false positive rate", "true positive rate", True), "ROC curves", positive),
        figures.Picture("recall", figures.curves(recall, "recall", "precision", False), "Precision and recall", positive),
        figures.Picture("calibration", figures.reliability(calibration), "Calibration", calibrated),
        curve_picture(run),
        benefit_picture(run),
    ]
    return list(filter(None, drawn))


def curve_picture(run):
    """Return the smooth calibration curve of the leading model with its band; None where classes are apart."""
    found = run.metrics[run.leader]["held_out"].get("calibration_curve")
    if not found:
        return None
    text = (
        "Where the band lies above the dashed line, probabilities are too low, and below it too high. The bars show how many "
        f"rows have such probabilities. On average the curve is {number(found['index'])} from what is stated."
    )
    drawn = figures.calibration_curve(found, run.title(run.leader))
    return figures.Picture("calibration-curve", drawn, f"Calibration of {run.title(run.leader)}, smoothed", text)


def class_curves_picture(run):
    """Return the smooth calibration curves of the classes by the leading model; None where classes are apart."""
    found = run.metrics[run.leader]["held_out"].get("calibration_curves")
    if not found:
        return None
    left = len(run.task.classes) - len(found)
    text = (
        "Each class against all others: where the band lies above the dashed line, its probabilities are too low, and below it "
        f"too high.{f' {left} classes with too few rows, or that are told apart perfectly, have no curve.' if left else ''}"
    )
    drawn = figures.calibration_curves(found, run.task.classes)
    return figures.Picture("calibration-curves", drawn, f"Calibration of {run.title(run.leader)}, by class", text)


def decision_sentence(run):
    """Return how often the leading model's decisions are right at its tuned threshold.

    Nothing but for two classes, and for models that are read, which have no tuned threshold.
    """
    found = run.metrics[run.leader]["held_out"].get("decisions")
    if not found or verb(run.models[run.leader]) == "read" or any(one["low"] is None for one in found["tuned"].values()):
        return ""
    sensitive, specific, right, clear = (with_interval_in_percent(found["tuned"][name]) for name in RATES)
    negative, positive = run.task.classes
    return (
        f"At its tuned threshold, {run.quoted(run.leader)} decides for {positive} in {sensitive} of the rows that are "
        f"{positive} (sensitivity), and for {negative} in {specific} of those that are {negative} (specificity). Of its "
        f"decisions for {positive} {right} are right, and of those for {negative} {clear} (predictive values, where "
        f"{percent(found['prevalence'])} of rows are {positive})."
    )


def benefit_picture(run):
    """Return the net benefit of the leading model over thresholds, with its interval, beside acting on all rows or none."""
    found = run.metrics[run.leader]["held_out"].get("net_benefit")
    if not found:
        return None
    positive = run.schema["classes"][1]
    text = (
        f"Who acts from a probability of 10 % on accepts nine false alarms for one row that is {positive}. Net benefit is the "
        "share of true positives, less that of false ones at this rate. Where the model's line is the highest, it is of use."
    )
    drawn = figures.net_benefit(found, run.title(run.leader))
    return figures.Picture("net-benefit", drawn, "Net benefit of deciding by the model", text)


def calibration_sentence(run):
    """Return whether the leading model's probabilities are too extreme or too near the middle, too low or too high."""
    if run.task.kind != "binary":
        return ""
    metrics = run.metrics[run.leader]["held_out"]["metrics"]
    slope, intercept = metrics["calibration_slope"], metrics["calibration_intercept"]
    if None in (slope["low"], intercept["low"]):
        return ""
    faults = []
    if slope["high"] < 1 or slope["low"] > 1:
        faults.append(f"too {'extreme' if slope['high'] < 1 else 'near the middle'} (calibration slope {with_interval(slope)})")
    if intercept["low"] > 0 or intercept["high"] < 0:
        side = "low" if intercept["low"] > 0 else "high"
        faults.append(f"too {side} on average (calibration intercept {with_interval(intercept)})")
    if faults:
        return f"The probabilities of {run.quoted(run.leader)} are {' and '.join(faults)}."
    return (
        f"The probabilities of {run.quoted(run.leader)} show no fault: their calibration slope is {with_interval(slope)}, "
        f"where 1 is right, and their intercept {with_interval(intercept)}, where 0 is right."
    )


def models_with_curves(run):
    """Return the names of the leading models, and of each student with its teachers and its twin."""
    students = run.compared_students().items()
    compared = dict.fromkeys(name for student, (*teachers, twin) in students for name in (*teachers, student, twin))
    others = [name for name in run.comparison["model"] if name not in compared]
    return [*others[: max(1, MOST_CURVES - len(compared))], *compared]


def confusion_picture(labels, scores, classes, title):
    """Return the confusion matrix of a model."""
    counts = np.zeros((len(classes), len(classes)))
    np.add.at(counts, (labels, scores.argmax(axis=1)), 1)
    return figures.Picture(
        "confusion", figures.confusion(counts, classes), f"Confusions of {title}", "Shares of each true class."
    )


def roc_points(labels, score):
    """Return false and true positive rates at falling thresholds."""
    true, false = positives_at_thresholds(labels, score)
    return curve_points(np.r_[0, false / false[-1]], np.r_[0, true / true[-1]])


def recall_points(labels, score):
    """Return recall and precision at falling thresholds."""
    true, false = positives_at_thresholds(labels, score)
    return curve_points(true / true[-1], true / (true + false))


def positives_at_thresholds(labels, score):
    """Return the numbers of true and of false positives at falling thresholds; rows of equal score are one step."""
    positive, negative = masses_by_score(labels == 1, score)
    return np.cumsum(positive[::-1]), np.cumsum(negative[::-1])


def curve_points(x, y):
    """Return evenly spaced points of a curve."""
    kept = np.unique(np.linspace(0, len(x) - 1, MOST_CURVE_POINTS).astype(int))
    return x[kept], y[kept]


def reliability_points(labels, score, bins=10):
    """Return mean predicted probability and observed share in bins with about equally many rows."""
    parts = equal_bins(score, bins)
    return [score[part].mean() for part in parts], [labels[part].mean() for part in parts]
