"""How good the models are: the ranking, whether the leading model is better than the others, and every metric."""

import pandas as pd

from stillhouse.columns import GROUP
from stillhouse.report import figures
from stillhouse.report.text import METRIC_TITLES, gap_with_interval, how_made, listed, number, p_value, with_interval


def pictures(run):
    """Return the ranking of all models, and the weights of each stack's members."""
    names, units = run.comparison["model"].tolist(), "groups" if GROUP in run.table else "rows"
    weighted = None
    if all("deploy_weighted" in run.metrics[name] for name in names):
        weighted = [run.value(name, population="deploy_weighted") for name in names]
    text = f"Lines are {100 * run.settings['level']:g} % bootstrap intervals over {units}."
    drawn = ranking_of(run, names, run.main, weighted)
    return [
        figures.Picture("ranking", drawn, f"{METRIC_TITLES[run.main]} of every model", text),
        *(stack_picture(run, name) for name, weights in run.stack_weights.items() if len(set(weights.values())) > 1),
    ]


def stack_picture(run, name):
    """Return the weights of a stack's members."""
    weights = run.stack_weights[name]
    drawn = figures.bars(list(weights), {"weight": list(weights.values())}, label="weight", title=run.title)
    return figures.Picture(f"stack-{name}", drawn, f"The members of {name}", "The weight of each member's logits or values.")


def ranking_of(run, models, metric, weighted=None):
    """Draw a metric of some models on held-out rows, with intervals; see ``figures.ranking``."""
    lines = [{"name": model, **run.metrics[model]["held_out"]["metrics"][metric]} for model in models]
    estimates = pd.DataFrame(lines)[["name", "value", "low", "high"]]
    return figures.ranking(estimates, METRIC_TITLES[metric], weighted=weighted, title=run.title)


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
        f"{number(best['high'])}).{over_folds}"
    )


def winner_sentence(run):
    """Return whether the leading model is significantly better than all, some or none of the others."""
    others, leader = run.comparison.iloc[1:], run.quoted(run.leader)
    if not len(others):
        return ""
    over = "rows and folds" if run.pairs["p_folds"].notna().any() else "rows alone, as one fold cannot show the effect of seeds"
    tests = f"{len(run.pairs)} paired tests over {over}, adjusted by Holm"
    equal = [run.quoted(name) for name in others.loc[~others["behind"], "model"]]
    if not equal:
        return f"{leader} is significantly better than every other model ({tests})."
    beaten = len(others) - len(equal)
    worse = f"; it is significantly better than the other {beaten}" if beaten else ""
    return f"There is no clear winner: {leader} is not significantly better than {listed(equal)}{worse} ({tests})."


def table_lines(run):
    """Return a line for each model: how it is made, and its metrics with intervals, as text."""
    return [
        {
            "model": run.title(line["model"]),
            "made": how_made(run.models[line["model"]], run.task.kind),
            "metrics": {name: with_interval(value) for name, value in metrics["held_out"]["metrics"].items()},
            "weighted": main_metric_on(run, metrics, "deploy_weighted"),
            "deploy": main_metric_on(run, metrics, "deploy"),
            "behind": line["behind"],
        }
        for line, metrics in ((line, run.metrics[line["model"]]) for line in run.comparison.to_dict("records"))
    ]


def main_metric_on(run, metrics, population):
    """Return the main metric on a population as text, or an empty text."""
    return with_interval(metrics[population]["metrics"][run.main]) if population in metrics else ""


def pair_lines(run):
    """Return a line for each pair of models: the gap, its p-values and the verdict, as text."""
    return [
        {
            "model": run.title(line["model"]),
            "other": run.title(line["other"]),
            "gap": gap_with_interval(line),
            **{key: p_value(line[key]) for key in ("p_rows", "p_folds", "p_adjusted")},
            "verdict": "better" if line["better"] else "not significant",
        }
        for line in run.pairs.to_dict("records")
    ]
