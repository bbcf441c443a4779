"""Decisions: the class with the largest probability times factor; factors are tuned for balanced accuracy or for costs.

With two classes, a factor is the same as a threshold. Factors are tuned on stop rows, which the model was not fitted on; those
of a stack on the unseen predictions that its few weights are learned from.
"""

import numpy as np

ROUNDS = 5


def decide(p, factors):
    """Return the class of the largest probability times factor; shape (rows,)."""
    return (p * factors).argmax(axis=1)


def tuned_factors(p, labels, weight, costs=None):
    """Return the factors with the greatest balanced accuracy on these rows, or with the least cost; shape (classes,).

    ``costs`` has the misclassification cost of a row of each class; None asks for balanced accuracy. The search starts at the
    optimum for perfectly calibrated probabilities (1 / prior, or the costs) and moves the factor of one class after another
    to its exact optimum, as long as that improves. Classes without a row here keep factor 1.
    """
    mass = np.bincount(labels, weights=weight, minlength=p.shape[1])
    present = np.flatnonzero(mass > 0)
    if len(present) < 2:
        return np.ones(p.shape[1])
    cost = 1 / np.maximum(mass, 1e-12) if costs is None else np.asarray(costs, dtype=float)
    factors = np.where(mass > 0, cost / cost[present].min(), 1.0)
    row_costs = weight * cost[labels]
    for _ in range(ROUNDS):
        before = factors.copy()
        for code in present:
            factors[code] = best_factor(p, labels, row_costs, factors, code)
        if (factors == before).all():
            break
    factors[present] /= factors[present].min()
    return factors


def best_factor(p, labels, row_costs, factors, code):
    """Return the best factor of one class while the others stay; the present one where no other is better.

    A row is decided for the class from the factor ``turn`` on. With rows sorted by it, cumulated ``row_costs`` (the cost of
    misclassifying a row, or its part in the recall of its class) give the gain of every possible factor.
    """
    others = p * factors
    others[:, code] = -1
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.where(p[:, code] > 0, others.max(axis=1) / p[:, code], np.inf)
    gain = np.where(labels == code, row_costs, -row_costs * (others.argmax(axis=1) == labels))
    order = np.argsort(turn, kind="stable")
    turn, total = turn[order], np.r_[0, np.cumsum(gain[order])]
    ends = np.r_[True, turn[1:] > turn[:-1], True] & np.r_[True, np.isfinite(turn)]
    best = np.flatnonzero(ends)[total[ends].argmax()]
    present = np.searchsorted(turn, factors[code])
    if total[best] <= total[present] + 1e-12:
        return factors[code]
    return between_turns(turn, best)


def between_turns(turn, position):
    """Return the geometric mean of the sorted turns before and at a position."""
    low = turn[position - 1] if position else turn[0] / 4
    high = turn[position] if position < len(turn) and np.isfinite(turn[position]) else 4 * low
    return float(np.sqrt(max(low, high * 1e-6) * high)) if high > 0 else 1e-12
