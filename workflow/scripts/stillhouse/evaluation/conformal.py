"""Conformal prediction: sets of classes, or intervals, that contain the true label with a stated probability.

The threshold of a row comes from rows of other folds. All of them were predicted by models that had not seen them, so that
the nonconformity scores are exchangeable (cross-conformal prediction, Vovk 2015).
"""

from functools import partial

import numpy as np
import pandas as pd

from stillhouse.columns import DEPLOY, FOLD, LABEL, PART, ROW
from stillhouse.evaluation.intervals import draws, interval
from stillhouse.evaluation.metrics import mean
from stillhouse.evaluation.scores import unit_numbers, weights_of
from stillhouse.predictions.predictions import columns_of

LOW, HIGH = "low", "high"


def set_column(name):
    """Return the name of the column that says whether a class is in a row's set."""
    return f"in_{name}"


def nonconformity_score(predictions, classes):
    """Return the nonconformity score 1 - p of each class; shape (rows, classes) (Sadinle, Lei & Wasserman 2019)."""
    return 1 - predictions[columns_of(classes)].to_numpy("float64")


def label_scores(rows, classes):
    """Return the nonconformity score of each row's label: 1 - p(label), or the distance from the value; shape (rows,)."""
    labels = rows[LABEL].to_numpy()
    if not classes:
        return np.abs(labels - rows[columns_of(None)[0]].to_numpy("float64"))
    return nonconformity_score(rows, classes)[np.arange(len(rows)), labels.astype(int)]


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


def calibration_parts(rows, units, timed):
    """Return the part of each row, and for each part the parts that its threshold comes from.

    Parts are folds, and the others are all other folds or, with time, the earlier ones. A single fold is divided in two.
    """
    part = rows[FOLD].to_numpy()
    if len(np.unique(part)) < 2:
        part = np.random.default_rng(0).permutation(int(units.max()) + 1)[units] % 2
    names = np.unique(part)
    return part, {name: [other for other in names if (other < name if timed else other != name)] for name in names}


def thresholds(rows, units, weight, level, classes, timed):
    """Return a threshold for each held-out row, from rows of other parts; shape (rows,)."""
    scores, result = label_scores(rows, classes), np.full(len(rows), np.inf)
    part, calibrated_by = calibration_parts(rows, units, timed)
    for name, others in calibrated_by.items():
        is_own, is_other = part == name, np.isin(part, others)
        result[is_own] = threshold(scores[is_other], weight[is_other], weight[is_own], level)
    return result


def threshold_of_new(rows, weight, level, classes):
    """Return the threshold of deploy rows, from all held-out rows; a deploy row is given sum w² / sum w, its expected
    weight.
    """
    own = (weight**2).sum() / weight.sum()
    return float(threshold(label_scores(rows, classes), weight, np.array([own]), level)[0])


def sets(predictions, limit, classes):
    """Return ``row`` and each row's set as ``in_<class>``, or its interval as ``low`` and ``high``."""
    limit = np.broadcast_to(limit, len(predictions))
    if classes:
        is_in = nonconformity_score(predictions, classes) <= limit[:, None]
        columns = {set_column(name): is_in[:, code] for code, name in enumerate(classes)}
    else:
        centre = predictions[columns_of(None)[0]].to_numpy("float64")
        columns = {LOW: centre - limit, HIGH: centre + limit}
    return pd.DataFrame({ROW: predictions[ROW].to_numpy(), **columns})


def sizes(table, classes):
    """Return the number of classes in each set, or the width of each interval."""
    if classes:
        return table[[set_column(name) for name in classes]].to_numpy().sum(axis=1)
    return (table[HIGH] - table[LOW]).to_numpy()


def with_conformal(metrics, predictions, rows, protocol, timed, weights=None):
    """Return the metrics with the coverage and mean size of conformal sets, and the sets of all predicted rows.

    Thresholds of held-out rows come from other folds, those of deploy rows from all held-out rows. With shift ``weights`` the
    thresholds of deploy rows are weighted, and ``deploy_weighted`` has the weighted coverage of held-out rows by such
    thresholds; ``unweighted`` is the coverage of thresholds without weights.
    """
    classes, level = protocol.task.classes, protocol.settings["coverage"]
    deploy = rows[rows[PART] == DEPLOY]
    held_out = rows[rows[PART] != DEPLOY]
    even, units = np.ones(len(held_out)), unit_numbers(held_out)
    weight = even if weights is None else weights_of(held_out, weights)
    plain = thresholds(held_out, units, even, level, classes, timed)
    limit, plain_limit = (threshold_of_new(held_out, own, level, classes) for own in (weight, even))
    covered = {"held_out": coverage(held_out, plain, even, protocol)}
    if weights is not None:
        weighted = thresholds(held_out, units, weight, level, classes, timed)
        covered["deploy_weighted"] = coverage(held_out, weighted, weight, protocol, plain)
    if len(deploy):
        ones = np.ones(len(deploy))
        covered["deploy"] = coverage(deploy, limit * ones, ones, protocol, plain_limit * ones)
    metrics = {part: assessed | {"conformal": covered.get(part)} for part, assessed in metrics.items()}
    limits = predictions[ROW].map(pd.Series(plain, index=held_out[ROW])).fillna(limit).to_numpy()
    return metrics, sets(predictions, limits, classes)


def coverage(rows, limit, weight, protocol, plain=None):
    """Return the coverage of sets, its interval, and their mean size; None where no row has a finite threshold.

    ``plain`` has the thresholds without weights, whose coverage is returned as ``unweighted``.
    """
    classes, settings, has_threshold = protocol.task.classes, protocol.settings, np.isfinite(limit)
    if not has_threshold.any():
        return None
    scores, W, units = label_scores(rows, classes), weight * has_threshold, unit_numbers(rows)
    covered = partial(mean, scores <= limit)
    low, high = interval(draws({"": covered}, W, units, settings["draws"], np.random.default_rng(0))[""], settings["level"])
    size = sizes(sets(rows[has_threshold], limit[has_threshold], classes), classes)
    return {
        "value": float(covered(W[None])[0]),
        "low": low,
        "high": high,
        "size": float(np.average(size, weights=weight[has_threshold])),
        "rows": int(has_threshold.sum()),
        "unweighted": None if plain is None else float(mean(scores <= plain, W[None])[0]),
    }
