"""Distillation: what teachers say of rows that they did not see, and how far a student is to follow it."""

import numpy as np
import pandas as pd
from scipy.special import softmax

from stillhouse.columns import FOLD, LABEL, ROW, STOP, WEIGHT
from stillhouse.intake.folds import OF_DEPLOY, OF_SYNTHETIC, OF_UNLABELLED
from stillhouse.predictions.predictions import columns_of, label_losses, logits, on_learned_prior, unseen_predictions
from stillhouse.tables import read_split

AUTO = "auto"
# What `auto` chooses among, and the share that is taken where nothing is clearly better. A student that goes by labels alone is
# one of them, so that no teacher has to be believed.
TEMPERATURES, ALPHAS, USUAL = (1.0, 2.0, 4.0), (0.0, 0.3, 0.6, 1.0), 0.3
OF_PARTS = {"deploy": OF_DEPLOY, "unlabelled": OF_UNLABELLED, "synthetic": OF_SYNTHETIC}


def taught(sample, features, teachers, folds, split, classes, ledger, options):
    """Return what a student learns from: the sample with its transfer rows below, and soft targets (rows, outputs).

    ``teachers`` maps a name to the paths of its predictions. Transfer rows have no label; they are never stop rows.
    """
    told = teachers_say(teachers, folds, split, classes, options)
    extra = told[[ROW]].merge(folds.loc[folds[FOLD] < 0, [ROW, FOLD]], on=ROW)
    if len(extra):
        extra = features.merge(extra, on=ROW).assign(**{LABEL: np.nan, WEIGHT: options["transfer_weight"], STOP: False})
        sample = pd.concat([sample, extra[sample.columns]], ignore_index=True)
    return sample, soft_targets(sample, told, classes, ledger)


def teachers_say(teachers, folds, split, classes, options):
    """Return ``row`` and the teachers' averaged predictions of a split's training rows and of the student's transfer rows.

    Those of a row that comes from a fold are by the split that held this fold out too; deploy rows and unlabelled ones have no
    label to leak, and take the split's own.
    """
    asked = [OF_PARTS[part] for part in options["transfer"]]
    own = folds.loc[folds[FOLD].isin(asked) & (folds[FOLD] != OF_SYNTHETIC), [ROW]]
    tables = []
    for paths in teachers.values():
        table = unseen_predictions(paths, folds, split, classes, with_synthetic=OF_SYNTHETIC in asked)
        if len(own):
            table = pd.concat([table, own.merge(read_split(paths, split["name"]), on=ROW)], ignore_index=True)
        tables.append(table.set_index(ROW)[columns_of(classes)])
    rows = tables[0].index
    found = averaged(np.stack([table.loc[rows].to_numpy("float64") for table in tables]), classes, options["pool"])
    return pd.DataFrame(found, columns=columns_of(classes), index=rows).reset_index()


def averaged(scores, classes, pool):
    """Return the mean over teachers of probabilities, of logits as probabilities, or of values; (teachers, rows, outputs)."""
    if classes and pool == "logits" and len(scores) > 1:
        return softmax(np.mean([logits(p) for p in scores], axis=0), axis=1)
    return scores.mean(axis=0)


def soft_targets(sample, told, classes, ledger):
    """Return what teachers say of a sample's rows, NaN where they say nothing; shape (rows, outputs).

    Rows that a resampler drew (row -1) and rows of folds that no split predicts have none. Teachers speak on the original
    prior; their probabilities are moved to the prior that the student learns, so that the ledger is undone once.
    """
    soft = sample[[ROW]].merge(told, on=ROW, how="left")[columns_of(classes)].to_numpy("float64", copy=True)
    is_told = ~np.isnan(soft[:, 0])
    soft[is_told] = on_learned_prior(soft[is_told], ledger)
    return soft


def hard_targets(sample, soft, n_classes):
    """Return labels as probabilities or values (rows, outputs); for rows without a label the teacher's word stands for it."""
    labels = sample[LABEL].to_numpy("float64")
    known = ~np.isnan(labels)
    hard = np.eye(n_classes)[np.where(known, labels, 0).astype(int)] if n_classes else labels[:, None]
    return hard if known.all() else np.where(known[:, None], hard, soft)


def targets(sample, soft, alpha, n_classes):
    """Return ``alpha`` of each row's label and the rest of the teacher's word, the label alone where there is none."""
    hard = hard_targets(sample, soft, n_classes)
    return np.where(np.isnan(soft[:, :1]), hard, alpha * hard + (1 - alpha) * np.nan_to_num(soft))


def candidates(options):
    """Return the pairs of temperature and alpha that a student is trained with, to choose among where there are several."""
    temperatures = TEMPERATURES if options.get("temperature") == AUTO else (options.get("temperature", 1.0),)
    alphas = ALPHAS if options["alpha"] == AUTO else (options["alpha"],)
    # By labels alone, a student has no temperature.
    return [(t, alpha) for alpha in alphas for t in (temperatures if alpha < 1 else temperatures[:1])]


def stop_losses(model, stop, n_classes):
    """Return the log loss of each stop row's label by a model, or the squared error; infinite without a model."""
    if model is None:
        return np.full(len(stop), np.inf)
    labels, scores = stop[LABEL].to_numpy(), model.predict(stop)
    if n_classes:
        return label_losses(labels, scores)
    return (scores[:, 0] - labels) ** 2


def best(pairs, models, stop, n_classes):
    """Return the place of the model to keep, and a table of how all of them do on stop rows.

    The usual pair is kept unless another has a lower mean loss by more than the standard error of the difference (after
    Breiman et al. 1984, section 3.4.3): on few rows the least loss is mostly luck.
    """
    weight = stop[WEIGHT].to_numpy() / max(stop[WEIGHT].sum(), 1e-12)
    losses = np.stack([stop_losses(model, stop, n_classes) for model in models])
    usual = min(range(len(pairs)), key=lambda place: (models[place] is None, pairs[place][1] != USUAL, place))
    with np.errstate(invalid="ignore"):
        apart = losses - losses[usual]
        gain = -apart @ weight
        error = np.sqrt((apart + gain[:, None]) ** 2 @ weight**2)
    gain = np.where(gain > error, gain, 0)
    place = int(gain.argmax()) if gain.any() else usual
    table = pd.DataFrame(pairs, columns=["temperature", "alpha"]).assign(stop_loss=losses @ weight)
    return place, table.assign(kept=table.index == place)
