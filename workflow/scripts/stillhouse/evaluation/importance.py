"""Explanation: which columns a model leans on, and a small tree that says nearly what it says."""

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from stillhouse.columns import DEPLOY, FOLD, LABEL, PART, PREDICTION, ROW, features
from stillhouse.evaluation.intervals import resampled_t
from stillhouse.evaluation.metrics import LESS_IS_BETTER, main_metric, metrics_of
from stillhouse.evaluation.scores import as_arrays
from stillhouse.intake.kinds import BOOLEAN, feature_columns
from stillhouse.predictions.predictions import columns_of, prediction_table
from stillhouse.preparation.features import preparation

# Held-out rows of a fold that columns are shuffled in at most, and how often.
MOST_ROWS, SHUFFLES = 1000, 3
DEPTH = 3
# Gaps get the median and numbers keep their units, so that a tree's thresholds can be read.
READABLE = {
    "method": "median",
    "indicators": False,
    "scale": False,
    "categories": 10,
    "encode": "onehot",
    "columns_above": 1,
}


def importance(models, table, folds, schema, settings, ratio, rng):
    """Return for each column how much the main metric loses on held-out rows whose values of it are shuffled (Breiman 2001).

    ``models`` maps a scored fold to the whole model that held it out. ``loss`` is the mean over folds and shuffles, with the
    corrected resampled t interval over folds; the most important column comes first.
    """
    sources = list(dict.fromkeys(column["source"] for column in feature_columns(schema)))
    lost = {source: [] for source in sources}
    for fold, model in models.items():
        rows = table.merge(folds.loc[folds[FOLD] == fold, [ROW, FOLD]], on=ROW)
        rows = rows.sample(min(len(rows), MOST_ROWS), random_state=rng.integers(2**31)).sort_values(ROW)
        best = score(model, rows, schema, settings)
        for source in sources:
            worse = [score(model, with_shuffled(rows, source, schema, rng), schema, settings) for _ in range(SHUFFLES)]
            lost[source].append(best - float(np.mean(worse)))
    lines = [(source, *resampled_t(values, ratio, settings["level"])[:3]) for source, values in lost.items()]
    table = pd.DataFrame(lines, columns=["column", "loss", "low", "high"])
    return table.sort_values("loss", ascending=False, kind="stable", ignore_index=True)


def with_shuffled(rows, source, schema, rng):
    """Return rows with the values of a raw column shuffled; the parts of a time go together."""
    names = [column["name"] for column in feature_columns(schema) if column["source"] == source]
    order = rng.permutation(len(rows))
    return rows.assign(**{name: rows[name].to_numpy()[order] for name in names})


def score(model, rows, schema, settings):
    """Return the main metric of a model on rows, negative where less is better; 0 where it has none."""
    predicted = prediction_table(rows[ROW], model.predict(rows), schema["classes"])
    labels, scores, _ = as_arrays(predicted.assign(**{LABEL: rows[LABEL].to_numpy(), FOLD: 0}), schema)
    name = main_metric(schema["task"])
    value = metrics_of(schema, settings)[name](labels, scores, np.ones((1, len(rows))))[0]
    return 0.0 if not np.isfinite(value) else float(-value if name in LESS_IS_BETTER else value)


def surrogate(rows, table, schema, fold):
    """Return the leaves of a tree of depth three fitted to a model's predictions, and how near it comes on rows unseen by it.

    ``rows`` has held-out predictions. The tree learns from those of all folds but one and is held against those of that fold:
    ``fidelity`` is the share of the spread it explains of a probability or value (R²), of more than two classes the share of
    rows whose likeliest class it names. Where one fold alone is scored, its rows are halved. No label takes part.
    """
    classes, held_out = schema["classes"], rows[rows[PART] != DEPLOY]
    said = said_by(held_out, classes)
    typed, is_alone = held_out[[ROW]].merge(table, on=ROW), held_out[FOLD].nunique() == 1
    is_fitted = np.arange(len(typed)) % 2 == 0 if is_alone else (held_out[FOLD] != fold).to_numpy()
    X, names_class = readable(typed, is_fitted, schema), len(classes or []) > 2
    kind = DecisionTreeClassifier if names_class else DecisionTreeRegressor
    tree = kind(max_depth=DEPTH, min_samples_leaf=max(5, len(X) // 100), random_state=0)
    tree.fit(X[is_fitted], said[is_fitted])
    expected, found = said[~is_fitted], tree.predict(X[~is_fitted])
    fidelity = float((expected == found).mean()) if names_class else float(r2_score(expected, found))
    return {"fidelity": fidelity, "leaves": leaves(tree, list(X), schema, classes if names_class else None)}


def readable(typed, is_fitted, schema):
    """Return the features of typed rows in units that can be read, prepared by what some of them say."""
    made = preparation(feature_columns(schema), READABLE, classes=schema["classes"], seed=0).fit(typed[is_fitted])
    prepared = made.transform(typed)
    return prepared[features(prepared)]


def said_by(rows, classes):
    """Return what a model says in one number a row: the positive class's probability, the likeliest class, or the value."""
    if not classes:
        return rows[PREDICTION].to_numpy()
    p = rows[columns_of(classes)].to_numpy()
    return p[:, 1] if len(classes) == 2 else p.argmax(axis=1)


def leaves(tree, names, schema, classes=None):
    """Return each leaf of a tree on features of these names: the conditions that lead to it, its rows, and what it says.

    That is a value, or one of ``classes``.
    """
    found, nodes = [], tree.tree_
    flagged = {column["name"] for column in feature_columns(schema) if column["kind"] == BOOLEAN}

    def visit(node, conditions):
        if nodes.children_left[node] < 0:
            value = nodes.value[node][0]
            says = classes[int(tree.classes_[value.argmax()])] if classes else float(value[0])
            found.append({"where": in_words(conditions, flagged), "rows": int(nodes.n_node_samples[node]), "says": says})
            return
        name, limit = names[nodes.feature[node]], float(nodes.threshold[node])
        visit(nodes.children_left[node], [*conditions, (name, "at most", limit)])
        visit(nodes.children_right[node], [*conditions, (name, "above", limit)])

    visit(0, [])
    return found


def in_words(conditions, flagged=()):
    """Return conditions on prepared features as words on raw columns, bounds of one column together.

    ``flagged`` are the columns that are true or false.
    """
    bounds, said = {}, []
    for name, side, limit in conditions:
        words, is_above = name.split(":", 1)[1], side == "above"
        if name.startswith("c"):
            column, _, value = words.partition("=")
            said.append(f"{column} is {'' if is_above else 'not '}{value}")
        elif words in flagged:
            said.append(f"{words} is {'yes' if is_above else 'no'}")
        else:
            low, high = bounds.get(words, (-np.inf, np.inf))
            bounds[words] = (max(low, limit), high) if is_above else (low, min(high, limit))
    for column, (low, high) in bounds.items():
        ends = [f"above {low:.4g}"] * (low > -np.inf) + [f"at most {high:.4g}"] * (high < np.inf)
        said.append(f"{column} {', '.join(ends)}")
    return " and ".join(said) or "every row"
