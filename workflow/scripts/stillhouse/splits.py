"""The names of splits: a split is named by the folds it holds out, as ``none``, ``0`` or ``0+2``."""

from dataclasses import dataclass

NONE = "none"
ALL = "all"
# What files of splits also hold, under these words and the split's name: see ``whole_of`` and ``first_of``.
_WHOLE, _FIRST = "whole ", "first "


def split_name(folds):
    """Return the name of the split that holds out these folds."""
    return "+".join(str(fold) for fold in sorted(folds)) or NONE


def whole_of(split):
    """Return the name of a split's sample without stop rows, on which its models are fitted again."""
    return f"{_WHOLE}{split}"


def first_of(split):
    """Return the name of what a split's model predicted before it was fitted again; a student's first fit learns from it."""
    return f"{_FIRST}{split}"


def plain_split(name):
    """Return the split that a sample or predictions of this name belong to."""
    return name.removeprefix(_WHOLE).removeprefix(_FIRST)


def held_out(split):
    """Return the folds that a split holds out, as a frozenset of int."""
    return frozenset() if split == NONE else frozenset(int(fold) for fold in split.split("+"))


def in_order(splits):
    """Return split names, those that hold out least first."""
    return sorted(splits, key=lambda split: (len(held_out(split)), sorted(held_out(split))))


@dataclass(frozen=True)
class Split:
    """A split as jobs see it: the folds that it trains on and holds out, and the unseen split of each trained fold.

    ``synthetic`` says whether its models predict synthetic rows, for a student of the split.
    """

    name: str
    train: list
    held_out: list
    unseen: dict
    synthetic: bool = False


def splits_from(params):
    """Return the splits in the parameters of a job, where they are plain dictionaries."""
    return [Split(**param) for param in params]
