"""Sentences and lines of tables on what a number rests on: the control, tests of pairs, prices, sets, slices, bags."""

from scipy.stats import norm

from stillhouse.columns import BAG, PHASE
from stillhouse.report.words import METRIC_WORDS, listed, number, signed, with_interval

# The level of the interval that a control must keep to, so that a run without a leak is hardly ever called one with.
CONTROL_LEVEL = 0.999
# An AUC that is little to lose.
LITTLE = 0.01
# What a metric is where nothing can be predicted; of R² anything below is as good.
NOTHING = {"auc": 0.5, "r2": 0.0}


def control_interval(found, level):
    """Return a metric's interval at the level of controls, by the ends that it has at the level of the run."""
    factor = norm.ppf((1 + CONTROL_LEVEL) / 2) / norm.ppf((1 + level) / 2)
    return found["value"] - factor * (found["value"] - found["low"]), found["value"] + factor * (found["high"] - found["value"])


def judged(control, main):
    """Return what is said of each control, by whether its interval leaves out what it should hold."""
    name, said = main if main in NOTHING else "r2", {True: [], False: []}
    for model, metrics in control["metrics"].items():
        found = metrics["held_out"]["metrics"][name]
        if found["value"] is None or found["low"] is None:
            continue
        low, high = control_interval(found, control["level"])
        leaks = low > NOTHING[name] or (name == "auc" and high < NOTHING[name])
        said[leaks].append(f"{model} has an {METRIC_WORDS[name]} of {number(found['value'])} ({number(low)} to {number(high)})")
    return said


def control_alarm(control, main):
    """Return what is said in red where shuffled labels could be predicted, or nothing."""
    leaks = judged(control, main)[True]
    if not leaks:
        return ""
    return (
        f"Something leaks: on labels that were shuffled, so that nothing can be learned, {listed(leaks)}. "
        "No score on this page can be trusted until it is found out why."
    )


def control_words(control, main):
    """Return how the controls did where nothing leaks, or nothing where there is none."""
    found = judged(control, main)
    if found[True] or not found[False]:
        return ""
    return f"On labels that were shuffled {listed(found[False])}, as it should: no leak is seen."


def winner_words(comparison, pairs):
    """Return whether the leading model is better than the others by tests over rows and, where there are several, folds."""
    leader, others = comparison["model"].iloc[0], comparison.iloc[1:]
    if not len(others):
        return ""
    over = "rows and folds" if pairs["p_folds"].notna().any() else "rows, as one fold tells nothing of training sets and seeds"
    tests = f"{len(pairs)} paired tests, Holm-adjusted, over {over}"
    close = others.loc[~others["behind"], "model"].tolist()
    if not close:
        return f"{leader} is better than every other model ({tests})."
    beaten = f"; {len(others) - len(close)} others are behind" if len(close) < len(others) else ""
    return f"There is no winner: {leader} is not better than {listed(close)} by more than chance explains ({tests}){beaten}."


def price_words(prices, metrics, main, leader):
    """Return what the cheapest of the models that lose little costs beside the leading one; nothing where it is itself."""
    if leader not in prices or main != "auc":
        return ""
    value = {name: metrics[name]["held_out"]["metrics"][main]["value"] for name in prices}
    near = [name for name in prices if value[leader] - value[name] <= LITTLE]
    best = min(near, key=lambda name: prices[name]["milliseconds"])
    if best == leader:
        return ""
    faster = prices[leader]["milliseconds"] / prices[best]["milliseconds"]
    smaller = prices[leader]["bytes"] / prices[best]["bytes"]
    return (
        f"{best} has {number(value[leader] - value[best])} less, is {times(faster, 'faster', 'slower')} "
        f"and {times(smaller, 'smaller', 'larger')}."
    )


def times(ratio, more, less):
    """Return a ratio as so many times more, or less."""
    return f"{ratio:.3g} times {more}" if ratio >= 1 else f"{1 / ratio:.3g} times {less}"


