"""Training: losses of networks, learning-rate range tests, out-of-bag scores, and what is made from what."""

import json

import numpy as np
from matplotlib.ticker import MaxNLocator

from stillhouse.columns import BAG, BOOST, EPOCHS, PHASE, RANGE_TEST, SEARCH, SETTINGS, SPLIT
from stillhouse.config.models import upstream, verb
from stillhouse.report import figures
from stillhouse.report.sections.students import chosen_sentences
from stillhouse.report.text import listed, number, percent, preparation_title


def pictures(run):
    """Return the losses and range tests of all networks, and the graph of models."""
    return [*loss_pictures(run), graph_picture(run)]


def loss_pictures(run):
    """Return the losses of networks by epoch and, for those with ``rate: auto``, by learning rate."""
    split = run.shown_split
    shown = {name: history[history[SPLIT] == split] for name, history in run.histories.items()}
    epochs, tests = (
        {run.title(name): part for name, history in shown.items() if len(part := history[history[PHASE] == phase])}
        for phase in (EPOCHS, RANGE_TEST)
    )
    if not epochs:
        return []
    kept = (
        f"Networks of split {split}. The weights of the epoch with the lowest loss on stop rows are kept; these rows are set "
        "aside from the training rows."
    )
    text = " ".join([kept, *diverged_sentences(run), *chosen_sentences(run, shown)])
    drawn = [figures.Picture("training", loss_by_epoch(epochs), "Loss by epoch", text)]
    if tests:
        text = f"Range test of networks of split {split}: each takes a tenth of the rate with its lowest loss."
        drawn.append(figures.Picture("range-test", loss_by_rate(tests), "Loss by learning rate", text))
    return drawn


