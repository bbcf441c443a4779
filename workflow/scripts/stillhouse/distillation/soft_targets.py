"""Soft targets: teachers' predictions of rows that they did not see, and how much a student relies on them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import softmax

from stillhouse.columns import FOLD, LABEL, ROW, STOP, WEIGHT
from stillhouse.config.models import AUTO
from stillhouse.intake.folds import OF_DEPLOY, OF_SYNTHETIC, OF_UNLABELLED
from stillhouse.predictions.predictions import (
    columns_of,
    label_losses,
    logits,
    on_learned_prior,
    rows_without_labels,
    unseen_predictions,
)
from stillhouse.tables import read_first, read_split

# The candidates of `auto`, and the alpha that is kept unless another is clearly better. An alpha of 1 (labels alone) is among
# them, so that a student need not follow its teacher.
TEMPERATURES, ALPHAS, USUAL_ALPHA = (1.0, 2.0, 4.0), (0.0, 0.3, 0.6, 1.0), 0.3
# Of many rows, as each candidate is a model of all of them.
ALPHAS_OF_MANY_ROWS = (USUAL_ALPHA, 1.0)
# The fold numbers of transfer rows, by the names that they have in the configuration.
TRANSFER_FOLDS = {"deploy": OF_DEPLOY, "unlabelled": OF_UNLABELLED, "synthetic": OF_SYNTHETIC}


@dataclass(frozen=True)
class Teaching:
    """Who teaches a student, and how: paths of each teacher's predictions, folds, classes, and the student's options.

    ``again`` says that the student is one that is fitted again on all rows.
    """

    teachers: dict
    folds: pd.DataFrame
    classes: list | None
    options: dict
    again: bool = False


def student_sample(sample, features, split, ledger, teaching):
    """Return a student's sample, with transfer rows appended, and its soft targets (rows, outputs).

    Transfer rows have no label; they are never stop rows.
    """
    folds, predicted = teaching.folds, teacher_predictions(split, teaching)
    extra = predicted[[ROW]].merge(folds.loc[folds[FOLD] < 0, [ROW, FOLD]], on=ROW)
    if len(extra):
        extra = features.merge(extra, on=ROW).assign(
            **{LABEL: np.nan, WEIGHT: teaching.options["transfer_weight"], STOP: False}
        )
        sample = pd.concat([sample, extra[sample.columns]], ignore_index=True)
    return sample, soft_targets(sample, predicted, teaching.classes, ledger)


def teacher_predictions(split, teaching):
    """Return ``row`` and the teachers' pooled predictions of a split's training rows and of the transfer rows.

    Rows of a fold are predicted by the split that also held out this fold. Transfer rows have no label that could leak, and are
    predicted by the teacher of the split itself, as rows that it will be asked about; those that a student's first fit learns
    from, by the teacher's first fit, which has not seen the stop rows that the student chooses by.
    """
    read = read_split if teaching.again else read_first
    folds, classes = teaching.folds, teaching.classes
    asked = [TRANSFER_FOLDS[part] for part in teaching.options["transfer"]]
    own = folds.loc[folds[FOLD].isin(asked) & folds[ROW].isin(rows_without_labels(folds, split)), [ROW]]
    tables = []
    for paths in teaching.teachers.values():
        table = unseen_predictions(paths, folds, split, classes)
        if len(own):
            table = pd.concat([table, own.merge(read(paths, split.name), on=ROW)], ignore_index=True)
        tables.append(table.set_index(ROW)[columns_of(classes)])
    rows = tables[0].index
    pooled = pooled_teachers(
        np.stack([table.loc[rows].to_numpy("float64") for table in tables]), classes, teaching.options["pool"]
    )
    return pd.DataFrame(pooled, columns=columns_of(classes), index=rows).reset_index()


def pooled_teachers(scores, classes, pool):
    """Return the teachers' mean probabilities, probabilities of mean logits, or mean values; (teachers, rows, outputs)."""
    if classes and pool == "logits" and len(scores) > 1:
        return softmax(np.mean([logits(p) for p in scores], axis=0), axis=1)
    return scores.mean(axis=0)


