"""Shift weights: truncated and flattened density ratios, that make training rows resemble deploy rows."""

import numpy as np
import pandas as pd

from stillhouse.columns import FOLD, ROW, WEIGHT, label_free_features
from stillhouse.errors import UserError
from stillhouse.methods import build
from stillhouse.seeds import derive, uniforms
from stillhouse.tables import rows_in

# The options that all weighers share.
WEIGHER_OPTIONS = ("most_rows", "folds", "quantile", "flatten", "flatten_below", "refuse_below")
# Rows whose ratios are computed at once, as kernels take a hundred numbers for each.
ROWS_AT_ONCE = 50_000


def weighed(table, folds, split, options, seed):
    """Return ``row`` and ``weight`` of every training and held-out row, and facts on how the weights were made.

    Weights have mean 1 over the training rows; those of held-out rows, which no estimator saw, are scaled by the same factor.
    Estimators are fitted on at most ``most_rows`` training and as many deploy rows.
    Raises ``ValueError`` for weights that are not positive and finite.
    """
    fold = table[[ROW]].merge(folds, on=ROW, how="left")
    is_training, is_other = rows_in(fold, split.train, FOLD), rows_in(fold, split.held_out, FOLD)
    is_deploy = (fold[FOLD] == -1).to_numpy()
    X = table[label_free_features(table)].to_numpy("float64")
    method = {key: value for key, value in options.items() if key not in WEIGHER_OPTIONS}
    weight, facts = np.zeros(len(table)), {}
    if candidates := build("weighers", method, seed=seed):
        if not X.shape[1]:
            raise UserError(
                "weigh: all columns are mean labels, or whole texts or pictures, by which rows cannot be compared; set "
                "`encode: onehot`, or choose an imputer with `texts: {method: ngrams}` or `pictures: {method: components}`"
            )
        # Most preparations weigh nothing, and need no estimator.
        from stillhouse.preparation.density_ratio import CrossFitted

        is_fitted, fitted_deploy = (drawn_of(rows, table[ROW], options["most_rows"], seed) for rows in (is_training, is_deploy))
        ratio = CrossFitted(candidates, options["folds"], seed).fit(X[is_fitted], X[fitted_deploy])
        as_weights, facts = truncated_and_flattened(ratio, options)
        weight[is_fitted] = as_weights(ratio.ratio_)
        for rows in in_blocks(np.flatnonzero((is_training & ~is_fitted) | is_other)):
            weight[rows] = as_weights(ratio.predict(X[rows]))
        if not (is_fitted == is_training).all() or not (fitted_deploy == is_deploy).all():
            weight /= weight[is_training].mean()
            facts["cut_rows"] = int((weight[is_training] >= weight[is_training].max() * (1 - 1e-9)).sum())
            counts = is_fitted.sum(), is_training.sum(), fitted_deploy.sum(), is_deploy.sum()
            said = "The density ratio is estimated on {:,} of {:,} training rows and {:,} of {:,} deploy rows, drawn by chance."
            facts["note"] = f"{said.format(*counts)} {facts['note']}".rstrip()
    else:
        weight[is_training | is_other] = 1
    labelled = pd.DataFrame({ROW: table[ROW], WEIGHT: weight})[is_training | is_other]
    if not (np.isfinite(labelled[WEIGHT]) & (labelled[WEIGHT] > 0)).all():
        raise ValueError("a weight is not positive and finite")
    return labelled, {**size_facts(weight[is_training]), **facts}


def drawn_of(mask, numbers, most, seed):
    """Return a mask of at most so many of the rows of a mask, drawn by chance; ``numbers`` has each row's number."""
    rows = np.flatnonzero(mask)
    if len(rows) <= most:
        return mask
    drawn = np.zeros(len(mask), dtype=bool)
    drawn[rows[np.argsort(uniforms(derive(seed, "rows"), numbers.to_numpy()[rows], 1)[:, 0], kind="stable")[:most]]] = True
    return drawn


def in_blocks(rows):
    """Return positions of rows in blocks."""
    return [rows[start : start + ROWS_AT_ONCE] for start in range(0, len(rows), ROWS_AT_ONCE)]


def truncated_and_flattened(ratio, options):
    """Return the function that turns ratios into weights, and facts on what it does.

    Ratios are truncated at a quantile and flattened: raised to the power ``flatten`` (Shimodaira 2000). Where the effective
    sample size of the training rows is a smaller share of their number than ``flatten_below``, the power is lowered until it
    is not; where it is smaller than ``refuse_below``, the power is 0 and all rows weigh 1.
    """
    most = np.quantile(ratio.ratio_, options["quantile"])
    cut = np.minimum(ratio.ratio_, most) / most
    share = size_facts(cut ** options["flatten"])["share"]
    power = 0.0 if share < options["refuse_below"] else power_of(cut, options["flatten"], options["flatten_below"])
    mean = (cut**power).mean()
    facts = {
        "cut_rows": int((ratio.ratio_ >= most).sum()),
        "domain_auc": ratio.auc_,
        "raw_share": share,
        "power": power,
        "note": refusal_or_flattening(share, power, options),
    }
    return lambda ratios: (np.minimum(ratios, most) / most) ** power / mean, facts


def power_of(cut, most, least_share):
    """Return the largest power up to ``most`` that keeps at least ``least_share`` of the rows as effective sample size."""
    # Most jobs that read this module optimise nothing, and the import takes longer than they run.
    from scipy.optimize import brentq

    def surplus(power):
        return size_facts(cut**power)["share"] - least_share

    return most if surplus(most) >= 0 else float(brentq(surplus, 0, most, xtol=1e-6))


def refusal_or_flattening(share, power, options):
    """Return a sentence on weights that are refused or flattened, or an empty string."""
    if share < options["refuse_below"]:
        return (
            f"Weights are refused: their effective sample size would be {100 * share:.1f} % of the training rows, less "
            f"than {100 * options['refuse_below']:g} %, so all rows get the same weight. Hardly any training row resembles a "
            "deploy row."
        )
    if power < options["flatten"]:
        return (
            f"Weights are raised to the power {power:.2f}, as their effective sample size would otherwise be "
            f"{100 * share:.0f} % of the training rows, less than {100 * options['flatten_below']:g} %."
        )
    return ""


def size_facts(weight):
    """Return the number of rows, their effective sample size (also as a share), and the largest weight."""
    size = effective_sample_size(weight)
    return {
        "rows": len(weight),
        "effective_sample_size": size,
        "share": size / len(weight),
        "largest": float(weight.max()),
    }


def effective_sample_size(weight):
    """Return (sum w)^2 / sum w^2 (Kish 1965): the number of equally weighted rows that carry as much information."""
    return float(weight.sum() ** 2 / (weight**2).sum())
