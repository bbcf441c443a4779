"""The names of splits: a split is named by the folds it holds out, as ``none``, ``0`` or ``0+2``."""

NONE = "none"
ALL = "all"


def split_name(folds):
    """Return the name of the split that holds out these folds."""
    return "+".join(str(fold) for fold in sorted(folds)) or NONE


def held_out(split):
    """Return the folds that a split holds out, as a frozenset of int."""
    return frozenset() if split == NONE else frozenset(int(fold) for fold in split.split("+"))


def in_order(splits):
    """Return split names, those that hold out least first."""
    return sorted(splits, key=lambda split: (len(held_out(split)), sorted(held_out(split))))
