"""Diagnosis of shift: whether deploy rows differ from training rows, how, and what is recommended."""

import numpy as np

from stillhouse.columns import (
    DEPLOY,
    GROUP,
    LABEL,
    LABELLED,
    ONE_HOT,
    PART,
    ROW,
    TRUE_RATIO,
    WEIGHT,
    feature_kind,
    label_free_features,
    source,
    source_position,
)
from stillhouse.intake import kinds
from stillhouse.intake.folds import unit_numbers
from stillhouse.intake.kinds import feature_columns
from stillhouse.predictions.predictions import columns_of
from stillhouse.shift import label_shift
from stillhouse.shift.adjusted import holm
from stillhouse.shift.two_sample import Sides, column_test, joint_test
from stillhouse.shift.words import text_test

MOST_COLUMNS = 20
ALPHA = 0.02
RESIDUAL_ALPHA = 0.05


def diagnose(table, prepared, schema, predictions, settings, rng):
    """Return the shift as a classifier, each column and the class prior show it, and a recommendation with its reason.

    ``prepared`` has the features without gaps; ``predictions`` are the reference model's, of labelled rows by splits that held
    them out and of deploy rows by split ``none``. Labels of training rows are used, labels of deploy rows never. With groups,
    whole groups are permuted, unless there are too few of them. Of each part at most ``shift_rows`` are compared, drawn by
    chance.
    """
    table = table[table[ROW].isin(prepared[ROW]) & table[PART].isin([*LABELLED, DEPLOY])].reset_index(drop=True)
    rows = {"labelled": int((table[PART] != DEPLOY).sum()), "deploy": int((table[PART] == DEPLOY).sum())}
    table = limited(table, settings["shift_rows"], rng)
    is_deploy = (table[PART] == DEPLOY).to_numpy()
    sides = Sides(is_deploy, unit_numbers(table) if GROUP in table else None)
    ignored = sides.are_too_few
    sides = sides.by_rows() if ignored else sides
    X = np.nan_to_num(table[[ROW]].merge(prepared, on=ROW)[comparable(prepared)].to_numpy("float64"))
    long = table[long_columns(prepared, schema)]
    domain_auc, p = joint_test(X, sides, rng, long)
    differences = {"auc": domain_auc, "p": p, "groups_ignored": ignored, "columns": column_shifts(table, sides, schema, rng)}
    differences["compared"] = settings["shift_rows"] if len(table) < sum(rows.values()) else None
    labels = (
        label_estimate(table[~is_deploy], table[is_deploy], predictions, schema, settings, rng) if schema["classes"] else None
    )
    if labels:
        differences |= {"labels": labels, "residual": residual_shift(X, table, sides, labels, long, rng)}
    return {"rows": rows, **differences, **recommendation(differences, schema)}


def limited(table, most, rng):
    """Return a table with at most so many labelled and so many deploy rows, drawn by chance, in their order."""
    is_deploy = (table[PART] == DEPLOY).to_numpy()
    sides = [np.flatnonzero(side) for side in (is_deploy, ~is_deploy)]
    kept = [side if len(side) <= most else rng.permutation(side)[:most] for side in sides]
    return table.iloc[np.sort(np.concatenate(kept))].reset_index(drop=True)


def comparable(prepared):
    """Return the features that a comparison of labelled and deploy rows may use.

    Mean labels are left out, as they are cross-fitted for training rows alone; and so are columns with rare categories, as
    these are chosen for being rare among the training rows and are therefore more frequent among other rows.
    """
    rare = {source(name) for name in prepared if name.endswith(" is rare")}
    return [name for name in label_free_features(prepared) if source(name) not in rare]


def long_columns(prepared, schema):
    """Return the names of the categorical columns that ``comparable`` leaves out; their categories are compared directly."""
    seen = {source_position(name) for name in comparable(prepared) if feature_kind(name) == ONE_HOT}
    categorical = [column for column in feature_columns(schema) if column["kind"] == kinds.CATEGORICAL]
    return [column["name"] for column in categorical if column["position"] not in seen]


def column_shifts(table, sides, schema, rng):
    """Return the columns that differ most between the parts, with p-values adjusted by Holm."""
    shifts = []
    for column in feature_columns(schema):
        values = table[column["name"]]
        gaps = {
            f"missing_{part}": float(values[side].isna().mean())
            for part, side in (("train", ~sides.of_second), ("deploy", sides.of_second))
        }
        found = column_difference(values, column, sides, rng)
        shifts.append({"name": column["name"], "kind": column["kind"], **found, **gaps})
    for shift, p in zip(shifts, holm([shift["p"] for shift in shifts]), strict=True):
        shift["p"] = float(p)
    return sorted(shifts, key=lambda shift: -shift["distance"])[:MOST_COLUMNS]


