"""Diagnosis: have the deploy rows moved away from the training rows, how, and what should be done about it."""

import numpy as np

from stillhouse.columns import DEPLOY, LABEL, LABELLED, PART, ROW, TRUE_RATIO, WEIGHT, source, untaught
from stillhouse.intake import kinds
from stillhouse.intake.kinds import feature_columns
from stillhouse.predictions.predictions import columns_of
from stillhouse.shift import label_shift
from stillhouse.shift.two_sample import column_test, holm, joint_test

MOST_COLUMNS = 20
PERMUTATIONS = 400
ALPHA = 0.02
RESIDUAL_ALPHA = 0.05


def diagnose(table, prepared, schema, predictions, weights, facts, settings, rng):
    """Return what has moved: by a classifier, by column, in the class mixture; and what is recommended, with the reason.

    ``prepared`` has the features without gaps, ``predictions`` those of the reference model: labelled rows by splits that
    held them out, deploy rows by split ``none``. Labels of training rows are used, those of deploy rows never.
    """
    table = table[table[ROW].isin(prepared[ROW]) & table[PART].isin([*LABELLED, DEPLOY])].reset_index(drop=True)
    is_deploy = (table[PART] == DEPLOY).to_numpy()
    X = np.nan_to_num(table[[ROW]].merge(prepared, on=ROW)[comparable(prepared)].to_numpy("float64"))
    long = long_columns(prepared, schema)
    told_apart, p = joint_test(X[~is_deploy], X[is_deploy], PERMUTATIONS, rng, word_tests(table, ~is_deploy, is_deploy, long))
    found = {"auc": told_apart, "p": p, "columns": column_shifts(table[~is_deploy], table[is_deploy], schema)}
    labels = (
        label_estimate(table[~is_deploy], table[is_deploy], predictions, schema, settings, rng) if schema["classes"] else None
    )
    if labels:
        found |= {"labels": labels, "residual": residual_shift(X, table, is_deploy, labels, long, rng)}
    return {
        "rows": {"labelled": int((~is_deploy).sum()), "deploy": int(is_deploy.sum())},
        **found,
        **recommendation(found, schema),
        "weights": facts,
        "truth": against_truth(table, weights) if TRUE_RATIO in table else None,
    }


def comparable(prepared):
    """Return the features that labelled and deploy rows can be told apart by.

    Mean labels are cross-fitted for training rows and not for others; and which words are rare is learned from training
    rows, among which they are rarer than elsewhere by that choice alone.
    """
    rare = {source(name) for name in prepared if name.endswith(" is rare")}
    return [name for name in untaught(prepared) if source(name) not in rare]


def long_columns(prepared, schema):
    """Return the names of the categorical columns that ``comparable`` leaves out; their words are compared as they are."""
    seen = {int(source(name)[1:]) for name in comparable(prepared) if name.startswith("c")}
    words = [column for column in feature_columns(schema) if column["kind"] == kinds.CATEGORICAL]
    return [column["name"] for column in words if column["position"] not in seen]


def word_tests(table, first, second, names):
    """Return the p-value of the words of each column between two sets of rows."""
    return [column_test(table.loc[first, name], table.loc[second, name], is_categorical=True)[1] for name in names]


def column_shifts(train, deploy, schema):
    """Return the columns that differ most between the parts, with p-values adjusted by Holm."""
    shifts = []
    for column in feature_columns(schema):
        before, after = train[column["name"]], deploy[column["name"]]
        distance, p = column_test(before, after, column["kind"] == kinds.CATEGORICAL)
        missing = {"missing_train": float(before.isna().mean()), "missing_deploy": float(after.isna().mean())}
        shifts.append({"name": column["name"], "kind": column["kind"], "distance": distance, "p": p, **missing})
    for shift, p in zip(shifts, holm([shift["p"] for shift in shifts]), strict=True):
        shift["p"] = float(p)
    return sorted(shifts, key=lambda shift: -shift["distance"])[:MOST_COLUMNS]


def label_estimate(labelled, deploy, predictions, schema, settings, rng):
    """Return the class mixture of the deploy rows by three estimators with intervals; None without predictions of them."""
    names = columns_of(schema["classes"])
    known = predictions.merge(labelled[[ROW, LABEL]], on=ROW)
    new = predictions[predictions[ROW].isin(deploy[ROW])]
    if not len(new) or not len(known):
        return None
    draws = max(50, settings["draws"] // 10)
    p, labels, p_new = known[names].to_numpy(), known[LABEL].to_numpy(int), new[names].to_numpy()
    return label_shift.estimate(p, labels, p_new, draws, settings["level"], rng)


def residual_shift(X, table, is_deploy, labels, long, rng):
    """Return how well parts are told apart when training rows are drawn in the deploy rows' estimated class mixture.

    Under label shift nothing is left to tell them apart by, as p(x | y) is the same in both.
    """
    train = table[~is_deploy]
    ratio = np.array(labels["em"]["prior"]) / np.array(labels["before"])
    chance = ratio[train[LABEL].astype(int)]
    drawn = thinned_to(chance / chance.max(), rng)
    if drawn.sum() < 30:
        return None
    kept = ~is_deploy
    kept[kept] = drawn
    told_apart, p = joint_test(X[kept], X[is_deploy], PERMUTATIONS, rng, word_tests(table, kept, is_deploy, long))
    return {"auc": told_apart, "p": p, "rows": int(drawn.sum())}


def thinned_to(chance, rng):
    """Return a mask that keeps each row with its chance, so that no row is taken twice."""
    return rng.random(len(chance)) < chance


def recommendation(found, schema):
    """Return ``none``, ``covariate`` or ``label``, and the reason in words.

    none: neither a classifier nor any column tells the parts apart (p > 0.02). label: they do, and do not any more
    (p > 0.05) once training rows are drawn in the estimated class mixture, which differs from the training one.
    covariate: otherwise.
    """
    apart = f"a classifier tells them apart with an AUC of {found['auc']:.2f}"
    if found["p"] > ALPHA:
        return {
            "recommended": "none",
            "words": f"Deploy rows look like training rows: {apart}, as chance may (p {found['p']:.2f}).",
        }
    residual = found.get("residual")
    if residual and residual["p"] > RESIDUAL_ALPHA and mixture_moved(found["labels"]):
        mixture = ", ".join(
            f"{name} {before:.2f} to {after:.2f}"
            for name, before, after in zip(
                schema["classes"], found["labels"]["before"], found["labels"]["em"]["prior"], strict=True
            )
        )
        words = f"Deploy rows differ from training rows: {apart}. The class mixture explains it (label shift): {mixture}."
        return {"recommended": "label", "words": words}
    alone = ", and the class mixture alone does not explain it" if schema["classes"] else ""
    return {"recommended": "covariate", "words": f"Deploy rows differ from training rows: {apart}{alone} (covariate shift)."}


def mixture_moved(labels):
    """Return whether some class's share before lies outside the interval of its estimate."""
    return any(
        not low <= before <= high
        for before, low, high in zip(labels["before"], labels["em"]["low"], labels["em"]["high"], strict=True)
    )


def against_truth(table, weights):
    """Return the correlation of estimated and true log density ratios of the labelled rows."""
    known = weights.merge(table[[ROW, TRUE_RATIO]], on=ROW)
    estimated, truth = np.log(known[WEIGHT]), np.log(known[TRUE_RATIO])
    if estimated.std() == 0 or truth.std() == 0:
        return None
    return {"log_ratio_correlation": float(np.corrcoef(estimated, truth)[0, 1])}
