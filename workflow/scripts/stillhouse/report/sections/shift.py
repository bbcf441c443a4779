"""The rows where the model will be used: how they differ from the training rows, and scores for them."""

import numpy as np

from stillhouse.columns import DEPLOY, LABEL, PART, ROW, TRUE_RATIO, WEIGHT
from stillhouse.intake import kinds
from stillhouse.report import figures
from stillhouse.report.text import METRIC_TITLES, listed, number, with_interval

MOST_BARS = 15


def pictures(run):
    """Return the pictures of shift; none without deploy rows."""
    if not run.shift:
        return []
    told = [column for column in run.shift["columns"] if column.get("words")]
    words = [word_picture(f"words-{place}", column) for place, column in enumerate(told, 1)]
    drawn = [column_picture(run), *words, prior_picture(run), correction_picture(run), true_ratio_picture(run)]
    return [picture for picture in drawn if picture]


def column_picture(run):
    """Return the columns that differ most."""
    columns = run.shift["columns"][:MOST_BARS]
    names, distances = [column["name"] for column in columns], [column["distance"] for column in columns]
    significant = sum(column["p"] < 0.05 for column in run.shift["columns"])
    text = (
        "Kolmogorov-Smirnov distance of numbers, total variation of categories: 0 is no shift, 1 is no overlap. "
        f"{encoded_sentence(columns)}Significantly shifted columns: {significant} (p below 0.05, adjusted by Holm)."
    )
    return figures.Picture("shift", figures.bars(names, {"distance": distances}, "distance"), "How far columns differ", text)


def encoded_sentence(columns):
    """Return what the distances of texts and of pictures are, where there are any."""
    shown = {column["kind"] for column in columns}
    said = {
        kinds.TEXT: "Of texts it is that of the number of words, or of the word that moved most. ",
        kinds.IMAGE: "Of pictures it is that of their brightness. ",
    }
    return "".join(text for kind, text in said.items() if kind in shown)


def word_picture(name, column):
    """Return the words of a column of texts that are clearly more, or less, frequent among deploy rows."""
    words = column["words"]
    series = {"training rows": [word["train"] for word in words], "deploy rows": [word["deploy"] for word in words]}
    drawn = figures.bars([word["word"] for word in words], series, "share of texts that have the word")
    text = (
        "Words whose shares of texts differ most clearly between training and deploy rows (p below 0.05, adjusted for how many "
        "words there are). A model has learned little of a word that few training rows have."
    )
    return figures.Picture(name, drawn, f"Words of {column['name']} that moved", text)


def prior_picture(run):
    """Return the shares of classes among training rows, and of deploy rows as estimated and observed; None for a regression."""
    labels = run.shift.get("labels")
    if not labels:
        return None
    series = {"training rows": labels["before"], "deploy rows, estimated": labels["em"]["prior"]}
    observed = run.table.loc[run.table[PART] == DEPLOY, LABEL].dropna().to_numpy(int)
    if len(observed):
        series["deploy rows, observed"] = (np.bincount(observed, minlength=len(run.task.classes)) / len(observed)).tolist()
    text = (
        f"Estimated by maximum likelihood from predictions of {run.quoted(run.shift['reference'])}. Valid only if "
        "nothing but these shares has changed."
    )
    return figures.Picture("mixture", figures.bars(run.task.classes, series, "share"), "Shares of classes", text)


def correction_picture(run):
    """Return the Brier score of labelled deploy rows before and after correction for label shift; None without a correction."""
    names = [name for name, metrics in run.metrics.items() if "deploy_corrected" in metrics]
    if not names:
        return None
    populations = {"as predicted": "deploy", "corrected for label shift": "deploy_corrected"}
    series = {title: [run.value(name, "brier", part) for name in names] for title, part in populations.items()}
    text = "Brier score on labelled deploy rows; less is better. The correction holds if only the class prior has changed."
    drawn = figures.bars(names, series, "Brier score", title=run.title)
    return figures.Picture("corrected", drawn, "Correction for label shift", text)


def true_ratio_picture(run):
    """Return estimated against true density ratios; None unless a challenge drew the deploy rows."""
    if not run.shift["truth"]:
        return None
    known = run.weights.merge(run.table[[ROW, TRUE_RATIO]], on=ROW)
    drawn = figures.scatter(np.log(known[TRUE_RATIO]), np.log(known[WEIGHT]), "true log ratio", "estimated log ratio", True)
    correlation = run.shift["truth"]["log_ratio_correlation"]
    text = (
        "The deploy rows were drawn by `challenge`, so the true density ratio is known. "
        f"Its correlation with the estimate is {correlation:.2f}, both as logarithms."
    )
    return figures.Picture("ratio", drawn, "Estimated and true density ratio", text)


