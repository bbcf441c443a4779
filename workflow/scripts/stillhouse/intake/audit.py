"""Notes and alerts on a table for its reader: duplicates, conflicting labels, columns that give the target away.

They change nothing, but for a test table that is the train table, which is refused.
"""

import numpy as np
import pandas as pd

from stillhouse.columns import DEPLOY, LABEL, LABELLED, PART, TEST, TRAIN
from stillhouse.errors import UserError
from stillhouse.intake import kinds
from stillhouse.intake.copies import copies
from stillhouse.intake.kinds import duplicate_rows, feature_columns

TOO_GOOD = 0.95
# The least chance of rows being all of one class that is taken for chance.
BY_CHANCE = 1e-9
# The share of rows to be scored that may be equal to training rows by chance.
MOST_REPEATED = 0.01
MOST_SHOWN = 3
# A target with so many different values looks cut where its most frequent one is an end of its range, with so many of the rows.
FEWEST_VALUES, LEAST_AT_LIMIT = 50, 0.01


def notes(table, alike, schema, duplicates):
    """Return sentences on duplicates, conflicting labels, columns that give the target away, and unseen categories.

    ``alike`` is the table with near copies made equal; see ``near_copies.py``.
    """
    columns = feature_columns(schema)
    labelled, deploy = table[table[PART].isin(LABELLED)], table[table[PART] == DEPLOY]
    of_labelled = alike[alike[PART].isin(LABELLED)]
    return [
        *duplicate_notes(of_labelled, [column["name"] for column in columns], duplicates),
        *shared_picture_notes(labelled, of_labelled, columns),
        *unseen_notes(labelled, deploy, columns),
        *([] if schema["classes"] else limit_notes(labelled[LABEL].dropna(), schema["target"])),
    ]


def limit_notes(values, target):
    """Return a sentence on a target whose largest or smallest value is its most frequent one, as where values were cut."""
    counts = values.value_counts()
    if len(counts) < FEWEST_VALUES or counts.iloc[0] < LEAST_AT_LIMIT * len(values):
        return []
    frequent, rows = counts.index[0], counts.iloc[0]
    found = {"largest": values.max(), "smallest": values.min()}
    share = f"{rows:,} rows ({100 * rows / len(values):.1f} %)"
    return [
        f"{share} have the {which} value of {target!r}, {frequent:,.10g}: if values were cut there, its errors cannot be judged"
        for which, limit in found.items()
        if limit == frequent
    ]


def shared_picture_notes(labelled, alike, columns):
    """Return a sentence for each column with a picture that rows share which differ in other columns, and so in their folds."""
    names, sentences = [column["name"] for column in columns], []
    for column in (column for column in columns if column["kind"] == kinds.IMAGE):
        known = alike[labelled[column["name"]].notna()]
        differing = known.assign(same=duplicate_rows(known, names)).groupby(column["name"])["same"].transform("nunique") > 1
        if count := int(differing.sum()):
            sentences.append(
                f"column {column['source']!r}: {count:,} rows have the picture of another row, or nearly so, beside other "
                "values; if such rows belong together, name what they share under `group`"
            )
    return sentences


def alerts(table, alike, schema, duplicates):
    """Return sentences on what makes scores look better than they are, which the report shows in red.

    They are on columns that tell the target by themselves, and on rows to be scored that models learn from.
    """
    columns = feature_columns(schema)
    labelled = table[table[PART].isin(LABELLED)]
    return [
        *telltale_notes(labelled, schema, columns),
        *repeated_alerts(alike, [column["name"] for column in columns], duplicates),
    ]


