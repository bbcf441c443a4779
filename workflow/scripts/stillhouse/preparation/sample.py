"""The sample that a model is fitted on: weighted, resampled training rows, and stop rows that are not resampled.

A file of samples refers to the rows of the table by number, and has the features of drawn rows alone: a table that is sampled
in many ways is stored once.

The ledger: resampling changes the class prior that a model learns. ``before`` and ``after`` record the two priors, and
``calibration.OnOriginalPrior`` undoes the change, once.
"""

from contextlib import contextmanager

import numpy as np
import pandas as pd

from stillhouse.columns import COPY, DROPPED, FOLD, GROUP, LABEL, ROW, STOP, TIME, WEIGHT, divided, features
from stillhouse.errors import UserError
from stillhouse.methods import build, check_rows, module_of
from stillhouse.preparation.ledger import Ledger
from stillhouse.seeds import derive, generator
from stillhouse.tables import positions_of, rows_in, split_writer

# Draws of whole groups before stop rows are drawn row by row.
TRIES = 20


def training_sample(prepared, weights, labels, folds, split):
    """Return the training rows of a split with their features, label, weight and fold.

    ``labels`` may hold more rows; only those of the split's training folds are taken.
    """
    seen = folds[rows_in(folds, split.train, FOLD)]
    facts = prepared[[ROW, *([DROPPED] if DROPPED in prepared else [])]].merge(seen, on=ROW)
    return with_features(facts.merge(labels, on=ROW).merge(weights, on=ROW), prepared)


def balanced_sample(sample, n_classes, share, options, seed):
    """Return the sample, with stop rows marked, the ledger, which is None for a regression, and a note on the stop rows.

    Stop rows are set aside first and are not resampled; their weights are then moved to the class prior that the model learns,
    so that early stopping judges by the same prior as the loss. Rows that an imputer leaves out of training may be stop rows:
    those that are predicted later have gaps too.
    """
    is_stop, note = stop_rows(sample, n_classes, share, derive(seed, "stop"))
    return *resampled(sample, is_stop, n_classes, options, seed), note


def whole_sample(sample, n_classes, options, seed):
    """Return the sample without stop rows, and its ledger: what a shipped model is fitted on once all choices are made."""
    return resampled(sample, np.zeros(len(sample), dtype=bool), n_classes, options, seed)


def resampled(sample, is_stop, n_classes, options, seed):
    """Return the sample with its fitted rows resampled and its stop rows marked, and the ledger, None for a regression."""
    check_labels(options["method"], n_classes)
    is_dropped = sample[DROPPED].to_numpy(bool) if DROPPED in sample else np.zeros(len(sample), dtype=bool)
    keys = [name for name in (GROUP, TIME, COPY, DROPPED) if name in sample]
    fitted = sample[~is_stop & ~is_dropped].drop(columns=keys).assign(**{STOP: False})
    stop = sample[is_stop].drop(columns=keys).assign(**{STOP: True})
    if not n_classes:
        parts = [fitted, stop] if options["method"] == "none" else weighed_by_value(fitted, stop, options, seed)
        return pd.concat(parts, ignore_index=True), None
    before = prior(sample, n_classes)
    known = prior(fitted, n_classes)
    check_rows("resamplers", options["method"], len(fitted), "over, under, balanced or clusters")
    fitted = build("resamplers", options)(fitted, generator(seed, "resample"))
    after = prior(fitted, n_classes)
    check_classes_left(known, after, options["method"])
    stop[WEIGHT] *= (after / np.maximum(prior(stop, n_classes), 1e-12))[stop[LABEL].astype(int)]
    stop[WEIGHT] *= len(stop) / max(stop[WEIGHT].sum(), 1e-12)
    ledger = Ledger(before.tolist(), after.tolist(), options["method"] != "none" or bool(is_dropped.any()))
    return pd.concat([fitted, stop], ignore_index=True), ledger


def check_labels(method, n_classes):
    """Raise ``UserError`` for a resampler of classes in a regression, or the reverse; its file states ``ONLY = "values"``."""
    is_of_values = getattr(module_of("resamplers", method), "ONLY", "") == "values"
    if method != "none" and is_of_values is bool(n_classes):
        known = ("weighs rows by their value", "has classes") if n_classes else ("balances classes", "is a regression")
        advice = "" if n_classes else " or rare"
        raise UserError(f"resample: {method} {known[0]}, and the target {known[1]}; choose none{advice}")


def weighed_by_value(fitted, stop, options, seed):
    """Return the fitted rows of a regression with new weights, and the stop rows with those of the nearest values.

    Early stopping then judges by the same weights as the loss.
    """
    weighed = build("resamplers", options)(fitted, generator(seed, "resample"))
    counted = fitted[WEIGHT].to_numpy() > 0
    values = fitted[LABEL].to_numpy()[counted]
    factor = (weighed[WEIGHT].to_numpy() / fitted[WEIGHT].to_numpy())[counted]
    order = np.argsort(values, kind="stable")
    own = stop[WEIGHT] * np.interp(stop[LABEL], values[order], factor[order])
    return weighed, stop.assign(**{WEIGHT: own * stop[WEIGHT].sum() / max(own.sum(), 1e-12)})