def coverage_words(metrics, leader, schema, wanted):
    """Return what the leading model's conformal sets cover, and how large they are."""
    found = metrics[leader]["held_out"]["conformal"]
    if not found:
        return ""
    what = f"{number(found['size'])} classes on average" if schema["classes"] else f"{number(found['size'])} wide on average"
    return (
        f"Its conformal sets ({what}) hold the truth for {share(found['value'])} of rows ({share(found['low'])} to "
        f"{share(found['high'])}) where {share(wanted)} are wanted."
    )


def share(value):
    """Return a share as it stands in text."""
    return f"{100 * value:.3g} %"


def slice_words(slices, reference):
    """Return where the reference model does worse than elsewhere by more than chance explains, the worst first, or nothing."""
    worse = slices[slices["worse"].astype(bool)].sort_values("loss", ascending=False)
    if not len(worse):
        return ""
    line = worse.iloc[0]
    others = len(worse) - 1
    further = {0: "", 1: "; one more slice does clearly worse"}.get(others, f"; {others} more do too")
    return (
        f"{reference} errs most where {line['slice']} ({line['rows']:,} rows): a mean loss of {number(line['loss'])}, "
        f"elsewhere {number(line['loss_elsewhere'])}{further}."
    )


def slice_lines(slices):
    """Return the rows of the table of slices, in words."""
    return [
        {
            "slice": line["slice"],
            "found": line["found"],
            "rows": line["rows"],
            "value": with_interval({key: none_or(line[key]) for key in ("value", "low", "high")}),
            "loss": with_interval(
                {key: line[f"loss{part}"] for key, part in (("value", ""), ("low", "_low"), ("high", "_high"))}
            ),
            "elsewhere": number(line["loss_elsewhere"]),
            "worse": line["worse"],
        }
        for line in slices.to_dict("records")
    ]


def none_or(value):
    """Return a number, or None for one that is missing."""
    return None if value != value else value


def pair_lines(pairs):
    """Return the rows of the table of pairs, in words."""
    return [
        {
            "model": line["model"],
            "other": line["other"],
            "gap": f"{signed(line['gap'])} ({signed(line['gap_low'])} to {signed(line['gap_high'])})",
            "p_rows": chance(line["p_rows"]),
            "p_folds": chance(line["p_folds"]),
            "p_adjusted": chance(line["p_adjusted"]),
            "verdict": "better" if line["better"] else "no clear difference",
        }
        for line in pairs.to_dict("records")
    ]


def chance(p):
    """Return a p-value as it stands in text."""
    if p != p:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def leaf_lines(surrogate):
    """Return the leaves of the surrogate tree, in words."""
    if surrogate is None:
        return []
    return [
        {**leaf, "says": leaf["says"] if isinstance(leaf["says"], str) else number(leaf["says"])}
        for leaf in surrogate["leaves"]
    ]


def surrogate_words(surrogate, reference, schema):
    """Return how near the surrogate tree comes to the model that it stands for, or nothing."""
    if surrogate is None:
        return ""
    classes = schema["classes"]
    if classes and len(classes) > 2:
        said = f"names the likeliest class of {reference} for {share(surrogate['fidelity'])} of rows that it was not fitted on"
    else:
        what = f"the probability of {classes[1]}" if classes else "the value"
        said = f"explains {share(surrogate['fidelity'])} of the spread of {what} that {reference} states, on rows not fitted on"
    return f"A tree of depth three {said}. It tells what the model says, not what is true."


def bag_words(histories):
    """Return the out-of-bag scores of bagged models in the split that is shown, a sentence each."""
    said = []
    for name, history in histories.items():
        lines = history[history[PHASE] == BAG]
        if len(lines):
            mean = lines["score"].mean()
            said.append(
                f"Out of bag, by members that had not drawn a row, {name} scores {number(mean)} (AUC, of values R²) on the rows"
                " that it was fitted on."
            )
    return said