def sentences(run):
    """Return the diagnosis, what it means for weights, and the effect of the correction for label shift."""
    return [run.shift["reason"], weight_sentence(run), correction_sentence(run)] if run.shift else []


def deploy_sentence(run):
    """Return the model with the best main metric on labelled deploy rows; empty without such rows, or where it leads anyway."""
    names = [name for name, metrics in run.metrics.items() if "deploy" in metrics]
    scores = {name: value for name in names if (value := run.value(name, population="deploy")) is not None}
    if not scores:
        return ""
    best = (max if run.more_is_better else min)(scores, key=scores.get)
    if best == run.leader:
        return ""
    deploy = run.metrics[best]["deploy"]
    score = with_interval(deploy["metrics"][run.main])
    title = f"best {METRIC_TITLES[run.main]} of {len(scores)}"
    return f"On {deploy['rows']:,} labelled deploy rows, {run.quoted(best)} has the {title}, {score}."


def drop_sentence(run):
    """Return how the leading model scores where it is used, compared with held-out rows; empty without labelled deploy rows."""
    metrics = run.metrics[run.leader]
    if "deploy" not in metrics:
        return ""
    before, after = (metrics[part]["metrics"][run.main] for part in ("held_out", "deploy"))
    rows, title = metrics["deploy"]["rows"], METRIC_TITLES[run.main]
    if after["value"] is None:
        return f"Its {title} on {rows:,} labelled deploy rows cannot be computed, as all are of one class."
    opening, known = f"On {rows:,} labelled deploy rows, where it is to be used, its {title} is", number(before["value"])
    if not are_clearly_different(before, after):
        return f"{opening} not clearly different: {with_interval(after)}; on held-out rows it is {known}."
    change = "worse" if (after["value"] < before["value"]) == run.more_is_better else "better"
    return f"{opening} {change} than the {known} on held-out rows: {with_interval(after)}."


def are_clearly_different(first, second):
    """Return whether the interval of the difference of two independent estimates leaves out 0 (Zou & Donner 2008)."""
    if None in (first["low"], second["low"]):
        return False
    lower, upper = sorted((first, second), key=lambda estimate: estimate["value"])
    return upper["value"] - lower["value"] > np.hypot(upper["value"] - upper["low"], lower["high"] - lower["value"])


def weighted_sentence(run):
    """Return the scores that weights estimated for deploy rows and that their labels refute; empty if there are none."""
    metrics = run.metrics[run.leader]
    if not {"deploy", "deploy_weighted"} <= set(metrics):
        return ""
    pairs = {name: (found, metrics["deploy"]["metrics"][name]) for name, found in metrics["deploy_weighted"]["metrics"].items()}
    wrong = [name for name, (_, seen) in pairs.items() if seen["value"] is not None and are_clearly_different(*pairs[name])]
    if not wrong:
        return ""
    shown = run.main if run.main in wrong else wrong[0]
    estimate, seen = map(with_interval, pairs[shown])
    others = listed([METRIC_TITLES[name] for name in wrong if name != shown])
    return (
        f"Scores of {run.quoted(run.leader)} that weights estimate for deploy rows are refuted by their labels: "
        f"{METRIC_TITLES[shown]} {estimate} weighted, {seen} observed{f'; so are {others}' if others else ''}. Deploy rows "
        "differ by more than the columns that weights are made of, so that weighted scores say nothing of them."
    )


def weight_sentence(run):
    """Return the effective sample size of the shift weights, or why they were refused or flattened."""
    if not run.shift:
        return ""
    facts = run.shift["weights"]
    if facts.get("note"):
        return facts["note"]
    if facts["share"] > 0.999:
        return ""
    warning = " Scores weighted for deploy rows are therefore uncertain." if facts["share"] < 0.3 else ""
    return (
        f"Weighted for deploy rows, the {facts['rows']:,} training rows have an effective sample size of "
        f"{facts['effective_sample_size']:,.0f}.{warning}"
    )


def correction_sentence(run):
    """Return the effect of correcting the reference model for label shift, where that is recommended and can be scored."""
    reference = run.shift["reference"]
    if run.shift["recommended"] != "label" or "deploy_corrected" not in run.metrics[reference]:
        return ""
    before, after = (number(run.value(reference, "brier", part)) for part in ("deploy", "deploy_corrected"))
    return (
        f"Corrected for the new class prior, {run.quoted(reference)} has a Brier score of {after} on labelled deploy rows "
        f"({before} without correction)."
    )
