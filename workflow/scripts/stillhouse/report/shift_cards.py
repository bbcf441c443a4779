"""Cards of what lies elsewhere and later: shift of the deploy rows, and drift in later batches."""

import numpy as np

from stillhouse.columns import ROW, TRUE_RATIO, WEIGHT
from stillhouse.report import figures, words
from stillhouse.report.cards import MOST_BARS, card


def shift_cards(run):
    """Return what has moved, and where the truth is known how near the estimates come to it."""
    if not run["shift"]:
        return []
    made = [moved_columns_card(run), mixture_card(run), corrected_card(run), true_ratio_card(run)]
    return [item for item in made if item]


def moved_columns_card(run):
    """Return which columns have moved."""
    columns = run["shift"]["columns"][:MOST_BARS]
    figure = figures.bars(
        [column["name"] for column in columns], {"distance": [column["distance"] for column in columns]}, "distance"
    )
    moved = sum(column["p"] < 0.05 for column in run["shift"]["columns"])
    text = (
        "Kolmogorov-Smirnov distance of numbers, total variation of categories; 0 is no shift, 1 no overlap. "
        f"{moved} have moved by more than chance explains (Holm-adjusted p below 0.05)."
    )
    return card("shift", figure, "Columns that have moved", text)


def mixture_card(run):
    """Return the class mixture before and as estimated for deploy rows, or nothing for a regression."""
    shift = run["shift"]
    if not shift.get("labels"):
        return None
    series = {"labelled rows": shift["labels"]["before"], "deploy rows, estimated": shift["labels"]["em"]["prior"]}
    text = f"By maximum likelihood on what {shift['reference']} says of deploy rows, if only the mixture has moved."
    return card("mixture", figures.bars(run["schema"]["classes"], series, "share"), "Class mixture", text)


def corrected_card(run):
    """Return the Brier score of labelled deploy rows before and after correction for label shift, where there are any."""
    corrected = {name: found for name, found in run["metrics"].items() if "deploy_corrected" in found}
    if not corrected:
        return None
    parts = {"as predicted": "deploy", "corrected for label shift": "deploy_corrected"}
    series = {
        title: [found[part]["metrics"]["brier"]["value"] for found in corrected.values()] for title, part in parts.items()
    }
    text = "Brier score on labelled deploy rows, less is better. The correction holds if only the class mixture has moved."
    return card("corrected", figures.bars(list(corrected), series, "Brier score"), "Corrected for label shift", text)


def true_ratio_card(run):
    """Return estimated against true density ratios, where a challenge moved the rows."""
    if not run["shift"]["truth"]:
        return None
    known = run["weights"].merge(run["table"][[ROW, TRUE_RATIO]], on=ROW)
    figure = figures.scatter(np.log(known[TRUE_RATIO]), np.log(known[WEIGHT]), "true log ratio", "estimated log ratio", True)
    correlation = run["shift"]["truth"]["log_ratio_correlation"]
    text = f"A challenge moved these rows, so the truth is known: correlation {correlation:.2f}."
    return card("ratio", figure, "Estimated and true density ratio", text)


def drift_cards(run, main):
    """Return for each followed model how it did on later batches, and the watch over its loss."""
    return [item for name in run["drift"] for item in followed_cards(run, name, main)]


def followed_cards(run, name, main):
    """Return how a model did on later batches, and the watch over its loss."""
    drift = run["drift"][name]
    batches, alarms = [found["batch"] for found in drift["batches"]], drift["alarms"]
    series = {
        state: [found["states"][state][main]["value"] for found in drift["batches"]] for state in drift["batches"][0]["states"]
    }
    figure = figures.by_batch(batches, series, [alarm["batch"] for alarm in alarms], words.METRIC_WORDS[main])
    scores = card(
        f"drift-{name}",
        figure,
        f"{name} on later batches",
        "Each batch is predicted before it is learned from: by the shipped model as it is (frozen), trained on with every "
        "batch since (updated), and made anew from all rows so far (retrained). Dotted: alarms.",
    )
    figure = figures.watch(drift["statistic"], drift["threshold"], [alarm["after_rows"] for alarm in alarms])
    text = f"Page-Hinkley statistic. {words.alarm_words(alarms)}"
    return [scores, card(f"watch-{name}", figure, f"Has {name} met another world?", text)]