def column_difference(values, column, sides, rng):
    """Return the distance of a column between the parts, its p-value and, of texts, the words that moved.

    Of a picture it is that of its brightness.
    """
    if column["kind"] == kinds.TEXT:
        return dict(zip(("distance", "p", "words"), text_test(values, sides, rng), strict=True))
    if column["kind"] == kinds.IMAGE:
        _, values = kinds.measured(values, column)
    tested = column_test(values, sides, rng, column["kind"] == kinds.CATEGORICAL)
    return dict(zip(("distance", "p"), tested, strict=True))


def label_estimate(labelled, deploy, predictions, schema, settings, rng):
    """Return the class prior of the deploy rows by three estimators, with intervals; None without predictions of them."""
    names = columns_of(schema["classes"])
    known = predictions.merge(labelled[[ROW, LABEL]], on=ROW)
    new = predictions[predictions[ROW].isin(deploy[ROW])]
    if not len(new) or not len(known):
        return None
    draws = max(50, settings["draws"] // 10)
    p, labels, p_new = known[names].to_numpy(), known[LABEL].to_numpy(int), new[names].to_numpy()
    return label_shift.estimate(p, labels, p_new, draws, settings["level"], rng)


def residual_shift(X, table, sides, labels, long, rng):
    """Return the joint test again, after the training rows are subsampled to the estimated class prior of the deploy rows.

    Under pure label shift no difference is left, as p(x | y) is the same in both parts.
    """
    kept = sides.of_second.copy()
    ratio = np.array(labels["em"]["prior"]) / np.array(labels["before"])
    chance = ratio[table.loc[~kept, LABEL].astype(int)]
    drawn = subsampled(chance / chance.max(), rng)
    if drawn.sum() < 30:
        return None
    kept[~sides.of_second] = drawn
    domain_auc, p = joint_test(X[kept], sides.part(kept), rng, long[kept].reset_index(drop=True))
    return {"auc": domain_auc, "p": p, "rows": int(drawn.sum())}


def subsampled(chance, rng):
    """Return a mask that keeps each row with its probability, so that no row is taken twice."""
    return rng.random(len(chance)) < chance


def recommendation(differences, schema):
    """Return the recommendation, ``none``, ``covariate`` or ``label``, and its reason.

    none: the joint test finds no difference (p > 0.02). label: it finds one, but no longer (p > 0.05) after subsampling to the
    estimated class prior, which differs from that of the training rows. covariate: otherwise.
    """
    difference = f"a classifier tells the two apart with an AUC of {differences['auc']:.2f}"
    if differences["compared"]:
        difference += f" (on at most {differences['compared']:,} rows of each, drawn by chance)"
    if differences["groups_ignored"]:
        difference += " (rows are taken as independent, as groups are too few to compare)"
    if differences["p"] > ALPHA:
        return {
            "recommended": "none",
            "reason": f"Deploy rows look like training rows: {difference}, which chance explains (p {differences['p']:.2f}).",
        }
    residual = differences.get("residual")
    if residual and residual["p"] > RESIDUAL_ALPHA and prior_moved(differences["labels"]):
        changes = ", ".join(
            f"{name} {before:.2f} to {after:.2f}"
            for name, before, after in zip(
                schema["classes"], differences["labels"]["before"], differences["labels"]["em"]["prior"], strict=True
            )
        )
        reason = f"Deploy rows differ from training rows: {difference}. The class prior explains it (label shift): {changes}."
        return {"recommended": "label", "reason": reason}
    alone = " A change of the class prior alone does not explain it." if schema["classes"] else ""
    return {
        "recommended": "covariate",
        "reason": f"Deploy rows differ from training rows: {difference}.{alone} It is treated as covariate shift.",
    }


def prior_moved(labels):
    """Return whether the training share of some class lies outside the interval of its estimate for deploy rows."""
    return any(
        not low <= before <= high
        for before, low, high in zip(labels["before"], labels["em"]["low"], labels["em"]["high"], strict=True)
    )


def against_truth(table, weights):
    """Return the correlation of estimated and true log density ratios of labelled rows; None where the truth is unknown."""
    if TRUE_RATIO not in table:
        return None
    known = weights.merge(table[[ROW, TRUE_RATIO]], on=ROW)
    estimated, truth = np.log(known[WEIGHT]), np.log(known[TRUE_RATIO])
    if estimated.std() == 0 or truth.std() == 0:
        return None
    return {"log_ratio_correlation": float(np.corrcoef(estimated, truth)[0, 1])}
