"""The sample a model is fitted on: training rows, weighed and balanced, and a stop set that balancing never sees.

The prior ledger: balancing changes the class prior that a model learns. ``before`` and ``after`` record the change,
and ``predictions.on_original_prior`` undoes it, once.
"""

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit

from stillhouse.columns import FOLD, GROUP, LABEL, ROW, STOP, TIME, WEIGHT
from stillhouse.errors import UserError
from stillhouse.methods import build
from stillhouse.seeds import derive, generator
from stillhouse.tables import rows_in


def training_sample(features, weights, labels, folds, split):
    """Return the training rows of a split with their features, label, weight and fold.

    ``labels`` may hold more rows; only those of the split's training folds get in.
    """
    seen = folds[rows_in(folds, split["train"], FOLD)]
    return features.merge(seen, on=ROW).merge(labels, on=ROW).merge(weights, on=ROW)


def balanced_sample(sample, n_classes, share, options, seed):
    """Return the sample to fit on, stop rows marked, and the ledger ``{before, after}`` (None for a regression).

    Stop rows are cut off first and keep their natural mix; their weights are then shifted to the prior that the
    model learns, so that stopping judges by the same mixture as the loss.
    """
    if not n_classes and options["method"] != "none":
        raise UserError(f"resample: {options['method']} balances classes, and the target is a regression; choose none")
    is_stop = stop_rows(sample, n_classes, share, derive(seed, "stop"))
    keys = [name for name in (GROUP, TIME) if name in sample]
    fitted = sample[~is_stop].drop(columns=keys).assign(**{STOP: False})
    stop = sample[is_stop].drop(columns=keys).assign(**{STOP: True})
    if not n_classes:
        return pd.concat([fitted, stop], ignore_index=True), None
    before = prior(sample, n_classes)
    fitted = build("resamplers", options)(fitted, generator(seed, "resample"))
    after = prior(fitted, n_classes)
    stop[WEIGHT] *= (after / np.maximum(prior(stop, n_classes), 1e-12))[stop[LABEL].astype(int)]
    stop[WEIGHT] *= len(stop) / max(stop[WEIGHT].sum(), 1e-12)
    return pd.concat([fitted, stop], ignore_index=True), {"before": before.tolist(), "after": after.tolist()}


def prior(sample, n_classes):
    """Return the weighted share of each class; shape (n_classes,)."""
    mass = np.bincount(sample[LABEL].astype(int), weights=sample[WEIGHT], minlength=n_classes)
    return mass / max(mass.sum(), 1e-12)


def stop_rows(sample, n_classes, share, seed):
    """Return a mask of the rows to stop by: the last in time, whole groups, or a share of each class."""
    rng = np.random.default_rng(seed)
    if TIME in sample:
        return (sample[TIME].rank(method="max", pct=True) > 1 - share).to_numpy()
    is_stop = np.zeros(len(sample), dtype=bool)
    if GROUP in sample:
        splitter = GroupShuffleSplit(1, test_size=share, random_state=seed)
        is_stop[next(splitter.split(sample, groups=sample[GROUP]))[1]] = True
        return is_stop
    strata = sample[LABEL].to_numpy() if n_classes else np.zeros(len(sample))
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        is_stop[rng.permutation(rows)[: round(share * len(rows))]] = True
    return is_stop
