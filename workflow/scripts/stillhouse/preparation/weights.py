"""Shift weights: how much a training row counts for the rows where the model will be used."""

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from sklearn.metrics import roc_auc_score

from stillhouse.columns import FOLD, ROW, WEIGHT, untaught
from stillhouse.errors import UserError
from stillhouse.methods import build
from stillhouse.preparation.density_ratio import CrossFitted
from stillhouse.tables import rows_in

# The options of a weigher that are no matter of its method.
SHARED = ("folds", "quantile", "flatten", "flatten_below", "refuse_below")


def weighed(table, folds, split, options, seed):
    """Return ``row`` and ``weight`` of every labelled row, and what was done to get them.

    Weights have mean 1 over the training rows; the same factor scales those of held-out rows, which no estimate saw.
    Raises ``ValueError`` for weights that are not positive and finite.
    """
    fold = table[[ROW]].merge(folds, on=ROW, how="left")
    is_training, is_other = rows_in(fold, split["train"], FOLD), rows_in(fold, split["held_out"], FOLD)
    is_deploy = (fold[FOLD] == -1).to_numpy()
    X = table[untaught(table)].to_numpy("float64")
    method = {key: value for key, value in options.items() if key not in SHARED}
    weight, facts = np.zeros(len(table)), {}
    if candidates := build("weighers", method, seed=seed):
        if not X.shape[1]:
            raise UserError("weigh: every column became its mean label, by which rows cannot be weighed; set `encode: onehot`")
        ratio = CrossFitted(candidates, options["folds"], seed).fit(X[is_training], X[is_deploy])
        tamed, facts = taming(ratio, options)
        weight[is_training] = tamed(ratio.ratio_)
        weight[is_other] = tamed(ratio.predict(X[is_other])) if is_other.any() else 0
    else:
        weight[is_training | is_other] = 1
    labelled = pd.DataFrame({ROW: table[ROW], WEIGHT: weight})[is_training | is_other]
    if not (np.isfinite(labelled[WEIGHT]) & (labelled[WEIGHT] > 0)).all():
        raise ValueError("a weight is not positive and finite")
    return labelled, {**size_of(weight[is_training]), **facts}


def taming(ratio, options):
    """Return the function that makes weights of ratios, and what it does in plain numbers and words.

    Ratios are cut at a quantile and raised to the power ``flatten`` (Shimodaira 2000). Where the effective sample size of
    the training rows, each by an estimate that did not see it, is a smaller share of their number than ``flatten_below``,
    the power is lowered until it is not; where it is smaller than ``refuse_below``, all rows weigh 1.
    """
    most = np.quantile(ratio.ratio_, options["quantile"])
    cut = np.minimum(ratio.ratio_, most) / most
    share = size_of(cut ** options["flatten"])["share"]
    power = 0.0 if share < options["refuse_below"] else power_of(cut, options["flatten"], options["flatten_below"])
    mean = (cut**power).mean()
    facts = {
        "cut_rows": int((ratio.ratio_ >= most).sum()),
        "domain_auc": float(roc_auc_score(ratio.is_deploy_, ratio.scores_)),
        "raw_share": share,
        "power": power,
        "words": taming_words(share, power, options),
    }
    return lambda ratios: (np.minimum(ratios, most) / most) ** power / mean, facts


def power_of(cut, most, least_share):
    """Return the largest power, ``most`` at most, at which weights keep a share of effective rows."""

    def spare(power):
        return size_of(cut**power)["share"] - least_share

    return most if spare(most) >= 0 else float(brentq(spare, 0, most, xtol=1e-6))


def taming_words(share, power, options):
    """Return what was done to weights that rest on few rows, or nothing."""
    if share < options["refuse_below"]:
        return (
            f"Weights are refused: they would rest on {100 * share:.1f} % of the training rows, fewer than "
            f"{100 * options['refuse_below']:g} %, so every row counts the same. Hardly any training row is like a deploy row."
        )
    if power < options["flatten"]:
        return (
            f"Weights are flattened to the power {power:.2f}: they would rest on {100 * share:.0f} % of the training rows, "
            f"fewer than {100 * options['flatten_below']:g} %."
        )
    return ""


def size_of(weight):
    """Return how many rows there are, how many they tell as much as, and the largest weight."""
    size = effective_sample_size(weight)
    return {
        "rows": len(weight),
        "effective_sample_size": size,
        "share": size / len(weight),
        "largest": float(weight.max()),
    }


def effective_sample_size(weight):
    """Return (sum w)^2 / sum w^2 (Kish 1965): how many equally weighted rows tell as much."""
    return float(weight.sum() ** 2 / (weight**2).sum())
