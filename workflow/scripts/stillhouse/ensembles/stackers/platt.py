"""Platt scaling of one member (Platt 1999): a logistic regression on its logits, with a bias for each class."""

from stillhouse.ensembles.stackers.linear import LinearPool


def make(penalty):
    """Return the stacker."""
    return LinearPool(penalty, nonnegative=True)
