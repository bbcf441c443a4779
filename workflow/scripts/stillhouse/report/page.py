"""From the files of a run to one page that needs no network."""

import platform
from importlib.metadata import version
from pathlib import Path

import jinja2
import pandas as pd
import yaml

from stillhouse import __version__
from stillhouse.columns import GROUP, TIME
from stillhouse.metrics import LESS_IS_BETTER, main_metric
from stillhouse.report import cards, shift_cards, words

PROBABILITY_TITLES = {
    "binary": "How the probabilities hold",
    "multiclass": "Where the leading model errs",
    "regression": "How predictions and truth lie",
}
LIBRARIES = ("snakemake", "torch", "pytorch-lightning", "scikit-learn", "imbalanced-learn", "lightgbm", "pandas", "numpy")


def render(run, template):
    """Return the page as HTML; ``run`` has the files of a run by name, see ``report.py``."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["number"] = words.number
    main = main_metric(run["schema"]["task"])
    return environment.from_string(template).render(
        dataset=run["dataset"],
        schema=run["schema"],
        verdict=words.verdict(run, main, more_is_better=main not in LESS_IS_BETTER),
        sections=[section for section in sections(run, main) if section["cards"]],
        metrics=list(next(iter(run["metrics"].values()))["held_out"]["metrics"]),
        metric_words=words.METRIC_WORDS,
        lines=table_lines(run, main),
        students=words.student_lines(run["students"], run["schema"]["classes"]),
        costs=run["costs"],
        taken_over=words.taken_over(run["models"]),
        main=main,
        config=yaml.safe_dump(run["config"], sort_keys=False, allow_unicode=True),
        versions={
            "stillhouse": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        seed=run["config"]["seed"],
        k=run["config"]["folds"]["k"],
        timed=TIME in run["table"],
        grouped=GROUP in run["table"],
        level=run["settings"]["level"],
    )


def by_model(paths):
    """Return the tables of each model, one below the other; the model is the folder above that of the split."""
    tables = {}
    for path in map(Path, paths):
        tables.setdefault(path.parts[-3], []).append(pd.read_parquet(path))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}


def table_lines(run, main):
    """Return the comparison's rows for the page, each metric with its interval in words."""
    lines = []
    for line in run["comparison"].to_dict("records"):
        found = run["metrics"][line["model"]]
        lines.append(
            {
                "model": line["model"],
                "made": words.how_made(run["models"][line["model"]], run["schema"]["task"]),
                "metrics": {name: words.with_interval(value) for name, value in found["held_out"]["metrics"].items()},
                "weighted": words.with_interval(found["deploy_weighted"]["metrics"][main])
                if "deploy_weighted" in found
                else "",
                "deploy": words.with_interval(found["deploy"]["metrics"][main]) if "deploy" in found else "",
                "behind": line["behind"],
            }
        )
    return lines


def sections(run, main):
    """Return the page's sections in reading order: a title and cards with a figure and a sentence each."""
    return [
        {"title": "How good the models are", "cards": cards.score_cards(run, main)},
        {"title": "Teacher, student and twin", "cards": cards.student_cards(run, main)},
        {"title": "Balanced classes or a tuned threshold", "cards": cards.balancing_cards(run)},
        {"title": PROBABILITY_TITLES[run["schema"]["task"]], "cards": cards.probability_cards(run)},
        {"title": "The data", "cards": cards.data_cards(run)},
        {"title": "The rows where the model will be used", "cards": shift_cards.shift_cards(run)},
        {"title": "Later batches", "cards": shift_cards.drift_cards(run, main)},
        {"title": "Training", "cards": cards.training_cards(run)},
    ]
