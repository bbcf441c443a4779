"""The page: its sections in reading order, as HTML that needs no network."""

import platform
from importlib.metadata import version
from time import time

import jinja2
import yaml

from stillhouse import __version__
from stillhouse.columns import GROUP, TIME
from stillhouse.evaluation.metrics import BY_TASK
from stillhouse.report.sections import (
    balancing,
    control,
    coverage,
    data,
    drift,
    explanation,
    external,
    footprint,
    gallery,
    imputing,
    learning,
    probabilities,
    rows,
    scores,
    shift,
    students,
    threshold,
    training,
)
from stillhouse.report.text import METRIC_TITLES, percent

LIBRARIES = ("snakemake", "torch", "pytorch-lightning", "scikit-learn", "imbalanced-learn", "lightgbm", "pandas", "numpy")


def sections(run):
    """Return the sections that have pictures, in reading order, as pairs of title and pictures."""
    titled = {
        "How good the models are": scores,
        "Score against size and speed": footprint,
        "Students, teachers, and students trained on labels alone": students,
        "Resampling compared with a tuned threshold": balancing,
        probabilities.TITLES[run.task.kind]: probabilities,
        "Conformal sets": coverage,
        "What the reference model relies on": explanation,
        "Six telling rows": rows,
        "Whether the rows suffice": learning,
        "What gaps leave open": imputing,
        "Pictures": gallery,
        "The data": data,
        "Deploy rows: how they differ": shift,
        "Later batches": drift,
        "Training": training,
    }
    return [(title, pictures) for title, section in titled.items() if (pictures := section.pictures(run))]


def render(run, shown, template):
    """Return the page as HTML; ``shown`` are the ``sections`` of the run."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(template).render(
        run=run,
        sections=shown,
        alarms=control.alarms(run),
        verdict=verdict(run),
        details=details(run),
        notes=notes(run),
        lines=[*scores.table_lines(run), scores.constant_line(run)],
        pairs=scores.pair_lines(run),
        students=students.lines(run),
        columns=data.column_lines(run),
        parts=list(data.parts_of(run)),
        choice=threshold.choice(run),
        coverages=coverage.class_lines(run),
        coverages_of_groups=coverage.group_lines(run),
        slices=explanation.slice_lines(run),
        groups=explanation.group_lines(run),
        mistakes=rows.mistake_lines(run),
        leaves=explanation.leaf_lines(run),
        surrogate=explanation.surrogate_sentence(run),
        times=footprint.time_sentence(run, time()),
        metrics=shown_metrics(run),
        metric_titles=METRIC_TITLES
        | {"recall_at_precision": f"recall at a threshold chosen for {percent(run.settings['precision'])} precision"},
        config=yaml.safe_dump(own_configuration(run), sort_keys=False, allow_unicode=True),
        versions={"stillhouse": __version__, "python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
        timed=TIME in run.table,
        grouped=GROUP in run.table,
        left_out=data.left_out_reason(run),
    )


def own_configuration(run):
    """Return the configuration without other datasets, of which a reader of this report need not know."""
    return {**run.config, "datasets": {run.dataset: run.config["datasets"][run.dataset]}}


def shown_metrics(run):
    """Return the names of the metrics that models have, the main one first; the pinball loss of the median is half the MAE."""
    known = set(next(iter(run.metrics.values()))["held_out"]["metrics"])
    known -= {"pinball"} if run.settings["quantile"] == 0.5 else set()
    return [metric.__name__ for metric in BY_TASK[run.task.kind] if metric.__name__ in known]


def verdict(run):
    """Return the paragraph at the top: how good the leading model is, also where it is used, and whether it is the best."""
    sentences = [
        scores.leader_sentence(run),
        shift.drop_sentence(run),
        *scores.winner_sentences(run),
        scores.constant_sentence(run),
    ]
    return " ".join(filter(None, sentences))


def details(run):
    """Return the list of sentences below the verdict."""
    sentences = [
        scores.roles_sentence(run),
        scores.group_sentence(run),
        *students.sentences(run),
        footprint.sentence(run),
        *probabilities.calibration_sentences(run),
        *probabilities.decision_sentences(run),
        *coverage.sentences(run),
        coverage.short_sentence(run),
        *coverage.quantile_sentences(run),
        explanation.slice_sentence(run),
        explanation.group_sentence(run),
        *balancing.sentences(run),
        shift.deploy_sentence(run),
        shift.weighted_sentence(run),
        *shift.sentences(run),
        *drift.sentences(run),
        data.gap_sentence(run),
        learning.size_sentence(run),
        learning.sentence(run),
        imputing.sentence(run),
        control.sentence(run),
    ]
    return list(filter(None, sentences))


def notes(run):
    """Return the sentences on how the models were made."""
    return list(
        filter(
            None,
            [
                *training.stop_sentences(run),
                *training.bag_sentences(run),
                *training.boost_sentences(run),
                *training.search_sentences(run),
                *external.sentences(run),
            ],
        )
    )


def write_figures(shown, folder):
    """Write every picture of the sections as SVG, and its numbers as CSV."""
    folder.mkdir()
    for _, pictures in shown:
        for picture in pictures:
            (folder / f"{picture.name}.svg").write_text(f'<?xml version="1.0" encoding="utf-8"?>\n{picture.svg}')
            picture.data.to_csv(folder / f"{picture.name}.csv", index=False)