def loss_by_epoch(histories):
    """Draw the training and stop loss of each network by epoch, a panel for each model."""
    figure, panels = figures.panels_below_each_other(len(histories))
    for axes, (name, history) in zip(panels, histories.items(), strict=True):
        for network, part in history.groupby("network"):
            is_first = network == 0
            axes.plot(part["epoch"], part["loss"], color=figures.PALE, linewidth=1, label="training rows" if is_first else None)
            axes.plot(part["epoch"], part["stop_loss"], color=figures.COLOURS[0], label="stop rows" if is_first else None)
            best = part[part["kept"].astype(bool)].tail(1)
            label = "weights kept" if is_first else None
            axes.plot(best["epoch"], best["stop_loss"], "o", color=figures.COLOURS[1], label=label)
        axes.set_title(name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylabel("loss")
    panels[0].legend(loc="upper right")
    panels[-1].set_xlabel("epoch")
    return figure, figures.concatenated(histories, ["network", "epoch", "loss", "stop_loss", "kept"])


def loss_by_rate(histories):
    """Draw the smoothed loss of each network by learning rate, a panel for each model."""
    figure, panels = figures.panels_below_each_other(len(histories))
    for axes, (name, history) in zip(panels, histories.items(), strict=True):
        for _, part in history.groupby("network"):
            axes.plot(part["rate"], part["loss"], color=figures.COLOURS[0], linewidth=1)
        axes.set(title=name, xscale="log", ylabel="loss")
        axes.xaxis.set_major_formatter(lambda rate, _: f"{rate:g}")
        axes.minorticks_off()
    panels[-1].set_xlabel("learning rate")
    return figure, figures.concatenated(histories, ["network", "rate", "loss"])


def graph_picture(run):
    """Return the graph of preparations, models that learn from them, and models that learn from models."""

    def depth(name):
        return 1 + max((depth(source) for source in upstream(run.models[name])), default=0)

    edges, columns = [], {0: []}
    for name, model in run.models.items():
        columns.setdefault(depth(name), []).append(name)
        if "prepare" in model:
            chain = preparation_title(model["prepare"])
            columns[0] += [] if chain in columns[0] else [chain]
            edges.append((chain, name))
        edges += [(source, name) for source in upstream(model)]
    drawn = figures.graph([columns[number] for number in sorted(columns) if columns[number]], edges, title=run.title)
    text = "From left to right: preparations, the models that learn from them, and the models that learn from other models."
    return figures.Picture("graph", drawn, "What is made from what", text)


def diverged_sentences(run):
    """Return a sentence on networks whose loss became infinite or NaN; an empty list if there are none."""
    names = []
    for name, history in run.histories.items():
        epochs = history[history[PHASE] == EPOCHS]
        for (split, network), part in epochs.groupby([SPLIT, "network"]):
            if not np.isfinite(part["stop_loss"]).all():
                left_out = "" if part["kept"].any() else " (left out)"
                names.append(f"network {network} of {run.quoted(name)} in split {split}{left_out}")
    return [f"Diverged: {listed(names)}; a network with finite epochs before keeps the best of them."] if names else []


def bag_sentences(run):
    """Return the mean out-of-bag score of each bagged model, or why it has none."""
    sentences = []
    for name, model in run.models.items():
        if not model[verb(model)].get("bag"):
            continue
        lines = run.histories[name][run.histories[name][PHASE] == BAG]
        metric = "AUC" if run.task.classes else "R²"
        sentences.append(
            f"The out-of-bag {metric} of {run.quoted(name)} is {number(lines['score'].mean())}."
            if len(lines)
            else f"{run.quoted(name)} has no out-of-bag score, as its rows are weighted or were drawn again."
        )
    return sentences


def boost_sentences(run):
    """Return a sentence on each boosted model whose boosting ended early in some split."""
    sentences = []
    for name, history in run.histories.items():
        rounds = history.loc[history[PHASE] == BOOST, "rows"]
        asked = run.models[name][verb(run.models[name])].get("boost", 0)
        if len(rounds) and rounds.min() < asked:
            sentences.append(
                f"Boosting of {run.quoted(name)} ended after {int(rounds.min())} of {asked} rounds, as a model made no error "
                "on its training rows, or was no better than guessing. A weaker method, such as a flatter tree, boosts longer."
            )
    return sentences


def search_sentences(run):
    """Return for each model whose settings were searched what its splits chose, and of how many trials."""
    sentences = []
    for name, history in run.histories.items():
        tried = history[history[PHASE] == SEARCH]
        kept = tried.loc[tried["kept"].eq(True), SETTINGS].value_counts()
        if len(kept):
            chosen = (f"{settings_text(settings)} ({count} of {kept.sum()})" for settings, count in kept.items())
            sentences.append(
                f"For {run.quoted(name)}, splits chose by their stop rows, each from {len(tried) // kept.sum()} trials: "
                f"{'; '.join(chosen)}. Settings stay as they stand unless others are better by more than one standard error."
            )
    return sentences


def settings_text(settings):
    """Return the settings of a trial, which are JSON, as text."""
    return ", ".join(f"{key} {value}" for key, value in json.loads(settings).items())


def refit_clause(run):
    """Return which models are fitted again on all training rows of each split, and which only where they are shipped."""
    last = [run.quoted(name) for name, model in run.models.items() if model[verb(model)].get("refit") == "shipped"]
    if not last:
        return "models are fitted again on all training rows of their split"
    return (
        f"models are fitted again on all training rows of their split, but {listed(last)} only where the file to be shipped is "
        "made: their scores are of models that learned from fewer rows"
    )


def stop_sentences(run):
    """Return how many rows are set aside for early stopping, calibration and thresholds, and how they were drawn if oddly."""
    counts = sorted({facts["stop_rows"] for facts in run.samples if facts["stop_rows"]})
    if not counts:
        return []
    span = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
    uses = ["when training stops"]
    if run.task.classes:
        uses += ["how resampled models are calibrated", "at which thresholds classes are decided for"]
    notes = dict.fromkeys(facts["note"] for facts in run.samples if facts["note"])
    return [
        f"Of the training rows of each scored split, {percent(run.config['folds']['stop'])} ({span} rows) are set aside as "
        f"stop rows: models are first fitted without them, and they decide {listed(uses)}. Once this is decided, "
        f"{refit_clause(run)}.",
        *(f"In some splits, {note}." for note in notes),
    ]
