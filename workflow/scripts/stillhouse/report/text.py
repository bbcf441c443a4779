"""How numbers, names and methods are written in the report and on the model card."""

from stillhouse.config.dataset import as_list
from stillhouse.config.models import method_folder, verb

METRIC_TITLES = {
    "auc": "AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "tuned_balanced_accuracy": "balanced accuracy, tuned threshold",
    "recall_at_precision": "recall at a threshold chosen for precision",
    "calibration_error": "calibration error",
    "calibration_slope": "calibration slope",
    "calibration_intercept": "calibration intercept",
    "f1": "F1",
    "mcc": "MCC",
    "cost": "misclassification cost, tuned threshold",
    "pinball": "pinball loss",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
}


# From this size on, numbers are written without decimals.
LARGE = 100


def number(value, beside=()):
    """Return a number as text, with three decimals, or none if it or one ``beside`` it is large; a dash for a missing one."""
    if value is None or value != value:
        return "–"
    is_large = any(abs(one) >= LARGE for one in (value, *beside))
    # Without the sign that a rounded 0 may have.
    return f"{value:z,.0f}" if is_large else f"{value:z.3f}"


def short(value):
    """Return a number as text, with as few digits as say something: 0.25, 63, 12,400."""
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"


def signed(value, beside=()):
    """Return a difference as text, with its sign, as ``number`` does."""
    text = number(value, beside)
    return text if text == "–" or text.startswith("-") else f"+{text}"


def percent(share):
    """Return a share as text; one that is nearly whole is not written as if it were."""
    text = f"{100 * share:.3g} %"
    return "> 99.9 %" if text == "100 %" and share < 1 else text


def p_value(p):
    """Return a p-value as text."""
    if p != p:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def with_interval(estimate):
    """Return a metric as text, with its interval if it has one."""
    if estimate["low"] is None or estimate["low"] != estimate["low"]:
        return number(estimate["value"])
    value, low, high = together(estimate["value"], estimate["low"], estimate["high"])
    return f"{value} ({low} to {high})"


def together(*values, write=number):
    """Return numbers that stand together as texts with equally many decimals."""
    known = [value for value in values if value is not None and value == value]
    return [write(value, known) for value in values]


def with_interval_in_percent(estimate):
    """Return a share as text, with its interval; a dash for none."""
    if not estimate:
        return "–"
    if estimate["low"] is None or estimate["low"] != estimate["low"]:
        return percent(estimate["value"])
    return f"{percent(estimate['value'])} ({percent(estimate['low'])} to {percent(estimate['high'])})"


def gap_with_interval(line):
    """Return the gap of two models as text, with its interval."""
    gap, low, high = together(line["gap"], line["gap_low"], line["gap_high"], write=signed)
    return f"{gap} ({low} to {high})"


def ratio(value, more, less, equal):
    """Return a ratio as text, such as ``3 times faster``, ``2 times slower`` or, near 1, ``about as fast``."""
    if 0.9 < value < 1.1:
        return f"about as {equal}"
    return f"{short(value)} times {more}" if value >= 1 else f"{short(1 / value)} times {less}"


def listed(names):
    """Return names as an enumeration in a sentence."""
    return "".join(names) if len(names) < 2 else f"{', '.join(names[:-1])} and {names[-1]}"


def preparation_title(prepare):
    """Return the steps of a preparation as text."""
    steps = {"impute": "imputed by", "weigh": "weighted by", "resample": "resampled by"}
    return ", ".join(f"{steps[step]} {choice}" for step, choice in prepare.items() if choice != "none") or "no preparation"


def how_made(model, task):
    """Return a short description of how a model is made."""
    made_by = verb(model)
    options = model[made_by]
    if made_by == "read":
        return "predictions made outside this workflow"
    if made_by == "stack":
        members = options["members"]
        return f"{options['method']} of {', '.join(members)}" if len(members) > 1 else f"{members[0]}, {options['method']}"
    is_bagged = options.get("bag") and method_folder(model) == "estimators"
    ensemble = (
        f", a bag of {options['bag']}" if is_bagged else f", boosted {options['boost']} times" if options.get("boost") else ""
    )
    taught = f", distilled from {listed(as_list(options['teacher']))}" if made_by == "distill" else ""
    taught += f", also on {listed(options['transfer'])} rows" if options.get("transfer") else ""
    method = "ridge" if task == "regression" and options["method"] == "logistic" else options["method"]
    prepare = model.get("prepare", {})
    prepared = f"; {preparation_title(prepare)}" if set(prepare.values()) - {"none"} else ""
    return f"{method}{ensemble}{taught}{prepared}"
