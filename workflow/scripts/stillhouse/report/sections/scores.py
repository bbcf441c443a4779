"""How good the models are: the ranking, which models may be the best, and every metric."""

import pandas as pd

from stillhouse.columns import FOLD, GROUP
from stillhouse.evaluation.intervals import prediction_interval
from stillhouse.evaluation.metrics import possible
from stillhouse.report import figures
from stillhouse.report.text import METRIC_TITLES, gap_with_interval, how_made, listed, number, p_value, with_interval

# The populations that are drawn beside held-out rows.
BESIDE = {"deploy_weighted": "weighted for deploy rows", "deploy": "on labelled deploy rows"}


def pictures(run):
    """Return the ranking of all models, and the weights of each stack's members."""
    names, units = run.comparison["model"].tolist(), "groups" if GROUP in run.table else "rows"
    beside = {
        title: [run.metrics[name][population]["metrics"][run.main] for name in names]
        for population, title in BESIDE.items()
        if all(population in run.metrics[name] for name in names)
    }
    text = f"Lines are {100 * run.settings['level']:g} % bootstrap intervals over {units}."
    drawn = ranking_of(run, names, run.main, beside)
    return [
        figures.Picture("ranking", drawn, f"{METRIC_TITLES[run.main]} of every model", text),
        *(stack_picture(run, name) for name, weights in run.stack_weights.items() if len(set(weights.values())) > 1),
    ]


def stack_picture(run, name):
    """Return the weights of a stack's members."""
    weights = run.stack_weights[name]
    drawn = figures.bars(list(weights), {"weight": list(weights.values())}, label="weight", title=run.title)
    what = "log odds" if run.task.classes else "values"
    text = f"The weight of each member's {what} in split {run.shown_split}; weights may be negative, and need not sum to 1."
    return figures.Picture(f"stack-{name}", drawn, f"The members of {name}", text)


def ranking_of(run, models, metric, beside=None):
    """Draw a metric of some models on held-out rows, with intervals; ``beside`` has those on other rows by title."""
    lines = [{"name": model, **run.metrics[model]["held_out"]["metrics"][metric]} for model in models]
    estimates = pd.DataFrame(lines)[["name", "value", "low", "high"]]
    return figures.ranking(estimates, METRIC_TITLES[metric], beside=beside, title=run.title)


def leader_sentence(run):
    """Return the score of the leading model; with repeated folds, also its mean over folds."""
    line, leader = run.comparison.iloc[0], run.metrics[run.leader]["held_out"]
    best, level, folds = leader["metrics"][run.main], f"{100 * run.settings['level']:g} %", run.config["folds"]
    verb = "leads with" if len(run.metrics) > 1 else "has"
    over_folds = (
        f" Over {folds['repeats']} times {folds['k']} folds, its mean is {number(line[f'{run.main}_folds_mean'])} "
        f"({number(line[f'{run.main}_t_low'])} to {number(line[f'{run.main}_t_high'])})."
        if folds["repeats"] > 1
        else ""
    )
    return (
        f"On {leader['rows']:,} held-out rows, each predicted by a model that was not fitted on it, {run.quoted(run.leader)} "
        f"{verb} an {METRIC_TITLES[run.main]} of {number(best['value'])} ({level} interval {number(best['low'])} to "
        f"{number(best['high'])}).{over_folds}{corrected_part(run)}"
    )


def corrected_part(run):
    """Return the leading model's score, corrected for its having been picked as the best of several; else an empty text."""
    corrected = run.comparison["corrected"].iloc[0]
    if len(run.comparison) < 2 or pd.isna(corrected):
        return ""
    picked = f"picked as the best of {len(run.comparison)} models"
    if number(corrected) == number(run.value(run.leader)):
        return f" That it was {picked} flatters it by less than is shown here."
    return f" Corrected for having been {picked}, it is {number(corrected)}."


def roles_sentence(run):
    """Return which model is explained, and which are exported, where these are not the leading one; else an empty text."""
    exported = run.config["export"]
    if {run.reference, *exported} <= {run.leader}:
        return ""
    explained = f"slices, errors by group, explanations and the learning curve are of {run.quoted(run.reference)}"
    files = f"; exported {'is' if len(exported) == 1 else 'are'} {listed(list(map(run.quoted, exported)))}" if exported else ""
    return f"Scores, probabilities and decisions at the top of this page are of {run.quoted(run.leader)}; {explained}{files}."


def winner_sentences(run):
    """Return which models may be the best, as fitted and as methods, and whether the leading one is."""
    if len(run.comparison) < 2:
        return []
    return [fitted_sentence(run), method_sentence(run)]


def fitted_sentence(run):
    """Return which of the fitted models are the best on such rows."""
    units = "groups" if GROUP in run.table else "rows"
    if run.comparison["winner_rows"].iloc[0]:
        tested = f"bootstrap over {units}, p {largest_p(run, 'p_rows')}"
        return f"On held-out rows, {run.quoted(run.leader)} is better than every other model as they were fitted ({tested})."
    return (
        f"Which of the fitted models is the best on held-out rows is open: it may be {candidates(run, 'p_best_rows')} "
        f"(each compared with the best over {units}, {100 * run.settings['level']:g} % sure for all together)."
    )


