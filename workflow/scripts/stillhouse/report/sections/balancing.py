"""Balanced classes or a tuned threshold: resampled models beside the same models without resampling."""

from stillhouse.report import figures
from stillhouse.report.sections.scores import ranking_of
from stillhouse.report.text import METRIC_TITLES, number

TEXTS = {
    "tuned_balanced_accuracy": "Each model uses the threshold that was tuned on its stop rows, which are set aside from its "
    "training rows. Resampling is worth it only if it beats the same model without resampling.",
    "brier": "Probabilities are on the original class prior: the effect of resampling on the prior is undone. Less is better.",
}
TEXTS_OF_VALUES = {
    "rmse": "Every row counts alike here. Weights by rarity are worth it where errors at rare values matter more than this.",
}


def pictures(run):
    """Return balanced accuracy and Brier score of each resampled model beside its counterpart without resampling."""
    names = list(dict.fromkeys(name for pair in run.plain.items() for name in pair))
    if not names:
        return []
    texts = TEXTS if run.task.classes else TEXTS_OF_VALUES
    titles = {metric: METRIC_TITLES[metric][0].upper() + METRIC_TITLES[metric][1:] for metric in texts}
    return [
        figures.Picture(f"balancing-{metric}", ranking_of(run, names, metric), titles[metric], text)
        for metric, text in texts.items()
    ]


def sentences(run):
    """Return for each resampled model how it compares with its counterpart without resampling."""
    return [sentence(run, name, plain) for name, plain in run.plain.items()]


def sentence(run, name, plain):
    """Return how a resampled model compares with its counterpart, each at its tuned threshold."""
    resampler = run.models[name]["prepare"]["resample"]

    def both(metric):
        return [number(run.value(model, metric)) for model in (name, plain)]

    if not run.task.classes:
        rmse, mae = both("rmse"), both("mae")
        return (
            f"With {resampler}, {run.quoted(name)} has an RMSE of {rmse[0]} and an MAE of {mae[0]}; without weights by value "
            f"it has {rmse[1]} and {mae[1]}."
        )
    tuned, brier = both("tuned_balanced_accuracy"), both("brier")
    return (
        f"With {resampler}, {run.quoted(name)} has a balanced accuracy of {tuned[0]} at its tuned threshold and a Brier "
        f"score of {brier[0]}; without resampling it has {tuned[1]} and {brier[1]}."
    )
