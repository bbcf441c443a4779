"""Label shift: the class mixture of unlabelled rows, from probabilities of a model that did not see the labelled ones.

All three estimators return the prior q of the unlabelled rows, shape (classes,). They assume p(x | y) to be the same in both
parts, and probabilities that are calibrated on the labelled part: ``calibrated`` comes first, always.
"""

import numpy as np
from scipy.optimize import nnls

from stillhouse.predictions.calibration import BiasCorrectedTemperature
from stillhouse.predictions.predictions import moved

SMALLEST = 1e-9
# Shares of classes that two estimates may lie apart, in total variation.
APART = 0.1


def em(p, labels, p_new, rounds=500):
    """Return the prior of greatest likelihood of the new rows (Saerens, Latinne & Decaestecker 2002)."""
    prior = class_shares(labels, p.shape[1])
    q = prior.copy()
    for _ in range(rounds):
        q, before = moved(p_new, q, prior).mean(axis=0), q
        if np.abs(q - before).max() < 1e-9:
            break
    return q


def bbse(p, labels, p_new):
    """Return the prior that explains how often each class is predicted, by the confusion matrix (Lipton et al. 2018)."""
    confusion = joint_confusion(p, labels)
    ratio, _ = nnls(confusion, class_shares(p_new.argmax(axis=1), p.shape[1]))
    return normalised(ratio * class_shares(labels, p.shape[1]))


def rlls(p, labels, p_new, penalty=0.01):
    """Return BBSE's answer drawn towards no shift by a ridge on the ratios minus one (Azizzadenesheli et al. 2019)."""
    n = p.shape[1]
    confusion = joint_confusion(p, labels)
    change = class_shares(p_new.argmax(axis=1), n) - confusion.sum(axis=1)
    theta = np.linalg.solve(confusion.T @ confusion + penalty**2 * np.eye(n), confusion.T @ change)
    return normalised(np.maximum(1 + theta, 0) * class_shares(labels, n))


ESTIMATORS = {"em": em, "bbse": bbse, "rlls": rlls}


def joint_confusion(p, labels):
    """Return the shares of (predicted, true) classes; shape (classes, classes)."""
    n = p.shape[1]
    return np.bincount(p.argmax(axis=1) * n + labels, minlength=n * n).reshape(n, n) / len(labels)


def class_shares(labels, n):
    """Return the share of each class, at least 1e-9."""
    return np.maximum(np.bincount(labels, minlength=n) / max(len(labels), 1), SMALLEST)


def normalised(values):
    """Return values with sum 1, equal ones where all are 0."""
    return values / values.sum() if values.sum() > 0 else np.full(len(values), 1 / len(values))


def condition(p, labels):
    """Return the condition number of the confusion matrix; above about 100, BBSE and RLLS say little.

    None where there is none, as some class is never said.
    """
    found = float(np.linalg.cond(joint_confusion(p, labels)))
    return found if np.isfinite(found) else None


def estimate(p, labels, p_new, draws, level, rng):
    """Return each estimator's prior with bootstrap intervals over rows of both parts, calibration included.

    ``p`` and ``p_new`` are a model's probabilities of labelled rows that it did not see and of new rows.
    """
    names = list(ESTIMATORS)
    found = priors(p, labels, p_new)
    drawn = np.stack([priors(*redrawn(p, labels, p_new, rng)) for _ in range(draws)])
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    intervals = {
        name: {"prior": found[k].tolist(), "low": low[k].tolist(), "high": high[k].tolist()} for k, name in enumerate(names)
    }
    return {"before": class_shares(labels, p.shape[1]).tolist(), "condition": condition(p, labels), **intervals}


def redrawn(p, labels, p_new, rng):
    """Return a bootstrap draw of labelled and of new rows."""
    rows, new = rng.integers(len(p), size=len(p)), rng.integers(len(p_new), size=len(p_new))
    return p[rows], labels[rows], p_new[new]


def priors(p, labels, p_new):
    """Return the prior by each estimator on calibrated probabilities; shape (estimators, classes)."""
    calibration = BiasCorrectedTemperature().fit(p, labels)
    p, p_new = calibration.predict(p), calibration.predict(p_new)
    return np.stack([estimator(p, labels, p_new) for estimator in ESTIMATORS.values()])


def corrected(p, labels, p_new):
    """Return calibrated probabilities of new rows, moved from the labelled rows' prior to the one EM finds for the new.

    None where RLLS finds another mixture: both are estimates of the same where only the mixture has moved and probabilities
    are calibrated, and EM goes astray without a sign of its own where they are not.
    """
    calibration = BiasCorrectedTemperature().fit(p, labels)
    p, p_new = calibration.predict(p), calibration.predict(p_new)
    found = em(p, labels, p_new)
    if np.abs(found - rlls(p, labels, p_new)).sum() / 2 > APART:
        return None
    return moved(p_new, found, class_shares(labels, p.shape[1]))
