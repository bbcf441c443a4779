"""Label shift: the class prior of unlabelled rows, estimated from the probabilities of a model.

All three estimators return the prior of the unlabelled rows, shape (classes,). They assume that p(x | y) is the same in both
parts, and that probabilities are calibrated on the labelled part, which the model must not have been fitted on.
"""

import numpy as np

from stillhouse.predictions.calibration import BiasCorrectedTemperature
from stillhouse.predictions.predictions import moved

SMALLEST_SHARE = 1e-9
# The change of a class's share that is expected, one standard deviation.
USUAL_CHANGE = 0.3
# The largest distance (total variation) of two estimates of the class prior that are both trusted.
MOST_DISAGREEMENT = 0.1


def em(p, labels, p_new, rounds=500):
    """Return the maximum-likelihood prior of the new rows, by EM (Saerens, Latinne & Decaestecker 2002)."""
    prior = class_shares(labels, p.shape[1])
    q = prior.copy()
    for _ in range(rounds):
        q, before = moved(p_new, q, prior).mean(axis=0), q
        if np.abs(q - before).max() < 1e-9:
            break
    return q


def bbse(p, labels, p_new):
    """Return the prior that explains the predicted classes through the confusion matrix (Lipton et al. 2018)."""
    # Most jobs that read this module optimise nothing, and the import takes longer than they run.
    from scipy.optimize import nnls

    confusion = joint_confusion(p, labels)
    ratio, _ = nnls(confusion, class_shares(p_new.argmax(axis=1), p.shape[1]))
    return normalised(ratio * class_shares(labels, p.shape[1]))


def rlls(p, labels, p_new):
    """Return the estimate of BBSE shrunk towards no shift (after Azizzadenesheli et al. 2019).

    The squared change of the class shares, in units of ``USUAL_CHANGE``, is added to the squared error of the equations in
    units of their sampling variance, which vanishes as rows become many. With a fixed penalty the estimate would stay wrong
    however many rows there are.
    """
    n, before = p.shape[1], class_shares(labels, p.shape[1])
    confusion, predicted = joint_confusion(p, labels), class_shares(p_new.argmax(axis=1), p.shape[1])
    change = predicted - confusion.sum(axis=1)
    noise = sum(
        (shares * (1 - shares)).mean() / rows for shares, rows in ((confusion.sum(axis=1), len(p)), (predicted, len(p_new)))
    )
    given = confusion / before
    moved_shares = np.linalg.solve(given.T @ given + noise / USUAL_CHANGE**2 * np.eye(n), given.T @ change)
    return normalised(np.maximum(before + moved_shares, 0))


ESTIMATORS = {"em": em, "bbse": bbse, "rlls": rlls}


def joint_confusion(p, labels):
    """Return the shares of (predicted, true) classes; shape (classes, classes)."""
    n = p.shape[1]
    return np.bincount(p.argmax(axis=1) * n + labels, minlength=n * n).reshape(n, n) / len(labels)


def class_shares(labels, n):
    """Return the share of each class, at least 1e-9."""
    return np.maximum(np.bincount(labels, minlength=n) / max(len(labels), 1), SMALLEST_SHARE)


def normalised(values):
    """Return values scaled to a sum of 1; equal values where all are 0."""
    return values / values.sum() if values.sum() > 0 else np.full(len(values), 1 / len(values))


def condition(p, labels):
    """Return the condition number of the confusion matrix; above about 100, BBSE and RLLS are unreliable.

    None where some class is never predicted, so that the matrix is singular.
    """
    number = float(np.linalg.cond(joint_confusion(p, labels)))
    return number if np.isfinite(number) else None


def estimate(p, labels, p_new, draws, level, rng):
    """Return each estimator's prior with bootstrap intervals over rows of both parts, calibration included.

    ``p`` and ``p_new`` are a model's probabilities of labelled rows that it did not see and of new rows.
    """
    names = list(ESTIMATORS)
    point = priors(p, labels, p_new)
    drawn = np.stack([priors(*redrawn(p, labels, p_new, rng)) for _ in range(draws)])
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    intervals = {
        name: {"prior": point[k].tolist(), "low": low[k].tolist(), "high": high[k].tolist()} for k, name in enumerate(names)
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
    """Return calibrated probabilities of new rows, moved to the class prior that EM estimates for the new rows.

    None where RLLS estimates a different prior. The two agree where only the prior has changed and probabilities are
    calibrated; otherwise EM can be far off without any sign of it.
    """
    calibration = BiasCorrectedTemperature().fit(p, labels)
    p, p_new = calibration.predict(p), calibration.predict(p_new)
    prior = em(p, labels, p_new)
    if np.abs(prior - rlls(p, labels, p_new)).sum() / 2 > MOST_DISAGREEMENT:
        return None
    return moved(p_new, prior, class_shares(labels, p.shape[1]))
