"""Evaluation: the one place that reads labels of held-out rows."""

from functools import partial

import numpy as np
import pandas as pd

from stillhouse.columns import DECISION, DEPLOY, FOLD, GROUP, LABEL, PART, ROW, WEIGHT
from stillhouse.evaluation.intervals import draws, interval, resampled_t
from stillhouse.evaluation.metrics import OF_DECISIONS, WITHOUT_INTERVAL, main_metric, metrics_of, possible, within_folds
from stillhouse.predictions.predictions import columns_of, label_losses, prediction_table
from stillhouse.seeds import generator
from stillhouse.shift.label_shift import corrected
from stillhouse.tables import file_of, read_json, read_split


def held_out_predictions(paths, folds, splits):
    """Return every scored row predicted by the split that held it out, and deploy rows by split ``none``.

    ``splits`` are descriptions of the splits to read; rows come in the order of the table.
    """
    parts = []
    for split in splits:
        table = read_split(paths, split["name"])
        rows = folds.loc[folds[FOLD].isin(split["held_out"] or [-1]), [ROW]]
        parts.append(rows.merge(table, on=ROW))
    return pd.concat(parts, ignore_index=True).sort_values(ROW, ignore_index=True)


def scored(predictions, table, folds):
    """Return predictions with label, part, fold and, where there are groups, group of each labelled row."""
    known = predictions.merge(table[[ROW, LABEL, PART]], on=ROW).merge(folds, on=ROW)
    return known[known[LABEL].notna()].reset_index(drop=True)


def unit_numbers(rows):
    """Return the number of each row's bootstrap unit: its group where there are groups, else itself."""
    return pd.factorize(rows[GROUP])[0] if GROUP in rows else np.arange(len(rows))


def evaluate(rows, schema, settings, seed, weights=None, corrected=None, ratio=None):
    """Return metrics with intervals: on held-out rows, weighted for the deploy rows, and on labelled deploy rows.

    ``weights`` has shift weights of held-out rows; ``corrected`` has the probabilities of deploy rows on the class mixture
    that they seem to have; ``ratio`` is that of held-out to training rows, see ``ratio_of``.
    """
    deploy = rows[PART] == DEPLOY
    result = {"held_out": assess(rows[~deploy], schema, None, settings, seed, ratio)}
    if weights is not None:
        result["deploy_weighted"] = assess(rows[~deploy], schema, weights_of(rows[~deploy], weights), settings, seed)
    if deploy.any():
        result["deploy"] = assess(rows[deploy], schema, None, settings, seed)
    if deploy.any() and corrected is not None:
        moved = rows[deploy].drop(columns=[*columns_of(schema["classes"]), DECISION]).merge(corrected, on=ROW)
        result["deploy_corrected"] = assess(moved, schema, None, settings, seed)
    return result


def weights_of(rows, weights):
    """Return the shift weight of each row; shape (rows,)."""
    return rows[[ROW]].merge(weights, on=ROW, how="left")[WEIGHT].to_numpy()


def ratio_of(folds, splits):
    """Return how many rows are held out for each that is trained on, in the mean over scored splits; None for one alone."""
    sizes = folds[FOLD].value_counts()
    found = [sizes[split["held_out"]].sum() / sizes[split["train"]].sum() for split in splits if split["held_out"]]
    return float(np.mean(found)) if len(found) > 1 else None


def corrected_for_label_shift(predictions, table, classes):
    """Return the deploy rows' probabilities on the class mixture estimated for them; None where there is none to go by.

    The estimate is the model's own (EM on calibrated probabilities), by rows that it did not see and whose labels its split
    ``none`` learned from. It holds where only the class mixture has moved: ``shift.json`` says whether it seems so.
    """
    known = predictions.merge(table[[ROW, LABEL, PART]], on=ROW)
    deploy = known[known[PART] == DEPLOY]
    labelled = known[(known[PART] != DEPLOY) & known[LABEL].notna()]
    if not classes or not len(deploy):
        return None
    names = columns_of(classes)
    p, labels, p_new = (labelled[names].to_numpy(), labelled[LABEL].to_numpy(int), deploy[names].to_numpy())
    moved = corrected(p, labels, p_new)
    return None if moved is None else prediction_table(deploy[ROW], moved, classes)


