"""Notes on a table for its reader: duplicates, conflicting labels, columns that give the target away. They change nothing."""

import numpy as np
import pandas as pd

from stillhouse.columns import DEPLOY, LABEL, LABELLED, PART
from stillhouse.intake import kinds
from stillhouse.intake.kinds import duplicate_rows, feature_columns

TOO_GOOD = 0.95
MOST_SHOWN = 3


def notes(table, schema):
    """Return sentences on duplicates, conflicting labels, columns that give the target away, and unseen categories."""
    columns = feature_columns(schema)
    labelled, deploy = table[table[PART].isin(LABELLED)], table[table[PART] == DEPLOY]
    return [
        *duplicate_notes(labelled, [column["name"] for column in columns]),
        *telltale_notes(labelled, schema, columns),
        *unseen_notes(labelled, deploy, columns),
    ]


def duplicate_notes(labelled, names):
    """Return sentences on rows with the same features as others, and on those of them whose labels differ."""
    same = duplicate_rows(labelled, names)
    count = len(same) - len(np.unique(same))
    if not count:
        return []
    conflicting = int((labelled.groupby(same)[LABEL].nunique() > 1).sum())
    together = "they stay in one fold unless groups, time or given test rows divide them"
    sentences = [f"{count:,} rows have the same features as another; {together}"]
    if conflicting:
        sentences.append(
            f"{conflicting:,} sets of rows with the same features have different labels: no model can get both right"
        )
    return sentences


def telltale_notes(labelled, schema, columns):
    """Return a sentence for each column whose AUC for the target is nearly 1 by itself."""
    if schema["task"] != "binary":
        return []
    rated = {column["name"]: max(separations(labelled[column["name"]], labelled[LABEL], column["kind"])) for column in columns}
    return [
        f"column {name!r} alone predicts the target with an AUC of {rating:.2f}: is it known before the outcome is?"
        for name, rating in rated.items()
        if rating >= TOO_GOOD
    ]


def separations(values, label, kind):
    """Return the AUCs for the label of a column's values and of its gaps, each the larger of AUC and 1 - AUC."""
    if kind == kinds.CATEGORICAL:
        values = unseen_rates(values.fillna(kinds.GAP), label)
    return [turned_auc(score, label) for score in (values, values.isna().astype(float))]


def unseen_rates(categories, label):
    """Return each row's category as its share of positive rows in the other half, so that rare categories say nothing."""
    half = np.random.default_rng(0).permutation(len(categories)) % 2
    rates = [label[half != side].groupby(categories[half != side]).mean() for side in (0, 1)]
    rated = np.where(half == 0, categories.map(rates[0]), categories.map(rates[1]))
    return pd.Series(rated, index=categories.index).fillna(label.mean())


def turned_auc(score, label):
    """Return the AUC of a score, gaps left out, or of its negative where that is larger; 0.5 where there is none."""
    known = score.notna()
    ranks, is_positive = score[known].rank(), label[known] == 1
    positive, negative = is_positive.sum(), (~is_positive).sum()
    if not positive or not negative or known.mean() < 0.05:
        return 0.5
    auc = (ranks[is_positive].sum() - positive * (positive + 1) / 2) / (positive * negative)
    return float(max(auc, 1 - auc))


def unseen_notes(labelled, deploy, columns):
    """Return a sentence for each column with categories that deploy rows have and labelled rows do not."""
    sentences = []
    for column in columns if len(deploy) else []:
        if column["kind"] == kinds.CATEGORICAL:
            name = column["name"]
            unseen = sorted(set(deploy[name].dropna()) - set(labelled[name].dropna()))
            if unseen:
                shown = ", ".join(unseen[:MOST_SHOWN]) + (" …" if len(unseen) > MOST_SHOWN else "")
                sentences.append(f"column {name!r}: {len(unseen)} categories are seen in deploy rows only ({shown})")
    return sentences
