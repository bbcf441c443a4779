"""Coverage: how often conformal sets contain the true label, among all rows and among those of each class."""

from functools import partial

import numpy as np
import pandas as pd

from stillhouse.columns import DEPLOY, LABEL, PART, ROW, quantiles
from stillhouse.evaluation.intervals import wilson
from stillhouse.evaluation.scores import weights_of
from stillhouse.evaluation.sets import HIGH, JUDGED, LOW, set_column, sizes, threshold_sets
from stillhouse.evaluation.strata import Strata
from stillhouse.intake.folds import unit_numbers


def with_conformal(metrics, rows, protocol, timed, weights=None, of_splits=None, groups=None, described=None):
    """Return the metrics with the coverage and mean size of conformal sets, and the sets of held-out and deploy rows.

    ``of_splits`` maps a fold to the predictions of the deploy rows by the split that held it out. With shift ``weights`` the
    sets of deploy rows are weighted, and ``deploy_weighted`` has the weighted coverage of held-out rows by weighted
    thresholds; ``unweighted`` is the coverage of sets without weights. ``groups`` has the group of each row of the table, which
    has sets of its own, by the column that is ``described``; ``sets`` are the thresholds of new rows. Sets of rows that
    nobody could judge exclude nothing, and are not ``judged``.
    """
    classes, settings = protocol.task.classes, protocol.settings
    rows = rows[rows[LABEL].notna()].reset_index(drop=True)
    held_out, deploy = (rows[part].reset_index(drop=True) for part in (rows[PART] != DEPLOY, rows[PART] == DEPLOY))
    judge = Strata(held_out, protocol, timed, groups)
    even = np.ones(len(held_out))
    weight = even if weights is None else weights_of(held_out, weights)
    limit = judge.limits(even)
    is_judged = np.isfinite(limit).any(axis=1)
    plain = threshold_sets(held_out, limit, classes, settings).assign(**{JUDGED: is_judged})
    covered = {"held_out": coverage(held_out, plain, even * is_judged, protocol, groups)}
    if weights is not None:
        limit = judge.limits(weight)
        weighted = threshold_sets(held_out, limit, classes, settings)
        covered["deploy_weighted"] = coverage(
            held_out, weighted, weight * np.isfinite(limit).any(axis=1), protocol, groups, plain
        )
    found = [plain]
    if of_splits:
        found.append(judge.sets_of_new(of_splits, weight))
    if of_splits and len(deploy):
        of_even = found[-1] if weights is None else judge.sets_of_new(of_splits, even)
        of_deploy, unweighted = (one.set_index(ROW).loc[deploy[ROW]] for one in (found[-1], of_even))
        covered["deploy"] = coverage(deploy, of_deploy, np.ones(len(deploy)), protocol, groups, unweighted)
    metrics = {part: assessed | {"conformal": covered.get(part)} for part, assessed in metrics.items()}
    metrics["held_out"]["quantiles"] = quantile_shares(held_out, protocol)
    metrics["held_out"]["sets"] = judge.thresholds_of_new(weight, described) if len(held_out) else None
    return metrics, pd.concat(found, ignore_index=True).sort_values(ROW, ignore_index=True)


def coverage(rows, found, weight, protocol, groups=None, plain=None):
    """Return the coverage of sets, of all rows, of each class and each group, with intervals, and the mean size.

    None without weight: rows without a finite threshold have weight 0. ``plain`` has the sets without weights, whose coverage
    is ``unweighted``.
    """
    if not weight.any():
        return None
    classes, is_in = protocol.task.classes, contains_label(found, rows, protocol.task.classes)
    labels, size = rows[LABEL].to_numpy(), sizes(found[weight > 0], classes)
    share_of = partial(weighted_mean, weight[weight > 0])
    of_classes = {name: labels == code for code, name in enumerate(classes or [])}
    group = None if groups is None else groups.loc[rows[ROW]].to_numpy()
    of_groups = {} if groups is None else {name: group == name for name in sorted(set(group))}
    return {
        **share(is_in, weight, rows, protocol),
        "size": None if np.isinf(size).any() else share_of(size),
        **({"empty": share_of(size == 0), "single": share_of(size == 1)} if classes else {}),
        "unweighted": None if plain is None else float(np.average(contains_label(plain, rows, classes), weights=weight)),
        "classes": shares(of_classes, is_in, weight, rows, protocol),
        "groups": shares(of_groups, is_in, weight, rows, protocol),
    }


def shares(masks, is_in, weight, rows, protocol):
    """Return the ``share`` of the rows of each mask that has any, by name."""
    found = {name: share(is_in, weight * mask, rows, protocol) for name, mask in masks.items()}
    return {name: one for name, one in found.items() if one}


def share(is_in, weight, rows, protocol):
    """Return the weighted share of sets that contain the label, its interval and how many rows it is of; None for none.

    Its variance over units is that of a ratio of two sums, which bootstrap draws would only estimate.
    """
    kept = weight > 0
    if not kept.any():
        return None
    units, weight, level = np.unique(unit_numbers(rows)[kept], return_inverse=True)[1], weight[kept], protocol.settings["level"]
    value, count = weighted_mean(weight, is_in[kept]), int(units.max()) + 1
    low = high = None
    if count > 1:
        of_units = np.bincount(units, weights=weight * (is_in[kept] - value))
        variance = (of_units**2).sum() / weight.sum() ** 2 * count / (count - 1)
        low, high = wilson(value, variance, level, count, weight.sum() ** 2 / (weight**2).sum())
    return {"value": value, "low": low, "high": high, "rows": int(kept.sum())}


def weighted_mean(weight, values):
    """Return the weighted mean of values as a float."""
    return float(np.average(values, weights=weight))


def contains_label(table, rows, classes):
    """Return whether each row's set contains its label; shape (rows,). ``table`` has the sets of these rows, in their order."""
    labels = rows[LABEL].to_numpy()
    if classes:
        return table[[set_column(name) for name in classes]].to_numpy()[np.arange(len(rows)), labels.astype(int)]
    return (table[LOW].to_numpy() <= labels) & (labels <= table[HIGH].to_numpy())


def quantile_shares(rows, protocol):
    """Return the share of rows below each predicted quantile, with its interval: ``{name: {value, low, high, rows}}``."""
    labels, even = rows[LABEL].to_numpy(), np.ones(len(rows))
    return {name: share(labels <= rows[name].to_numpy(), even, rows, protocol) for name in quantiles(rows)}
