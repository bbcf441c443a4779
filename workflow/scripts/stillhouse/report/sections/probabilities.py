"""How good the probabilities are: curves and calibration of two classes, a confusion matrix of several, or a scatter plot."""

from itertools import pairwise

import numpy as np

from stillhouse.columns import DECISION, FOLD
from stillhouse.config.models import verb
from stillhouse.evaluation.decision_rates import RATES
from stillhouse.evaluation.metrics import equal_bins
from stillhouse.evaluation.ranking import masses_by_score
from stillhouse.evaluation.scores import as_arrays
from stillhouse.predictions.predictions import columns_of
from stillhouse.report import figures
from stillhouse.report.text import number, percent, with_interval, with_interval_in_percent

TITLES = {
    "binary": "How good the probabilities are",
    "multiclass": "What the leading model confuses, and how good its probabilities are",
    "regression": "Predicted and true values",
}
# The populations that probabilities and decisions are told of, and how names and titles of pictures tell them apart.
POPULATIONS = {"held_out": "held-out rows", "deploy": "labelled deploy rows"}
SUFFIXES, TITLES_OF = {"held_out": "", "deploy": "-deploy"}, {"held_out": "", "deploy": ", on deploy rows"}
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
    few = f" {len(arrays)} of {len(run.metrics)} models are drawn: the leading ones, and students with what they compare with."
    told = positive + few if len(arrays) < len(run.metrics) else positive
    drawn = [
        figures.Picture("roc", figures.curves(roc, "false positive rate", "true positive rate", True), "ROC curves", told),
        figures.Picture("recall", figures.curves(recall, "recall", "precision", False), "Precision and recall", positive),
        figures.Picture("calibration", figures.reliability(calibration), "Calibration, in ten bins of equal size", calibrated),
        *(picture(run, population) for picture in (curve_picture, benefit_picture) for population in POPULATIONS),
    ]
    return list(filter(None, drawn))


def curve_picture(run, population):
    """Return the smooth calibration curve of the leading model with its band; None where classes are apart."""
    found = run.metrics[run.leader].get(population, {}).get("calibration_curve")
    if not found:
        return None
    text = (
        f"On {POPULATIONS[population]}. Where the band lies above the dashed line, probabilities are too low, and below it too "
        "high. The bars show how many rows have such probabilities. On average the curve is "
        f"{number(found['index'])} from what is stated."
    )
    drawn, name = figures.calibration_curve(found, run.title(run.leader)), f"calibration-curve{SUFFIXES[population]}"
    return figures.Picture(name, drawn, f"Calibration of {run.title(run.leader)}, smoothed{TITLES_OF[population]}", text)


def class_curves_picture(run):
    """Return the smooth calibration curves of the classes by the leading model; None where classes are apart."""
    found = run.metrics[run.leader]["held_out"].get("calibration_curves")
    if not found:
        return None
    left = len(run.task.classes) - len(found)
    few = f" {left} of the classes have none: those with few rows, or that are told apart perfectly." if left else ""
    text = (
        "Each class against all others: where the band lies above the dashed line, its probabilities are too low, and below it "
        f"too high.{few}"
    )
    drawn = figures.calibration_curves(found, run.task.classes)
    return figures.Picture("calibration-curves", drawn, f"Calibration of {run.title(run.leader)}, by class", text)


def decision_sentences(run):
    """Return how often the leading model's decisions are right at its tuned threshold, on held-out and on deploy rows.

    Nothing but for two classes, and for models that are read, which have no tuned threshold.
    """
    if verb(run.models[run.leader]) == "read":
        return []
    found = {population: run.metrics[run.leader].get(population, {}).get("decisions") for population in POPULATIONS}
    return [
        decision_sentence(run, population, told)
        for population, told in found.items()
        if told and all(one["low"] is not None for one in told["tuned"].values())
    ]


def decision_sentence(run, population, found):
    """Return how often the leading model's decisions are right at its tuned threshold, on one population."""
    sensitive, specific, right, clear = (with_interval_in_percent(found["tuned"][name]) for name in RATES)
    negative, positive = run.task.classes
    if population == "deploy":
        return (
            f"On {POPULATIONS[population]}, of which {percent(found['prevalence'])} are {positive}, sensitivity is "
            f"{sensitive}, specificity {specific}, and the predictive values are {right} and {clear}."
        )
    return (
        f"At its tuned threshold{threshold_part(run)}, {run.quoted(run.leader)} decides for {positive} in {sensitive} of the "
        f"held-out rows that are {positive} (sensitivity), and for {negative} in {specific} of those that are {negative} "
        f"(specificity). Of its decisions for {positive} {right} are right, and of those for {negative} {clear} (predictive "
        f"values, where {percent(found['prevalence'])} of rows are {positive})."
    )