def assess(rows, schema, weight, settings, seed, ratio=None):
    """Return for each metric of the task its value, interval and value per fold; those of decisions where rows have any.

    With ``ratio`` there are also the mean over folds and its corrected resampled t interval.
    """
    weight = np.ones(len(rows)) if weight is None else weight
    labels, probabilities, folds = as_arrays(rows, schema)
    decided = {name: np.eye(probabilities.shape[1])[rows[DECISION]] for name in OF_DECISIONS} if DECISION in rows else {}
    asked = metrics_of(schema, settings)
    known = {name: metric for name, metric in asked.items() if name in decided or name not in OF_DECISIONS}
    scores = {name: decided.get(name, probabilities) for name in known}
    of_weightings = {name: partial(within_folds(name, known[name], folds), labels, scores[name]) for name in known}
    drawn = draws(of_weightings, weight, unit_numbers(rows), settings["draws"], generator(seed, "bootstrap"))
    result = {}
    for name, metric in known.items():
        low, high = (None, None) if name in WITHOUT_INTERVAL else interval(drawn[name], settings["level"])
        by_fold = {
            str(fold): number(metric(labels[folds == fold], scores[name][folds == fold], weight[None, folds == fold]))
            for fold in np.unique(folds)
        }
        result[name] = {"value": number(of_weightings[name](weight[None])), "low": low, "high": high, "folds": by_fold}
        if ratio is not None:
            middle, low, high, _ = resampled_t(by_fold.values(), ratio, settings["level"])
            low, high = possible(name, low, high)
            result[name] |= {"folds_mean": middle, "t_low": low, "t_high": high}
    return {"rows": len(rows), "ratio": ratio, "metrics": result}


def as_arrays(rows, schema):
    """Return labels (rows,), scores (rows, outputs) and folds (rows,) of scored rows."""
    labels = rows[LABEL].to_numpy("int64" if schema["classes"] else "float64")
    return labels, rows[columns_of(schema["classes"])].to_numpy("float64"), rows[FOLD].to_numpy()


def main_of(rows, schema, settings):
    """Return the main metric of rows as a function of weightings (draws, rows)."""
    labels, scores, folds = as_arrays(rows, schema)
    name = main_metric(schema["task"])
    return partial(within_folds(name, metrics_of(schema, settings)[name], folds), labels, scores)


def row_losses(rows, schema):
    """Return the log loss of each row, or for a regression the squared error; shape (rows,)."""
    scores = rows[columns_of(schema["classes"])].to_numpy("float64")
    if not schema["classes"]:
        return (rows[LABEL].to_numpy("float64") - scores[:, 0]) ** 2
    return label_losses(rows[LABEL].to_numpy("int64"), scores)


def number(value):
    """Return the one entry of an array as a float, or None where it has no value."""
    return float(value[0]) if np.isfinite(value[0]) else None


def held_out_weights(paths, facts, folds, splits):
    """Return the shift weight of each scored row by the split that held it out; None where there are none to be had.

    That is without deploy rows, and where the rows of a split all weigh the same, as weights were refused or not asked for:
    scores would be weighted in name only.
    """
    if not paths or any(is_even(facts, split["name"]) for split in splits if split["held_out"]):
        return None
    parts = [
        folds.loc[folds[FOLD].isin(split["held_out"]), [ROW]].merge(read_split(paths, split["name"]), on=ROW)
        for split in splits
        if split["held_out"]
    ]
    return pd.concat(parts, ignore_index=True)


def is_even(facts, split):
    """Return whether all rows of a split weigh the same, by the files that say what was done to get the weights."""
    return not read_json(file_of(facts, split))[split].get("power")
