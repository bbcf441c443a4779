"""Scores: metrics on held-out rows and on labelled deploy rows, with intervals."""

import numpy as np
import pandas as pd

from stillhouse.columns import DECISION, DEPLOY, FOLD, LABEL, PART, ROW, TIME, WEIGHT
from stillhouse.evaluation.bounds import Bounds
from stillhouse.evaluation.calibration_curve import CalibrationCurve, CurvesOfClasses
from stillhouse.evaluation.decision_rates import DecisionRates
from stillhouse.evaluation.intervals import draws, resampled_t
from stillhouse.evaluation.metrics import OF_DECISIONS, WITHOUT_INTERVAL, main_metric, metrics_of, possible
from stillhouse.evaluation.net_benefit import NetBenefit
from stillhouse.evaluation.prepared import Prepared
from stillhouse.intake.folds import OF_DEPLOY, unit_numbers
from stillhouse.predictions.predictions import columns_of, label_losses, prediction_table
from stillhouse.seeds import generator
from stillhouse.shift.label_shift import corrected
from stillhouse.tables import file_of, read_json, read_split


def held_out_predictions(paths, folds, splits):
    """Return the predictions of scored rows, each by the split that held it out, and of deploy rows by split ``none``.

    ``splits`` has the descriptions of these splits; rows are in the order of the table.
    """
    parts = []
    for split in splits:
        table = read_split(paths, split.name)
        rows = folds.loc[folds[FOLD].isin(split.held_out or [OF_DEPLOY]), [ROW]]
        parts.append(rows.merge(table, on=ROW))
    return pd.concat(parts, ignore_index=True).sort_values(ROW, ignore_index=True)


def deploy_predictions(paths, folds, splits):
    """Return the predictions of deploy rows by each split that held out a fold, as ``{fold: table}``; empty without rows."""
    rows = folds.loc[folds[FOLD] == OF_DEPLOY, [ROW]]
    if rows.empty:
        return {}
    return {split.held_out[0]: rows.merge(read_split(paths, split.name), on=ROW) for split in splits if split.held_out}


def scored(predictions, table, folds):
    """Return the predictions of labelled rows with their label, part, fold and, if there are groups, group."""
    known = predictions.merge(table[[ROW, LABEL, PART]], on=ROW).merge(folds, on=ROW)
    return known[known[LABEL].notna()].reset_index(drop=True)


def evaluate(rows, protocol, weights=None, corrected=None):
    """Return metrics with intervals: on held-out rows, on these weighted for deploy rows, and on labelled deploy rows.

    ``weights`` has shift weights of held-out rows; ``corrected`` has probabilities of deploy rows on their estimated class
    prior.
    """
    deploy = rows[PART] == DEPLOY
    held_out = rows[~deploy]
    result = {"held_out": assess(held_out, protocol, ratio=protocol.ratio, has_worth=True)}
    if weights is not None:
        result["deploy_weighted"] = assess(rows[~deploy], protocol, weights_of(rows[~deploy], weights))
    if deploy.any():
        result["deploy"] = assess(rows[deploy], protocol, has_worth=True)
    if deploy.any() and corrected is not None:
        moved = rows[deploy].drop(columns=[*columns_of(protocol.task.classes), DECISION]).merge(corrected, on=ROW)
        result["deploy_corrected"] = assess(moved, protocol)
    return result


def weights_of(rows, weights):
    """Return the shift weight of each row; shape (rows,)."""
    return rows[[ROW]].merge(weights, on=ROW, how="left")[WEIGHT].to_numpy()


def ratio_of(folds, splits):
    """Return the ratio of held-out to training rows, averaged over scored splits; None where there is nothing to average.

    That is so for a single split and, as the corrected resampled t-test is for training sets of one size, for rows in order
    of time, where every split has learned from more rows than the one before it.
    """
    if TIME in folds:
        return None
    sizes = folds[FOLD].value_counts()
    ratios = [sizes[split.held_out].sum() / sizes[split.train].sum() for split in splits if split.held_out]
    return float(np.mean(ratios)) if len(ratios) > 1 else None


def corrected_for_label_shift(predictions, table, classes):
    """Return the deploy rows' probabilities on the class prior estimated for them; None if it cannot be estimated.

    The estimate is by EM on the model's own calibrated probabilities. It holds if only the class prior has changed, which
    ``shift.json`` diagnoses.
    """
    known = predictions.merge(table[[ROW, LABEL, PART]], on=ROW)
    deploy = known[known[PART] == DEPLOY]
    labelled = known[(known[PART] != DEPLOY) & known[LABEL].notna()]
    if not classes or not len(deploy):
        return None
    names = columns_of(classes)
    p, labels, p_new = (labelled[names].to_numpy(), labelled[LABEL].to_numpy(int), deploy[names].to_numpy())
    moved = corrected(p, labels, p_new)
    return None if moved is None else prediction_table(deploy[ROW], moved, classes)