def threshold_part(run):
    """Return the threshold of the leading model, or of a cross-validated one those of its folds, as text."""
    found = tuned_thresholds(run.held_out(run.leader), run.task.classes)
    if not found:
        return ""
    least, most = number(min(found)), number(max(found))
    return f", a probability of about {least}{'' if least == most else f' to {most} by fold'}"


def tuned_thresholds(rows, classes):
    """Return the threshold of each fold of scored rows of two classes, as far as their decisions tell.

    It lies between the highest probability that was not decided positive and the lowest that was; folds without both have none.
    """
    found = []
    for _, part in rows.groupby(FOLD):
        p, decided = part[columns_of(classes)[1]].to_numpy(), part[DECISION].to_numpy(int) == 1
        if decided.any() and not decided.all():
            found.append(float(p[decided].min() + p[~decided].max()) / 2)
    return found


def benefit_picture(run, population):
    """Return the net benefit of the leading model over thresholds, with its interval, beside acting on all rows or none."""
    found = run.metrics[run.leader].get(population, {}).get("net_benefit")
    if not found:
        return None
    positive = run.schema["classes"][1]
    text = (
        f"On {POPULATIONS[population]}. To act from a probability of 10 % on means to accept nine false alarms for one row "
        f"that is {positive}. Net benefit is the share of true positives, less that of false ones at this rate. Where the "
        "model's line is the highest, it is of use."
    )
    drawn, name = figures.net_benefit(found, run.title(run.leader)), f"net-benefit{SUFFIXES[population]}"
    return figures.Picture(name, drawn, f"Net benefit of deciding by {run.title(run.leader)}{TITLES_OF[population]}", text)


def calibration_sentences(run):
    """Return whether the leading model's probabilities are right, on held-out rows and on labelled deploy rows."""
    if run.task.kind != "binary":
        return []
    found = {population: run.metrics[run.leader].get(population) for population in POPULATIONS}
    return list(filter(None, (calibration_sentence(run, name, assessed) for name, assessed in found.items() if assessed)))


def calibration_sentence(run, population, assessed):
    """Return whether the leading model's probabilities are too extreme or too near the middle, too low or too high."""
    slope, intercept = assessed["metrics"]["calibration_slope"], assessed["metrics"]["calibration_intercept"]
    if None in (slope["low"], intercept["low"]):
        return ""
    faults, where = [], f"On {POPULATIONS[population]}, the probabilities of {run.quoted(run.leader)}"
    if slope["high"] < 1 or slope["low"] > 1:
        faults.append(f"too {'extreme' if slope['high'] < 1 else 'near the middle'} (calibration slope {with_interval(slope)})")
    if intercept["low"] > 0 or intercept["high"] < 0:
        side = "low" if intercept["low"] > 0 else "high"
        faults.append(f"too {side} on average (calibration intercept {with_interval(intercept)})")
    if faults:
        return f"{where} are {' and '.join(faults)}."
    off = off_part(assessed.get("calibration_curve"))
    return (
        f"{where} are not found wrong on average: their calibration slope is {with_interval(slope)}, where 1 is right, and "
        f"their intercept {with_interval(intercept)}, where 0 is right{off}."
    )


def off_part(curve):
    """Return where the smooth calibration curve is off over its longest stretch; an empty text where its band is not left."""
    if not curve:
        return ""
    stated, value, low, high = (np.array(curve[key], dtype="float64") for key in ("stated", "value", "low", "high"))
    side = (low > stated).astype(int) - (high < stated)
    begins = np.flatnonzero(np.diff(side, prepend=0, append=0))
    stretches = [(one, end) for one, end in pairwise([*begins, len(side)]) if one < len(side) and side[one]]
    first, end = max(stretches, key=lambda stretch: stretch[1] - stretch[0], default=(0, 0))
    if first == end:
        return ""
    distance = np.abs(value - stated)[first:end].mean()
    return (
        f"; but where {number(stated[first])} to {number(stated[end - 1])} is stated, they are some {number(distance)} too "
        f"{'low' if side[first] > 0 else 'high'}"
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