def duplicate_notes(labelled, names, duplicates):
    """Return sentences on rows with the same features as others, and on those of them whose labels differ."""
    same = duplicate_rows(labelled, names)
    sizes = np.bincount(same)
    count = int((sizes[same] > 1).sum())
    if not count:
        return []
    if copies(labelled, names, duplicates) is None:
        what = "taken for different cases, they are divided among folds (`duplicates: tie` keeps them together)"
    else:
        what = "taken for copies, they stay in one fold unless groups, time or given test rows divide them"
    conflicting = int((labelled.groupby(same)[LABEL].nunique() > 1).sum())
    is_test = (labelled[PART] == TEST).to_numpy()
    seen = int(np.isin(same[is_test], same[~is_test]).sum())
    tests = f", {seen:,} of them given test rows with the features of a training row" if seen else ""
    sentences = [f"{count:,} rows have the same features as another{tests}; {what}"]
    if conflicting:
        sets = "1 set of rows with the same features has" if conflicting == 1 else f"{conflicting:,} sets of such rows have"
        sentences.append(f"{sets} different labels: no model can get all of them right")
    return sentences


def repeated_alerts(table, names, duplicates):
    """Return a sentence on test and deploy rows that are copies of training rows, label included; raises ``UserError`` where
    every test row is one.
    """
    train, sentences = table[table[PART] == TRAIN], []
    if copies(train, names, duplicates) is None:
        return []
    known = set(row_digests(train, names))
    for part in (TEST, DEPLOY):
        rows = table[(table[PART] == part) & table[LABEL].notna()]
        count = sum(digest in known for digest in row_digests(rows, names))
        if part == TEST and len(rows) and count == len(rows):
            raise UserError("test: every row of the test table is in the train table; give rows that are not learned from")
        if count > MOST_REPEATED * len(rows):
            sentences.append(
                f"{count:,} of {len(rows):,} labelled {part} rows are equal to a training row, label included: models that "
                "learned from them are scored on them"
            )
    return sentences


def row_digests(rows, names):
    """Return a digest of each row's features and label."""
    return pd.util.hash_pandas_object(rows[[*names, LABEL]], index=False).tolist()


def telltale_notes(labelled, schema, columns):
    """Return sentences on columns whose AUC for the target is nearly 1 by themselves, or whose gaps or values tell it."""
    if schema["task"] != "binary":
        return []
    rated = ratings(labelled, columns)
    best = [name for name in rated if rated[name] >= TOO_GOOD]
    advice = "known before the outcome is? If not, leave out what is not, by `drop`"
    found = []
    if best:
        shown = ", ".join(f"{name!r} ({rated[name]:.2f})" for name in best[:MOST_SHOWN])
        shown += " …" if len(best) > MOST_SHOWN else ""
        which = f"column {shown} alone nearly tells" if len(best) == 1 else f"{len(best)} columns, each alone, nearly tell"
        which += " the target (AUC)" + (f": {shown}; are they" if len(best) > 1 else ": is it")
        found.append(f"{which} {advice}")
    others = [column for column in schema["columns"] if column["kind"] != kinds.ASIDE and column["name"] not in best]
    said = {column["name"]: presence(labelled[column["name"]], labelled[LABEL], schema["classes"]) for column in others}
    return [*found, *(f"{what} in {name!r} are {outcome}: is it {advice}" for name, (what, outcome) in said.items() if what)]


def ratings(labelled, columns):
    """Return the AUC of each column alone for a binary target, the largest first, as ``{name: AUC}``."""
    rated = {
        column["name"]: max(separations(labelled[column["name"]], labelled[LABEL], column["kind"]))
        for column in columns
        if column["kind"] != kinds.IMAGE
    }
    return dict(sorted(rated.items(), key=lambda item: -item[1]))


def presence(values, label, classes):
    """Return which rows, those with or without a value, are all of one class by more than chance, and the class; else empty.

    What is recorded only after the outcome, such as the number of a recovered body, has a value in such rows alone.
    """
    shares = label.value_counts(normalize=True)
    for rows, what in ((values.notna(), "rows with a value"), (values.isna(), "rows without a value")):
        found = label[rows]
        if found.nunique() == 1 and len(found) < len(label) and shares[found.iloc[0]] ** len(found) < BY_CHANCE:
            return f"all {len(found):,} {what}", repr(classes[int(found.iloc[0])])
    return "", ""


def separations(values, label, kind):
    """Return the AUCs for the label of a column's values and of its gaps, each the larger of AUC and 1 - AUC."""
    if kind in kinds.NO_NUMBERS:
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
