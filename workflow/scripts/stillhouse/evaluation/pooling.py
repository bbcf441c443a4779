"""What gaps leave open: metrics and predictions of a model over several imputations, pooled by Rubin's rules (1987)."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from stillhouse.columns import ROW
from stillhouse.evaluation.bounds import Bounds
from stillhouse.evaluation.intervals import draws, student
from stillhouse.evaluation.metrics import WITHOUT_INTERVAL, main_metric
from stillhouse.evaluation.prepared import Prepared
from stillhouse.evaluation.scores import as_arrays, as_float, assess, known_metrics, measures
from stillhouse.intake.folds import unit_numbers
from stillhouse.predictions.predictions import columns_of
from stillhouse.seeds import generator


@dataclass(frozen=True)
class Pooled:
    """An estimate of several imputations: its value, its variance, the degrees of freedom, and what of it gaps account for.

    ``of_gaps`` is the share of the variance that is due to gaps, ``missing`` that of the information (Rubin 1987).
    """

    value: float
    variance: float
    freedom: float
    of_gaps: float
    missing: float


def rubin(values, variances, freedom):
    """Return the pooled estimate of values of several imputations and of their variances.

    ``freedom`` has the degrees of freedom without any gap; those that remain are by Barnard & Rubin (1999, equation 3).
    """
    values, count = np.asarray(values, "float64"), len(values)
    within = float(np.mean(variances))
    # The mean of equal numbers may differ from them by a rounding error.
    between = float(values.var(ddof=1)) if np.ptp(values) else 0.0
    variance = within + (1 + 1 / count) * between
    of_gaps = (1 + 1 / count) * between / variance if variance > 0 else 0.0
    observed = (freedom + 1) / (freedom + 3) * freedom * (1 - of_gaps)
    left = 1 / (of_gaps**2 / (count - 1) + 1 / observed) if observed > 0 else count - 1.0
    increase = of_gaps / (1 - of_gaps) if of_gaps < 1 else np.inf
    missing = (increase + 2 / (left + 3)) / (increase + 1) if np.isfinite(increase) else 1.0
    return Pooled(float(values.mean()), variance, left, of_gaps, missing if between > 0 else 0.0)


def pooled_metrics(tables, protocol):
    """Return every metric that has an interval, pooled over the scored rows of each imputation, as ``{name: estimate}``.

    An estimate has ``value``, ``low``, ``high``, the values of the imputations (``imputations``), the share of its variance
    that is ``of_gaps``, and that of information that is ``missing``. A pooled interval is that of a single imputation, widened
    to the pooled variance.
    """
    first, settings = tables[0], protocol.settings
    labels, _, folds = as_arrays(first, protocol.task)
    weight = np.ones(len(first))
    bounds = Bounds(labels, bool(protocol.task.classes), unit_numbers(first), weight, settings["level"])
    values, drawn = [], []
    for rows in tables:
        known, scores = known_metrics(rows, protocol)
        metrics = measures(known, scores, Prepared(labels, folds), bounds)
        metrics = {name: metric for name, metric in metrics.items() if name not in WITHOUT_INTERVAL}
        values.append({name: as_float(metric(weight[None])) for name, metric in metrics.items()})
        drawn.append(draws(metrics, weight, bounds.units, settings["draws"], generator(protocol.seed, "bootstrap")))
    estimable = [name for name in values[0] if all(one[name] is not None for one in values)]
    freedom = bounds.units_in(slice(None)) - 1
    parts = {name: widened([one[name] for one in values], [one[name] for one in drawn], freedom, bounds) for name in estimable}
    middle, stretched = ({name: part[key] for name, part in parts.items()} for key in ("value", "drawn"))
    found = {}
    for name in filter(known.__contains__, parts):
        low, high = bounds.of(name, middle, stretched)
        of_each = [one[name] for one in values]
        found[name] = {
            "value": middle[name],
            "low": low,
            "high": high,
            "of_gaps": parts[name]["of_gaps"],
            "missing": parts[name]["missing"],
            "imputations": of_each,
        }
    return found


def widened(values, drawn, freedom, bounds):
    """Return the pooled value, what gaps account for, and bootstrap draws around the value with the pooled variance.

    ``drawn`` has those of each imputation, on the same rows. They are stretched also by Student's quantile at the degrees of
    freedom that are left, in the place of that of the rows.
    """
    drawn = np.array(drawn)
    pooled = rubin(values, np.nanvar(drawn, axis=1), freedom)
    middle = drawn.mean(axis=0)
    deviation = np.nanstd(middle)
    quantile = stdtrit(pooled.freedom, (1 + bounds.level) / 2) / student(bounds.level, freedom + 1)
    stretch = quantile * np.sqrt(pooled.variance) / deviation if deviation > 0 else 1.0
    stretched = pooled.value + stretch * (middle - pooled.value)
    return {"value": pooled.value, "of_gaps": pooled.of_gaps, "missing": pooled.missing, "drawn": stretched}


def pooled_predictions(tables, task):
    """Return the mean prediction of each row over the imputations, and how far the imputations are apart.

    ``spread`` is the standard deviation of the probability of the last class, or of the value.
    """
    names = columns_of(task.classes)
    stacked = np.stack([rows[names].to_numpy("float64") for rows in tables])
    found = tables[0][[ROW]].copy()
    found[names] = stacked.mean(axis=0)
    return found.assign(spread=stacked[:, :, -1].std(axis=0, ddof=1))


def pooling(tables, is_complete, protocol):
    """Return what gaps leave open: pooled metrics, the main metric by mean predictions, and that of complete rows alone.

    ``tables`` has the scored held-out rows of each imputation, in the same order; ``is_complete`` marks rows without a gap in
    a column of numbers, as others are not drawn.
    """
    main, names = main_metric(protocol.task), columns_of(protocol.task.classes)
    predictions = pooled_predictions(tables, protocol.task)
    mean = tables[0].assign(**{name: predictions[name].to_numpy() for name in names})
    found = {
        "imputations": len(tables),
        "rows": len(mean),
        "complete_rows": int(is_complete.sum()),
        "metrics": pooled_metrics(tables, protocol),
        "by_mean_predictions": assess(mean, protocol)["metrics"][main],
        "by_complete_rows": None,
    }
    complete = tables[0][is_complete]
    if is_scorable(complete, protocol):
        found["by_complete_rows"] = assess(complete, protocol)["metrics"][main]
    return found, predictions


def is_scorable(rows, protocol):
    """Return whether the main metric of some rows can be told with an interval: a few rows, of every class."""
    labels, _, _ = as_arrays(rows, protocol.task)
    if len(rows) < 2:
        return False
    return not protocol.task.classes or len(np.unique(labels)) == len(protocol.task.classes)
