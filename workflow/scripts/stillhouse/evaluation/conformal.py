"""Conformal sets and intervals: what holds a row's true label in a stated share of cases, whatever the model.

A row is judged by thresholds from rows of other folds. Each of those was predicted by a model that had not seen it, as the row
itself was, so that the rows' scores are exchangeable (cross-conformal prediction, Vovk 2015).
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


def member(name):
    """Return the name of the column that says whether a class is in a row's set."""
    return f"in_{name}"


def strangeness(predictions, classes):
    """Return 1 - p of each class (rows, classes) (Sadinle, Lei & Wasserman 2019)."""
    return 1 - predictions[columns_of(classes)].to_numpy("float64")


def strangeness_of_labels(rows, classes):
    """Return how strange each row's label is by its prediction: 1 - p, or the distance from the value; shape (rows,)."""
    labels = rows[LABEL].to_numpy()
    if not classes:
        return np.abs(labels - rows[columns_of(None)[0]].to_numpy("float64"))
    return strangeness(rows, classes)[np.arange(len(rows)), labels.astype(int)]


def threshold(found, weight, own, level):
    """Return for each own weight the least score under which the weight of the others is ``level`` of all, own included.

    ``found`` has the scores of other rows, and ``weight`` their shift weights; infinite where they do not suffice. With equal
    weights this is the usual rank of ceil(level (n + 1)) (Tibshirani et al. 2019, equation 7).
    """
    order = np.argsort(found, kind="stable")
    reached = np.cumsum(weight[order])
    total = reached[-1] if len(reached) else 0.0
    place = np.searchsorted(reached, level * (total + own) - 1e-9 * (total + own))
    return np.r_[found[order], np.inf][np.minimum(place, len(found))]


def parts_of(rows, units, timed):
    """Return the parts that rows are judged in, and for each the parts it is judged by.

    These are folds; in time, those before. Where there is one fold alone, its units are halved.
    """
    part = rows[FOLD].to_numpy()
    if len(np.unique(part)) < 2:
        part = np.random.default_rng(0).permutation(int(units.max()) + 1)[units] % 2
    names = np.unique(part)
    return part, {name: [other for other in names if (other < name if timed else other != name)] for name in names}


def thresholds(rows, units, weight, level, classes, timed):
    """Return a threshold for each held-out row, from rows of other parts; shape (rows,)."""
    found, result = strangeness_of_labels(rows, classes), np.full(len(rows), np.inf)
    part, judged_by = parts_of(rows, units, timed)
    for name, others in judged_by.items():
        is_own, is_other = part == name, np.isin(part, others)
        result[is_own] = threshold(found[is_other], weight[is_other], weight[is_own], level)
    return result


def threshold_of_new(rows, weight, level, classes):
    """Return the threshold for deploy rows, from all held-out rows; each new row weighs what they do on average."""
    own = (weight**2).sum() / weight.sum()
    return float(threshold(strangeness_of_labels(rows, classes), weight, np.array([own]), level)[0])


def sets(predictions, limit, classes):
    """Return ``row`` and each row's set as ``in_<class>``, or its interval as ``low`` and ``high``."""
    limit = np.broadcast_to(limit, len(predictions))
    if classes:
        is_in = strangeness(predictions, classes) <= limit[:, None]
        columns = {member(name): is_in[:, code] for code, name in enumerate(classes)}
    else:
        centre = predictions[columns_of(None)[0]].to_numpy("float64")
        columns = {LOW: centre - limit, HIGH: centre + limit}
    return pd.DataFrame({ROW: predictions[ROW].to_numpy(), **columns})


def sizes(table, classes):
    """Return how many classes each set holds, or how wide each interval is."""
    if classes:
        return table[[member(name) for name in classes]].to_numpy().sum(axis=1)
    return (table[HIGH] - table[LOW]).to_numpy()


def with_conformal(metrics, predictions, rows, schema, settings, timed, weights=None):
    """Return the metrics with achieved coverage and mean size of the sets, and the sets of all rows that are predicted.

    Held-out rows are judged by rows of other folds, deploy rows by all held-out rows; with shift ``weights`` deploy rows take
    weighted thresholds. ``deploy_weighted`` then has what such thresholds cover of the held-out rows, weighted. ``unweighted``
    is what is covered without weights.
    """
    classes, level = schema["classes"], settings["coverage"]
    deploy = rows[rows[PART] == DEPLOY]
    held_out = rows[rows[PART] != DEPLOY]
    even, units = np.ones(len(held_out)), unit_numbers(held_out)
    weight = even if weights is None else weights_of(held_out, weights)
    plain = thresholds(held_out, units, even, level, classes, timed)
    limit, plain_limit = (threshold_of_new(held_out, own, level, classes) for own in (weight, even))
    found = {"held_out": coverage(held_out, plain, even, schema, settings)}
    if weights is not None:
        weighted = thresholds(held_out, units, weight, level, classes, timed)
        found["deploy_weighted"] = coverage(held_out, weighted, weight, schema, settings, plain)
    if len(deploy):
        ones = np.ones(len(deploy))
        found["deploy"] = coverage(deploy, limit * ones, ones, schema, settings, plain_limit * ones)
    metrics = {part: assessed | {"conformal": found.get(part)} for part, assessed in metrics.items()}
    limits = predictions[ROW].map(pd.Series(plain, index=held_out[ROW])).fillna(limit).to_numpy()
    return metrics, sets(predictions, limits, classes)


def coverage(rows, limit, weight, schema, settings, plain=None):
    """Return the share of rows whose set holds the label, its interval, and the mean size; None where no row has a threshold.

    ``plain`` has the thresholds without weights, which are set beside.
    """
    classes, is_judged = schema["classes"], np.isfinite(limit)
    if not is_judged.any():
        return None
    found, W, units = strangeness_of_labels(rows, classes), weight * is_judged, unit_numbers(rows)
    covered = partial(mean, found <= limit)
    low, high = interval(draws({"": covered}, W, units, settings["draws"], np.random.default_rng(0))[""], settings["level"])
    size = sizes(sets(rows[is_judged], limit[is_judged], classes), classes)
    return {
        "value": float(covered(W[None])[0]),
        "low": low,
        "high": high,
        "size": float(np.average(size, weights=weight[is_judged])),
        "rows": int(is_judged.sum()),
        "unweighted": None if plain is None else float(mean(found <= plain, W[None])[0]),
    }
