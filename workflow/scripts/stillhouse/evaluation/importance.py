"""Explanations of a model: the importance of columns, and a small surrogate tree of its predictions."""

from itertools import islice

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from stillhouse.columns import DEPLOY, FOLD, LABEL, ONE_HOT, PART, PREDICTION, ROW, feature_kind, feature_text, features
from stillhouse.evaluation.intervals import resampled_t
from stillhouse.evaluation.metrics import LESS_IS_BETTER, main_metric, metrics_of
from stillhouse.evaluation.scores import as_arrays
from stillhouse.intake import kinds
from stillhouse.intake.kinds import BOOLEAN, feature_columns
from stillhouse.predictions.predictions import columns_of, prediction_table
from stillhouse.preparation.features import preparation

# The most held-out rows of a fold in which columns are shuffled, and how often.
FOLD_ROWS, SHUFFLES = 1000, 3
# Shuffled rows that are predicted together.
ROWS_AT_ONCE = 20_000
TREE_DEPTH = 3
# Gaps get the median and numbers keep their units, so that the tree's thresholds are readable.
READABLE = {
    "method": "median",
    "indicators": False,
    "scale": False,
    "categories": 10,
    "encode": "onehot",
    "columns_above": 1,
    "texts": None,
    "pictures": None,
}


# The least rank correlation that is called a direction.
CLEAR = 0.1


def importance(models, table, folds, schema, protocol, rng):
    """Return the permutation importance of each column on held-out rows, the largest first (Breiman 2001).

    ``models`` maps a scored fold to the pipeline that held it out. ``loss`` is how much the main metric loses when the column
    is shuffled, the mean over folds and shuffles, with the corrected resampled t interval over folds. ``direction`` says
    whether the value, or the probability of the second of two classes, rises or falls with a column of numbers: whether their
    rank correlation is at least 0.1 in size in every fold, with the same sign.
    """
    sources = list(dict.fromkeys(column["source"] for column in feature_columns(schema)))
    lost, correlations = {source: [] for source in sources}, {source: [] for source in sources}
    for fold, model in models.items():
        rows = table.merge(folds.loc[folds[FOLD] == fold, [ROW, FOLD]], on=ROW)
        rows = rows.sample(min(len(rows), FOLD_ROWS), random_state=rng.integers(2**31)).sort_values(ROW)
        predicted = model.predict(rows)
        best, predicted = score(predicted, rows, protocol), predicted[:, -1]
        shuffled = (with_shuffled(rows, source, schema, rng) for source in sources for _ in range(SHUFFLES))
        worse = np.reshape(scores_of(model, shuffled, len(rows), protocol), (len(sources), SHUFFLES)).mean(axis=1)
        for source, value in zip(sources, worse, strict=True):
            correlations[source].append(rank_correlation(rows, source, schema, predicted))
            lost[source].append(best - float(value))
    lines = [(source, *resampled_t(values, protocol.ratio, protocol.settings["level"])[:3]) for source, values in lost.items()]
    table = pd.DataFrame(lines, columns=["column", "loss", "low", "high"])
    table["direction"] = [direction_of(correlations[source]) for source in table["column"]]
    return table.sort_values("loss", ascending=False, kind="stable", ignore_index=True)


def rank_correlation(rows, source, schema, predicted):
    """Return the rank correlation of a column of numbers and predictions; NaN for other columns, or more than two classes."""
    columns = [column for column in feature_columns(schema) if column["source"] == source]
    is_number = len(columns) == 1 and columns[0]["kind"] not in kinds.NO_NUMBERS
    if not is_number or len(schema["classes"] or []) > 2:
        return np.nan
    return pd.Series(predicted).corr(rows[columns[0]["name"]].reset_index(drop=True).astype("float64"), method="spearman")


def direction_of(correlations):
    """Return ``rises`` or ``falls`` where all folds agree clearly, else an empty text."""
    values = np.array(correlations, dtype=float)
    return "rises" if (values >= CLEAR).all() else "falls" if (values <= -CLEAR).all() else ""


def with_shuffled(rows, source, schema, rng):
    """Return rows with the values of a raw column shuffled; the parts of a time stay together."""
    names = [column["name"] for column in feature_columns(schema) if column["source"] == source]
    order = rng.permutation(len(rows))
    return rows.assign(**{name: rows[name].to_numpy()[order] for name in names})