def soft_targets(sample, predicted, classes, ledger):
    """Return the teachers' predictions of a sample's rows, NaN where there are none; shape (rows, outputs).

    Rows that a resampler drew (row -1) and rows of folds that no split predicts have none. The teachers' probabilities are on
    the original class prior; they are moved to the prior that the student learns, so that the ledger is undone only once.
    """
    soft = sample[[ROW]].merge(predicted, on=ROW, how="left")[columns_of(classes)].to_numpy("float64", copy=True)
    is_predicted = ~np.isnan(soft[:, 0])
    soft[is_predicted] = on_learned_prior(soft[is_predicted], ledger)
    return soft


def hard_targets(sample, soft, n_classes):
    """Return labels as probabilities or values (rows, outputs); rows without a label get the teacher's prediction."""
    labels = sample[LABEL].to_numpy("float64")
    known = ~np.isnan(labels)
    hard = np.eye(n_classes)[np.where(known, labels, 0).astype(int)] if n_classes else labels[:, None]
    return hard if known.all() else np.where(known[:, None], hard, soft)


def targets(sample, soft, alpha, n_classes):
    """Return ``alpha`` times the label plus ``1 - alpha`` times the soft target, or the label alone where there is none."""
    hard = hard_targets(sample, soft, n_classes)
    return np.where(np.isnan(soft[:, :1]), hard, alpha * hard + (1 - alpha) * np.nan_to_num(soft))


def candidates(options, rows):
    """Return the pairs (temperature, alpha) that a student of so many rows is trained with; see ``chosen_candidate``."""
    temperatures = TEMPERATURES if options.get("temperature") == AUTO else (options.get("temperature", 1.0),)
    alphas = (options["alpha"],)
    if options["alpha"] == AUTO:
        alphas = ALPHAS if rows <= options["auto_rows"] else ALPHAS_OF_MANY_ROWS
    # With labels alone, the temperature has no effect.
    return [(t, alpha) for alpha in alphas for t in (temperatures if alpha < 1 else temperatures[:1])]


def stop_losses(model, stop, n_classes):
    """Return the log loss of each stop row's label by a model, or the squared error; infinite without a model."""
    if model is None:
        return np.full(len(stop), np.inf)
    labels, scores = stop[LABEL].to_numpy(), model.predict(stop)
    if n_classes:
        return label_losses(labels, scores)
    return (scores[:, 0] - labels) ** 2


def clear_gains(losses, usual, weight):
    """Return by how much mean losses are lower than the usual one, 0 where that is within its standard error; (models,).

    ``losses`` are those of rows by model, (models, rows), ``usual`` those of the usual one, (rows,); weights add up to 1.
    """
    with np.errstate(invalid="ignore"):
        difference = losses - usual
        gain = -difference @ weight
        error = np.sqrt((difference + gain[:, None]) ** 2 @ weight**2)
    return np.where(gain > error, gain, 0)


def chosen_candidate(pairs, models, stop, n_classes):
    """Return the index of the model to keep, and a table of the stop losses of all models.

    The pair with the usual alpha is kept unless the mean loss of another is lower by more than the standard error of the
    difference (after Breiman et al. 1984, section 3.4.3): on few rows the lowest loss is mostly luck.
    """
    weight = stop[WEIGHT].to_numpy() / max(stop[WEIGHT].sum(), 1e-12)
    losses = np.stack([stop_losses(model, stop, n_classes) for model in models])
    usual = min(range(len(pairs)), key=lambda index: (models[index] is None, pairs[index][1] != USUAL_ALPHA, index))
    gain = clear_gains(losses, losses[usual], weight)
    kept = int(gain.argmax()) if gain.any() else usual
    table = pd.DataFrame(pairs, columns=["temperature", "alpha"]).assign(stop_loss=losses @ weight)
    return kept, table.assign(kept=table.index == kept)
