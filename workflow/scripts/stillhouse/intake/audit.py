"""What a careful colleague would say of a table before any model is made: notes, which change nothing."""

import numpy as np
import pandas as pd

from stillhouse.columns import DEPLOY, LABEL, LABELLED, PART
from stillhouse.intake import kinds
from stillhouse.intake.kinds import duplicate_rows, feature_columns

TOO_GOOD = 0.95
MOST_WORDS = 3


def notes(table, schema):
    """Return sentences on duplicates, conflicting labels, telltale columns and categories that only deploy rows have."""
    columns = feature_columns(schema)
    labelled, deploy = table[table[PART].isin(LABELLED)], table[table[PART] == DEPLOY]
    return [
        *duplicate_notes(labelled, [column["name"] for column in columns]),
        *telltale_notes(labelled, schema, columns),
        *unseen_notes(labelled, deploy, columns),
    ]


def duplicate_notes(labelled, names):
    """Return how many rows repeat others, and how many of them disagree about the label."""
    same = duplicate_rows(labelled, names)
    count = len(same) - len(np.unique(same))
    if not count:
        return []
    conflicting = int((labelled.groupby(same)[LABEL].nunique() > 1).sum())
    together = "they stay in one fold unless groups, time or given test rows divide them"
    said = [f"{count:,} rows have the same features as another; {together}"]
    if conflicting:
        said.append(f"{conflicting:,} sets of rows with the same features have different labels: no model can get both right")
    return said


def telltale_notes(labelled, schema, columns):
    """Return the columns that tell two classes apart nearly by themselves."""
    if schema["task"] != "binary":
        return []
    rated = {column["name"]: max(separations(labelled[column["name"]], labelled[LABEL], column["kind"])) for column in columns}
    return [
        f"column {name!r} alone predicts the target with an AUC of {rating:.2f}: is it known before the outcome is?"
        for name, rating in rated.items()
        if rating >= TOO_GOOD
    ]


def separations(values, label, kind):
    """Return AUCs, turned to 0.5 or more, of a column's values and of its gaps."""
    if kind == kinds.CATEGORICAL:
        values = unseen_rates(values.fillna(kinds.GAP), label)
    return [turned_auc(score, label) for score in (values, values.isna().astype(float))]


def unseen_rates(words, label):
    """Return each word's share of the positive class among the rows of the other half, so that rare words tell nothing."""
    half = np.random.default_rng(0).permutation(len(words)) % 2
    rates = [label[half != side].groupby(words[half != side]).mean() for side in (0, 1)]
    rated = np.where(half == 0, words.map(rates[0]), words.map(rates[1]))
    return pd.Series(rated, index=words.index).fillna(label.mean())


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
    """Return the categories of deploy rows that no labelled row has."""
    said = []
    for column in columns if len(deploy) else []:
        if column["kind"] == kinds.CATEGORICAL:
            name = column["name"]
            unseen = sorted(set(deploy[name].dropna()) - set(labelled[name].dropna()))
            if unseen:
                shown = ", ".join(unseen[:MOST_WORDS]) + (" …" if len(unseen) > MOST_WORDS else "")
                said.append(f"column {name!r}: {len(unseen)} categories are seen in deploy rows only ({shown})")
    return said
