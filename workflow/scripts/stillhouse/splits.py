"""The names of splits: a split is named by the folds it holds out, as ``none``, ``0`` or ``0+2``."""

from dataclasses import dataclass

NONE = "none"
ALL = "all"
# The sample of split ``none`` without stop rows, on which a shipped model is fitted again; it lies beside that with stop rows.
WHOLE = "whole"
# What a model of split ``none`` predicted before it was fitted again; a student's first fit learns from it.
FIRST = "first"


def split_name(folds):
    """Return the name of the split that holds out these folds."""
    return "+".join(str(fold) for fold in sorted(folds)) or NONE


def held_out(split):
    """Return the folds that a split holds out, as a frozenset of int."""
    return frozenset() if split == NONE else frozenset(int(fold) for fold in split.split("+"))


def in_order(splits):
    """Return split names, those that hold out least first."""
    return sorted(splits, key=lambda split: (len(held_out(split)), sorted(held_out(split))))


@dataclass(frozen=True)
class Split:
    """A split as jobs see it: the folds that it trains on and holds out, and the unseen split of each trained fold."""

    name: str
    train: list
    held_out: list
    unseen: dict


def splits_from(params):
    """Return the splits in the parameters of a job, where they are plain dictionaries."""
    return [Split(**param) for param in params]
