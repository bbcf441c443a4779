"""The report's sentences: what a reader should take away, with the numbers in it."""

METRIC_WORDS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
}


def number(value):
    """Return a number as it stands in text: three decimals, or three digits where it is large."""
    if value is None or value != value:
        return "–"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"


def with_interval(found):
    """Return a metric with its interval."""
    return f"{number(found['value'])} ({number(found['low'])} to {number(found['high'])})"


def verdict(comparison, metrics, students, main, level, shift):
    """Return the paragraph on top of the report, as sentences."""
    leader = comparison["model"].iloc[0]
    best = metrics[leader]["held_out"]["metrics"][main]
    level = f"{100 * level:g} %"
    sentences = [
        f"On {metrics[leader]['held_out']['rows']:,} rows that no model saw, {leader} is ahead with an "
        f"{METRIC_WORDS[main]} of {number(best['value'])} ({level} interval {number(best['low'])} to {number(best['high'])}).",
        behind_words(comparison),
    ]
    sentences += [student_words(name, teacher, twin, metrics, main) for name, teacher, twin in students]
    if shift:
        sentences.append(shift["words"])
    return [sentence for sentence in sentences if sentence]


def behind_words(comparison):
    """Return which models are not clearly behind the leading one."""
    others = comparison.iloc[1:]
    close = others.loc[~others["behind"], "model"].tolist()
    if not len(others):
        return ""
    if not close:
        return "Every other model is behind by more than chance explains."
    return f"The gap to {listed(close)} is no larger than chance may make it: between these there is no clear winner."


def listed(names):
    """Return names as they stand in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def student_words(name, teacher, twin, metrics, main):
    """Return how a student stands beside its teacher and its twin."""
    values = {model: metrics[model]["held_out"]["metrics"][main]["value"] for model in (name, teacher, twin)}
    kept = f", {100 * values[name] / values[teacher]:.1f} % of it" if main == "auc" else ""
    return (
        f"{name}, taught by {teacher} with {number(values[teacher])}, has {number(values[name])}{kept}; the same network "
        f"taught by labels alone has {number(values[twin])}."
    )


def how_made(model):
    """Return in a few words how a model is made."""
    verb = next(verb for verb in ("train", "fit", "distill", "stack") if verb in model)
    options = model[verb]
    prepare = model.get("prepare", {})
    steps = [choice for choice in prepare.values() if choice != "none"]
    after = f" after {' + '.join(steps)}" if steps else ""
    if verb == "stack":
        return f"{options['method']} of {', '.join(options['members'])}"
    bagged = f", {options['bag']} bagged" if options.get("bag") and verb == "fit" else ""
    taught = f" taught by {options['teacher']}" if verb == "distill" else ""
    return f"{options['method']}{bagged}{taught}{after}"
