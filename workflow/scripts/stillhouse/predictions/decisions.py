"""Decisions: the class that probabilities stand for, once each class has the factor that suits the purpose or the costs.

Of two classes a factor for the rarer one is a threshold. Factors are tuned on stop rows, which the model was not fitted on;
those of a stack on the unseen predictions that its few weights are learned from.
"""

import numpy as np

ROUNDS = 5


def decide(p, factors):
    """Return the class of the largest probability times factor; shape (rows,)."""
    return (p * factors).argmax(axis=1)


def tuned_factors(p, labels, weight, costs=None):
    """Return factors under which decisions have the greatest balanced accuracy on these rows, or the least cost; (classes,).

    ``costs`` has what it costs to take a row of each class for one of another; None asks for balanced accuracy.

    The climb starts where calibrated probabilities would be decided best, at 1 / prior or the costs, and moves the factor of
    one class after the other to its exact optimum, as long as that gains. Classes without a row here keep factor 1.
    """
    mass = np.bincount(labels, weights=weight, minlength=p.shape[1])
    present = np.flatnonzero(mass > 0)
    if len(present) < 2:
        return np.ones(p.shape[1])
    price = 1 / np.maximum(mass, 1e-12) if costs is None else np.asarray(costs, dtype=float)
    factors = np.where(mass > 0, price / price[present].min(), 1.0)
    worth = weight * price[labels]
    for _ in range(ROUNDS):
        before = factors.copy()
        for code in present:
            factors[code] = best_factor(p, labels, worth, factors, code)
        if (factors == before).all():
            break
    factors[present] /= factors[present].min()
    return factors


def best_factor(p, labels, worth, factors, code):
    """Return the factor of one class that gains most, the others given; the present one where no other gains.

    A row is decided for the class from the factor ``turn`` on. Sorted by it, sums of ``worth`` (a row's part in the recall of
    its class) tell the gain of every factor.
    """
    others = p * factors
    others[:, code] = -1
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.where(p[:, code] > 0, others.max(axis=1) / p[:, code], np.inf)
    gain = np.where(labels == code, worth, -worth * (others.argmax(axis=1) == labels))
    order = np.argsort(turn, kind="stable")
    turn, total = turn[order], np.r_[0, np.cumsum(gain[order])]
    ends = np.r_[True, turn[1:] > turn[:-1], True] & np.r_[True, np.isfinite(turn)]
    best = np.flatnonzero(ends)[total[ends].argmax()]
    present = np.searchsorted(turn, factors[code])
    if total[best] <= total[present] + 1e-12:
        return factors[code]
    return between(turn, best)


def between(turn, place):
    """Return a number between the sorted turns before and after a place, in the middle of their logarithms."""
    low = turn[place - 1] if place else turn[0] / 4
    high = turn[place] if place < len(turn) and np.isfinite(turn[place]) else 4 * low
    return float(np.sqrt(max(low, high * 1e-6) * high)) if high > 0 else 1e-12
