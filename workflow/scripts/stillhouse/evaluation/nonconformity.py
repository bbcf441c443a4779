"""How unlike the labels of other rows a label would be: the scores that conformal sets compare."""

import numpy as np

from stillhouse.columns import LABEL, PREDICTION, probability, quantiles
from stillhouse.seeds import uniforms

# The scores of classes: 1 - p (least ambiguous sets), and the probability of likelier classes (adaptive prediction sets).
LEAST_AMBIGUOUS, ADAPTIVE = "lac", "aps"
# What the digits of one probability after the other are multiplied by, modulo 2^64: that of Knuth's generator MMIX.
MULTIPLIER = 6364136223846793005


def score_settings(settings):
    """Return the settings by which sets are made, of all those of evaluation."""
    return {name: settings[name] for name in ("coverage", "sets", "penalty", "penalty_from", "by_class")}


def nonconformity_score(predictions, classes, settings):
    """Return the nonconformity score of each class; shape (rows, classes).

    ``lac`` is 1 - p (Sadinle, Lei & Wasserman 2019), of which sets are the smallest on average. ``aps`` is the probability of
    all likelier classes and a drawn share of its own (Romano, Sesia & Candès 2020), by which sets are larger where a row is
    uncertain; ``penalty`` is added for each rank beyond ``penalty_from`` (Angelopoulos et al. 2021).
    """
    p = predictions[list(map(probability, classes))].to_numpy("float64")
    if settings["sets"] == LEAST_AMBIGUOUS:
        return 1 - p
    order = np.argsort(-p, axis=1, kind="stable")
    ranked = np.take_along_axis(p, order, axis=1)
    drawn = drawn_share(p)
    beyond = np.maximum(0, np.arange(1, p.shape[1] + 1) - settings["penalty_from"])
    scores = np.empty_like(p)
    np.put_along_axis(scores, order, ranked.cumsum(axis=1) - (1 - drawn) * ranked + settings["penalty"] * beyond, axis=1)
    return scores


def drawn_share(p):
    """Return a number from (0, 1) for each row, drawn from its probabilities, shape (rows, classes), to six digits.

    So a row has the same set wherever it stands, and the share is a function of it like any other; shape (rows, 1).
    """
    digits = np.rint(p * 1e6).astype(np.uint64)
    with np.errstate(over="ignore"):
        factors = np.multiply.accumulate(np.full(p.shape[1], MULTIPLIER, dtype=np.uint64))
        return uniforms(0, (digits * factors).sum(axis=1, dtype=np.uint64), 1)


def ends(predictions):
    """Return what an interval is widened from: the outer predicted quantiles, or the value as both; shapes (rows,)."""
    levels = quantiles(predictions)
    names = (levels[0], levels[-1]) if len(levels) > 1 else (PREDICTION, PREDICTION)
    return tuple(predictions[name].to_numpy("float64") for name in names)


def label_scores(rows, classes, settings):
    """Return the nonconformity score of each row's label; shape (rows,).

    Of a value it is how far it lies outside its quantiles, negative inside (Romano, Patterson & Candès 2019), or without
    quantiles from the predicted value.
    """
    labels = rows[LABEL].to_numpy()
    if not classes:
        low, high = ends(rows)
        return np.maximum(low - labels, labels - high)
    return nonconformity_score(rows, classes, settings)[np.arange(len(rows)), labels.astype(int)]