def assess(rows, protocol, weight=None, ratio=None, has_worth=False):
    """Return each metric of the task with its interval and its value per fold; metrics of decisions if rows have decisions.

    With ``ratio``, the mean over folds and its corrected resampled t interval are added; with ``has_worth`` what is told by
    ``worth``, on the same draws.
    """
    weight = np.ones(len(rows)) if weight is None else weight
    labels, probabilities, folds = as_arrays(rows, protocol.task)
    settings = protocol.settings
    bounds = Bounds(labels, bool(protocol.task.classes), unit_numbers(rows), weight, settings["level"])
    prepared = Prepared(labels, folds)
    known, scores = known_metrics(rows, protocol)
    metrics = measures(known, scores, prepared, bounds)
    values = {name: as_float(metric(weight[None])) for name, metric in metrics.items()}
    with_interval = {name: metric for name, metric in metrics.items() if name not in WITHOUT_INTERVAL}
    decided = next((scores[name] for name in OF_DECISIONS if name in scores), None)
    parts = worth(protocol, prepared, probabilities, decided) if has_worth else {}
    rng = generator(protocol.seed, "bootstrap")
    drawn = draws({**with_interval, **parts}, weight, bounds.units, settings["draws"], rng)
    units, result = int(bounds.units.max()) + 1, {}
    for name, metric in known.items():
        low, high = bounds.of(name, values, drawn)
        by_fold = {
            str(fold): as_float(prepared.metric_of_fold(name, metric, scores[name], fold)(weight[None]))
            for fold in np.unique(folds)
        }
        result[name] = {
            "value": values[name],
            "low": low,
            "high": high,
            "folds": by_fold,
            **over_folds(name, by_fold, ratio, settings),
        }
    told = {name: part.told(weight, drawn[name], settings["level"], units) for name, part in parts.items()}
    return {"rows": len(rows), "units": bounds.least_units(), "ratio": ratio, "metrics": result, **told}


def known_metrics(rows, protocol):
    """Return the metrics of the task that rows can have, by name, and what each of them is computed from.

    That is the probabilities or values of rows, and for metrics of decisions, which only rows with decisions have, the decided
    class as a probability of 1.
    """
    _, probabilities, _ = as_arrays(rows, protocol.task)
    decided = np.eye(probabilities.shape[1])[rows[DECISION]] if DECISION in rows else None
    asked = metrics_of(protocol.task, protocol.settings)
    known = {name: metric for name, metric in asked.items() if decided is not None or name not in OF_DECISIONS}
    return known, {name: decided if name in OF_DECISIONS else probabilities for name in known}


def measures(known, scores, prepared, bounds):
    """Return metrics as functions of weightings (draws, rows), and with them the recalls that intervals of some take."""
    metrics = {name: prepared.metric(name, metric, scores[name]) for name, metric in known.items()}
    return metrics | bounds.recalls(prepared, scores)


def worth(protocol, prepared, scores, decided):
    """Return what tells how much deciding by a model is worth, how often it is right, and its calibration, by name.

    Of more than two classes it is calibration alone; nothing for values, and where all rows are of one class.
    """
    labels, p = prepared.labels, scores[:, -1]
    if not protocol.task.classes or len(np.unique(labels)) < 2:
        return {}
    if protocol.task.kind == "multiclass":
        return {"calibration_curves": CurvesOfClasses(labels, scores)}
    parts = {"net_benefit": NetBenefit(labels, p), "calibration_curve": CalibrationCurve(prepared.log_odds(scores), p)}
    if decided is None:
        return parts
    return parts | {"decisions": DecisionRates(labels, prepared.confusion(decided), p)}


def over_folds(name, by_fold, ratio, settings):
    """Return the mean over folds and its corrected resampled t interval; nothing without a ratio."""
    if ratio is None:
        return {}
    middle, low, high, _ = resampled_t(by_fold.values(), ratio, settings["level"])
    low, high = possible(name, low, high)
    return {"folds_mean": middle, "t_low": low, "t_high": high}


def as_arrays(rows, task):
    """Return labels (rows,), scores (rows, outputs) and folds (rows,) of scored rows."""
    labels = rows[LABEL].to_numpy("int64" if task.classes else "float64")
    return labels, rows[columns_of(task.classes)].to_numpy("float64"), rows[FOLD].to_numpy()


def main_of(rows, protocol):
    """Return the main metric of some rows as a function of weightings (draws, rows)."""
    labels, scores, folds = as_arrays(rows, protocol.task)
    name = main_metric(protocol.task)
    metric = metrics_of(protocol.task, protocol.settings)[name]
    return Prepared(labels, folds).metric(name, metric, scores)


def row_losses(rows, task):
    """Return the log loss of each row, or for a regression the squared error; shape (rows,)."""
    scores = rows[columns_of(task.classes)].to_numpy("float64")
    if not task.classes:
        return (rows[LABEL].to_numpy("float64") - scores[:, 0]) ** 2
    return label_losses(rows[LABEL].to_numpy("int64"), scores)


def as_float(value):
    """Return the single entry of an array as a float, or None where it is not finite."""
    return float(value[0]) if np.isfinite(value[0]) else None


def held_out_weights(paths, facts, folds, splits):
    """Return the shift weight of each scored row, by the split that held it out; None without shift weights.

    There are none without deploy rows, and none if the weights of some split are all equal, because they were refused or not
    asked for: a weighted score would then be weighted in name only.
    """
    if not paths or any(is_even(facts, split.name) for split in splits if split.held_out):
        return None
    parts = [
        folds.loc[folds[FOLD].isin(split.held_out), [ROW]].merge(read_split(paths, split.name), on=ROW)
        for split in splits
        if split.held_out
    ]
    return pd.concat(parts, ignore_index=True)


def is_even(facts, split):
    """Return whether all rows of a split have equal weights, by the files with the facts on the weights."""
    return not read_json(file_of(facts, split))[split].get("power")
