"""The sample that a model is fitted on: weighted, resampled training rows, and stop rows that are not resampled.

The ledger: resampling changes the class prior that a model learns. ``before`` and ``after`` record the two priors, and
``calibration.OnOriginalPrior`` undoes the change, once.
"""

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit

from stillhouse.columns import FOLD, GROUP, LABEL, ROW, STOP, TIME, WEIGHT, features
from stillhouse.errors import UserError
from stillhouse.intake.kinds import duplicate_rows
from stillhouse.methods import build
from stillhouse.preparation.ledger import Ledger
from stillhouse.seeds import derive, generator
from stillhouse.tables import rows_in


def training_sample(features, weights, labels, folds, split):
    """Return the training rows of a split with their features, label, weight and fold.

    ``labels`` may hold more rows; only those of the split's training folds are taken.
    """
    seen = folds[rows_in(folds, split.train, FOLD)]
    return features.merge(seen, on=ROW).merge(labels, on=ROW).merge(weights, on=ROW)


def balanced_sample(sample, n_classes, share, options, seed):
    """Return the sample, with stop rows marked, and the ledger, which is None for a regression.

    Stop rows are set aside first and are not resampled; their weights are then moved to the class prior that the model learns,
    so that early stopping judges by the same prior as the loss.
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
    check_classes_left(before, after, options["method"])
    stop[WEIGHT] *= (after / np.maximum(prior(stop, n_classes), 1e-12))[stop[LABEL].astype(int)]
    stop[WEIGHT] *= len(stop) / max(stop[WEIGHT].sum(), 1e-12)
    return pd.concat([fitted, stop], ignore_index=True), Ledger(before.tolist(), after.tolist(), options["method"] != "none")


def check_classes_left(before, after, method):
    """Raise ``UserError`` where resampling has removed a class."""
    if ((before > 0) & (after == 0)).any():
        raise UserError(f"resample: {method} leaves no row of a class to learn from; choose another resampler")


def prior(sample, n_classes):
    """Return the weighted share of each class; shape (n_classes,)."""
    mass = np.bincount(sample[LABEL].astype(int), weights=sample[WEIGHT], minlength=n_classes)
    return mass / max(mass.sum(), 1e-12)


def stop_rows(sample, n_classes, share, seed):
    """Return a mask of the stop rows: the last times, whole groups, or a share of each class; never all rows.

    Rows with equal features stay together, so that no stop row equals a fitted one.
    """
    if TIME in sample and sample[TIME].nunique() > 1:
        return last_times(sample[TIME], share)
    if GROUP in sample:
        is_stop = np.zeros(len(sample), dtype=bool)
        splitter = GroupShuffleSplit(1, test_size=share, random_state=seed)
        is_stop[next(splitter.split(sample, groups=sample[GROUP]))[1]] = True
        return is_stop
    units = duplicate_rows(sample, features(sample))
    first = np.unique(units, return_index=True)[1]
    strata = sample[LABEL].to_numpy()[first] if n_classes else np.zeros(len(first))
    return np.isin(units, units[first[drawn_share(strata, share, np.random.default_rng(seed))]])


def last_times(time, share):
    """Return a mask of the last times with at most ``share`` of the rows, or of the last time alone if it has more."""
    later = (time.rank(method="min", pct=True) > 1 - share).to_numpy()
    return later if later.any() else (time == time.max()).to_numpy()


def drawn_share(strata, share, rng):
    """Return positions of a share of each stratum, at least one in all."""
    rows = [rng.permutation(np.flatnonzero(strata == stratum)) for stratum in np.unique(strata)]
    drawn = np.concatenate([part[: round(share * len(part))] for part in rows])
    return drawn if len(drawn) else max(rows, key=len)[:1]