def by_reference(sample, prepared):
    """Return a sample without the features of rows of the table, which are told by number, and the features of drawn rows.

    ``prepared`` has the features of every row. A row whose features resampling has changed counts as a drawn one, and loses
    its number.
    """
    names, numbers = features(sample), sample[ROW].to_numpy()
    position = positions_of(numbers, prepared)
    is_drawn = numbers < 0
    # One column at a time, as all of them are most of what there is in memory.
    for own, known in ((sample[name].to_numpy(), prepared[name].to_numpy()[position]) for name in names):
        is_drawn |= (own != known) & ~(np.isnan(own) & np.isnan(known))
    return sample.drop(columns=names).assign(**{ROW: np.where(is_drawn, -1, numbers)}), sample.loc[is_drawn, names]


@contextmanager
def sample_writer(output):
    """Yield ``write(name, sample, prepared)``, which writes samples of splits by reference to prepared features."""
    with split_writer(output.sample) as write_rows, split_writer(output.drawn) as write_drawn:

        def write(name, sample, prepared):
            rows, drawn = by_reference(sample, prepared)
            write_rows(name, rows)
            write_drawn(name, drawn)

        yield write


def with_features(rows, prepared, drawn=()):
    """Return rows with their prepared features, those of drawn rows in turn: the sample that ``by_reference`` took apart."""
    (names, held), numbers = divided(features(prepared)), rows[ROW].to_numpy()
    position = positions_of(numbers, prepared)
    # In this order the table takes the numbers over without a copy.
    X = np.empty((len(rows), len(names)), dtype=np.float32, order="F")
    for column, name in enumerate(names):
        X[:, column] = prepared[name].to_numpy()[position]
        if len(drawn):
            X[numbers < 0, column] = drawn[name].to_numpy()
    pictures = {name: prepared[name].to_numpy()[position] for name in held}
    return pd.concat([pd.DataFrame(X, columns=names, index=rows.index, copy=False).assign(**pictures), rows], axis=1)


def check_classes_left(before, after, method):
    """Raise ``UserError`` where resampling has removed a class."""
    if ((before > 0) & (after == 0)).any():
        raise UserError(f"resample: {method} leaves no row of a class to learn from; choose another resampler")


def prior(sample, n_classes):
    """Return the weighted share of each class; shape (n_classes,)."""
    mass = np.bincount(sample[LABEL].astype(int), weights=sample[WEIGHT], minlength=n_classes)
    return mass / max(mass.sum(), 1e-12)


def stop_rows(sample, n_classes, share, seed):
    """Return a mask of the stop rows, and a note where they are not what the table asks for.

    They are the last times (of groups in time, those that begin last), whole groups, or a share of each class, copies of one
    case together. The last times or groups that fit are taken only if they have at most twice the share of the rows and leave
    rows of every class to learn from; otherwise a share of each class is.
    """
    labels = sample[LABEL].to_numpy() if n_classes else np.zeros(len(sample))
    rng = np.random.default_rng(seed)
    if TIME in sample and sample[TIME].nunique() > 1:
        times = sample.groupby(GROUP)[TIME].transform("min") if GROUP in sample else sample[TIME]
        drawn, what = [last_times(times, share)], "the last times"
    elif GROUP in sample:
        groups, what = pd.factorize(sample[GROUP])[0], "whole groups"
        drawn = (drawn_groups(groups, share, rng) for _ in range(TRIES))
    else:
        return drawn_share(labels, sample[COPY].to_numpy() if COPY in sample else np.arange(len(sample)), share, rng), ""
    fitting = (mask for mask in drawn if 0 < mask.mean() <= 2 * share and set(labels[~mask]) == set(labels))
    mask = next(fitting, None)
    if mask is not None:
        return mask, ""
    note = f"stop rows are drawn row by row, as {what} would be too many rows, or all of a class"
    return drawn_share(labels, np.arange(len(sample)), share, rng), note


def last_times(time, share):
    """Return a mask of the last times with at most ``share`` of the rows, or of the last time alone if it has more."""
    later = (time.rank(method="min", pct=True) > 1 - share).to_numpy()
    return later if later.any() else (time == time.max()).to_numpy()


def drawn_groups(groups, share, rng):
    """Return a mask of groups drawn by chance, until they have a share of the rows; those too large for it are passed over."""
    sizes, wanted, chosen = np.bincount(groups), share * len(groups), []
    for group in rng.permutation(len(sizes)):
        if sizes[chosen].sum() + sizes[group] <= max(wanted, sizes.min()):
            chosen.append(group)
    return np.isin(groups, chosen)


def drawn_share(labels, units, share, rng):
    """Return a mask of a share of the units of each class, at least one row and never all; copies are one unit."""
    first = np.unique(units, return_index=True)[1]
    strata = labels[first]
    rows = [rng.permutation(np.flatnonzero(strata == stratum)) for stratum in np.unique(strata)]
    drawn = np.concatenate([part[: round(share * len(part))] for part in rows])
    drawn = drawn if len(drawn) or len(first) < 2 else max(rows, key=len)[:1]
    return np.isin(units, units[first[drawn]])
