"""Diagnosis: have the deploy rows moved away from the training rows, in which columns, and how far."""

import numpy as np
from scipy.stats import ks_2samp

from stillhouse import kinds
from stillhouse.columns import DEPLOY, PART, ROW, TRUE_RATIO, WEIGHT
from stillhouse.kinds import feature_columns

MOST_COLUMNS = 20


def diagnose(table, schema, weights, facts):
    """Return how far deploy rows have moved: in words, as a whole and by column, and against the truth where known."""
    deploy, train = table[table[PART] == DEPLOY], table[table[PART] != DEPLOY]
    columns = [column_shift(train, deploy, column) for column in feature_columns(schema)]
    columns.sort(key=lambda column: -column["distance"])
    return {
        "rows": {"labelled": len(train), "deploy": len(deploy)},
        "weights": facts,
        "words": in_words(facts),
        "columns": columns[:MOST_COLUMNS],
        "truth": against_truth(table, weights) if TRUE_RATIO in table else None,
    }


def column_shift(train, deploy, column):
    """Return a column's distance between parts: Kolmogorov-Smirnov for numbers, total variation for categories."""
    name = column["name"]
    before, after = train[name], deploy[name]
    if column["kind"] == kinds.CATEGORICAL:
        shares = [part.value_counts(normalize=True) for part in (before.dropna(), after.dropna())]
        distance = float(shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)
    else:
        known = before.dropna(), after.dropna()
        distance = float(ks_2samp(*known).statistic) if all(map(len, known)) else 0.0
    missing = {"missing_train": float(before.isna().mean()), "missing_deploy": float(after.isna().mean())}
    return {"name": name, "kind": column["kind"], "distance": distance, **missing}


def in_words(facts):
    """Return what the domain classifier and the weights say, for the report."""
    if "domain_auc" not in facts:
        return "No density ratio was estimated."
    auc, share = facts["domain_auc"], facts["share"]
    if auc < 0.55:
        return f"Deploy rows look like training rows: a classifier that tells them apart reaches an AUC of {auc:.2f} only."
    warning = " Weighted scores rest on few rows; read them with care." if share < 0.3 else ""
    return (
        f"Deploy rows differ from training rows: a classifier tells them apart with an AUC of {auc:.2f}. "
        f"Weighted for deploy, {facts['rows']} training rows tell as much as {facts['effective_sample_size']:.0f}.{warning}"
    )


def against_truth(table, weights):
    """Return the correlation of estimated and true log density ratios of the labelled rows."""
    known = weights.merge(table[[ROW, TRUE_RATIO]], on=ROW)
    estimated, truth = np.log(known[WEIGHT]), np.log(known[TRUE_RATIO])
    if estimated.std() == 0 or truth.std() == 0:
        return None
    return {"log_ratio_correlation": float(np.corrcoef(estimated, truth)[0, 1])}