def method_sentence(run):
    """Return which methods are the best on such data, whatever rows they learn from, and whether folds are too few to tell."""
    if run.comparison["p_best_folds"].isna().any():
        return "These intervals say how much other scored rows would change, and not how much other training rows would."
    if run.comparison["winner_folds"].iloc[0]:
        tested = f"t-test over folds, p {largest_p(run, 'p_folds')}"
        return f"Its method is also better than every other on such data, whatever rows they learn from ({tested})."
    few = ""
    if run.config["folds"]["repeats"] < 2:
        few = " One set of folds shows large differences only; `folds: {repeats: 5}` shows smaller ones too."
    return f"If models were made anew of other such rows, the best may be {candidates(run, 'p_best_folds')}.{few}"


def largest_p(run, name):
    """Return the largest p-value of the leading model against another, as text; the one that decides."""
    largest = run.pairs.loc[run.pairs["model"] == run.leader, name].max()
    return p_value(largest) if largest < 0.001 else f"= {p_value(largest)}"


def candidates(run, name):
    """Return the models that may be the best by their p-values, as text."""
    is_possible = run.comparison[name] >= 1 - run.settings["level"]
    names = [run.quoted(model) for model in run.comparison.loc[is_possible, "model"]] or [run.quoted(run.leader)]
    if len(names) == len(run.comparison):
        return f"any of the {len(names)} models"
    if len(names) == 1:
        return f"{names[0]} alone, though not every gap to the others is clear by itself"
    return " or ".join([", ".join(names[:-1]), names[-1]])


def group_sentence(run):
    """Return how the leading model's score varies between groups, and what a new one may have; empty unless each is a fold."""
    rows = run.held_out(run.leader)
    if GROUP not in rows or not (rows.groupby(FOLD)[GROUP].nunique() == 1).all():
        return ""
    names, by_fold = rows.groupby(FOLD)[GROUP].first(), run.metrics[run.leader]["held_out"]["metrics"][run.main]["folds"]
    known = {names[int(fold)]: value for fold, value in by_fold.items() if value is not None}
    ends = prediction_interval(known.values(), run.settings["level"])
    if ends is None:
        return ""
    low, high = possible(run.main, max(ends[0], 0.0), ends[1])
    worst, best = (pick(known, key=known.get) for pick in (min, max))
    return (
        f"Each fold is one group, scored by models that have seen none of its rows: the {METRIC_TITLES[run.main]} of "
        f"{run.quoted(run.leader)} is between {number(known[worst])} ({worst}) and {number(known[best])} ({best}). By these "
        f"{len(known)} groups, it is roughly between {number(low)} and {number(high)} in a new one of the kind and size, "
        f"{100 * run.settings['level']:g} % sure."
    )


def constant_sentence(run):
    """Return a warning where the leading model is not clearly better than the constant model; else an empty text."""
    leader, constant = (metrics["held_out"]["metrics"][run.main] for metrics in (run.metrics[run.leader], run.constant))
    chance = 0.5 if run.main == "auc" else constant["value"]
    if leader["low"] is None or not leader["low"] <= chance <= leader["high"]:
        return ""
    return "It is not clearly better than a constant, which says the same of every row."


def constant_line(run):
    """Return the line of the constant model in the table of all numbers."""
    what = "the class shares of the training rows" if run.task.classes else "the mean of the training rows"
    return {
        "model": "constant",
        "made": f"says {what} of every row, for reference",
        "metrics": {name: (number(found["value"]), "") for name, found in run.constant["held_out"]["metrics"].items()},
        "weighted": "",
        "deploy": main_metric_on(run, run.constant, "deploy"),
        "behind": False,
    }


def parts_of(estimate):
    """Return a metric and its interval as two texts, the second one empty where there is none."""
    value, _, ends = with_interval(estimate).partition(" (")
    return value, ends.removesuffix(")")


def table_lines(run):
    """Return a line for each model: how it is made, and its metrics with intervals, as text."""
    return [
        {
            "model": run.title(line["model"]),
            "made": how_made(run.models[line["model"]], run.task.kind),
            "metrics": {name: parts_of(value) for name, value in metrics["held_out"]["metrics"].items()},
            "weighted": main_metric_on(run, metrics, "deploy_weighted"),
            "deploy": main_metric_on(run, metrics, "deploy"),
            "behind": line["behind"],
        }
        for line, metrics in ((line, run.metrics[line["model"]]) for line in run.comparison.to_dict("records"))
    ]


def main_metric_on(run, metrics, population):
    """Return the main metric on a population as text, or an empty text."""
    return parts_of(metrics[population]["metrics"][run.main]) if population in metrics else ""


def pair_lines(run):
    """Return a line for each pair of models: the gap and its p-values, as text."""
    return [
        {
            "model": run.title(line["model"]),
            "other": run.title(line["other"]),
            "gap": gap_with_interval(line),
            **{key: p_value(line[key]) for key in ("p_rows", "p_folds")},
        }
        for line in run.pairs.to_dict("records")
    ]