def scores_of(model, tables, rows, protocol):
    """Return the score of a model on each of many tables of so many rows; a prediction costs more to start than to make."""
    found, tables = [], iter(tables)
    while together := list(islice(tables, max(1, ROWS_AT_ONCE // rows))):
        predicted = np.split(model.predict(pd.concat(together, ignore_index=True)), len(together))
        found += [score(own, table, protocol) for own, table in zip(predicted, together, strict=True)]
    return found


def score(predicted, rows, protocol):
    """Return the main metric of predicted rows, negated if less is better; 0 where it is not defined."""
    predicted = prediction_table(rows[ROW], predicted, protocol.task.classes)
    labels, scores, _ = as_arrays(predicted.assign(**{LABEL: rows[LABEL].to_numpy(), FOLD: 0}), protocol.task)
    name = main_metric(protocol.task)
    value = metrics_of(protocol.task, protocol.settings)[name](labels, scores, np.ones((1, len(rows))))[0]
    return 0.0 if not np.isfinite(value) else float(-value if name in LESS_IS_BETTER else value)


def surrogate(rows, table, schema, fold):
    """Return the leaves of a tree of depth three that is fitted to a model's predictions, and its fidelity on unseen rows.

    ``rows`` has held-out predictions. The tree is fitted on all folds but one, and ``fidelity`` is measured on that fold: the
    R² of a probability or value or, for more than two classes, the share of rows whose most likely class the tree names. A
    single fold is divided in two. No label is used.
    """
    classes, held_out = schema["classes"], rows[rows[PART] != DEPLOY]
    predicted = predicted_numbers(held_out, classes)
    typed, is_alone = held_out[[ROW]].merge(table, on=ROW), held_out[FOLD].nunique() == 1
    is_fitted = np.arange(len(typed)) % 2 == 0 if is_alone else (held_out[FOLD] != fold).to_numpy()
    X, names_class = readable(typed, is_fitted, schema), len(classes or []) > 2
    kind = DecisionTreeClassifier if names_class else DecisionTreeRegressor
    tree = kind(max_depth=TREE_DEPTH, min_samples_leaf=max(5, len(X) // 100), random_state=0)
    tree.fit(X[is_fitted], predicted[is_fitted])
    expected, by_tree = predicted[~is_fitted], tree.predict(X[~is_fitted])
    fidelity = float((expected == by_tree).mean()) if names_class else float(r2_score(expected, by_tree))
    return {"fidelity": fidelity, "leaves": leaves(tree, list(X), schema, classes if names_class else None)}


def readable(typed, is_fitted, schema):
    """Return the features of typed rows in their own units, by a preparation fitted on some of the rows.

    What is measured of a text or a picture stands for it.
    """
    columns = feature_columns(schema)
    read = [column for column in columns if column["kind"] in kinds.ENCODED]
    encoded = {column["name"]: kinds.measured(typed[column["name"]], column) for column in read}
    columns = [{**column, "kind": kinds.NUMERIC} if column["name"] in encoded else column for column in columns]
    typed = typed.assign(**{name: values for name, (_, values) in encoded.items()})
    made = preparation(columns, READABLE, classes=schema["classes"], seed=0).fit(typed[is_fitted])
    prepared = made.transform(typed)
    titles = {name: encoded[feature_text(name)][0] for name in features(prepared) if feature_text(name) in encoded}
    return prepared[features(prepared)].rename(columns={name: f"{name}, {title}" for name, title in titles.items()})


def predicted_numbers(rows, classes):
    """Return each row's prediction as one number: the positive class's probability, the most likely class, or the value."""
    if not classes:
        return rows[PREDICTION].to_numpy()
    p = rows[columns_of(classes)].to_numpy()
    return p[:, 1] if len(classes) == 2 else p.argmax(axis=1)


def leaves(tree, names, schema, classes=None):
    """Return each leaf of a tree on features of these names: its conditions, its rows, and its prediction.

    The prediction is a value, or one of ``classes``.
    """
    collected, nodes = [], tree.tree_
    flagged = {column["name"] for column in feature_columns(schema) if column["kind"] == BOOLEAN}

    def visit(node, conditions):
        if nodes.children_left[node] < 0:
            value = nodes.value[node][0]
            says = classes[int(tree.classes_[value.argmax()])] if classes else float(value[0])
            collected.append(
                {"where": readable_conditions(conditions, flagged), "rows": int(nodes.n_node_samples[node]), "says": says}
            )
            return
        name, limit = names[nodes.feature[node]], float(nodes.threshold[node])
        visit(nodes.children_left[node], [*conditions, (name, "at most", limit)])
        visit(nodes.children_right[node], [*conditions, (name, "above", limit)])

    visit(0, [])
    return collected


def readable_conditions(conditions, flagged=()):
    """Return conditions on features as a text on raw columns, with the bounds of a column together.

    ``flagged`` has the names of boolean columns.
    """
    bounds, parts = {}, []
    for name, side, limit in conditions:
        text, is_above = feature_text(name), side == "above"
        if feature_kind(name) == ONE_HOT:
            column, _, category = text.partition("=")
            parts.append(f"{column} is {'' if is_above else 'not '}{category}")
        elif text in flagged:
            parts.append(f"{text} is {'yes' if is_above else 'no'}")
        else:
            low, high = bounds.get(text, (-np.inf, np.inf))
            bounds[text] = (max(low, limit), high) if is_above else (low, min(high, limit))
    for column, (low, high) in bounds.items():
        ends = [f"above {low:.4g}"] * (low > -np.inf) + [f"at most {high:.4g}"] * (high < np.inf)
        parts.append(f"{column} {', '.join(ends)}")
    return " and ".join(parts) or "every row"
