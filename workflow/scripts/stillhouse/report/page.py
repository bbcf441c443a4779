"""From the files of a run to one page that needs no network."""

import platform
from importlib.metadata import version

import jinja2
import yaml

from stillhouse import __version__
from stillhouse.columns import GROUP, TIME
from stillhouse.evaluation.metrics import BY_TASK, LESS_IS_BETTER, main_metric
from stillhouse.report import cards, evidence_cards, evidence_words, shift_cards, words

PROBABILITY_TITLES = {
    "binary": "How the probabilities hold",
    "multiclass": "Where the leading model errs",
    "regression": "How predictions and truth lie",
}
LIBRARIES = ("snakemake", "torch", "pytorch-lightning", "scikit-learn", "imbalanced-learn", "lightgbm", "pandas", "numpy")


def render(run, shown, template):
    """Return the page as HTML; ``run`` has the files of a run by name, see ``report.py``, ``shown`` its ``sections``."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    environment.filters["number"] = words.number
    main = main_metric(run["schema"]["task"])
    return environment.from_string(template).render(
        dataset=run["dataset"],
        schema=run["schema"],
        verdict=verdict(run, main),
        details=words.details(run, main, more_is_better=main not in LESS_IS_BETTER),
        alarm=evidence_words.control_alarm(run["control"], main),
        sections=shown,
        pairs=evidence_words.pair_lines(run["pairs"]),
        leaves=evidence_words.leaf_lines(run["surrogate"]),
        surrogate=evidence_words.surrogate_words(run["surrogate"], run["reference"], run["schema"]),
        slices=evidence_words.slice_lines(run["slices"]),
        bags=evidence_words.bag_words(run["histories"]),
        steps=run["steps"],
        sources=run["schema"]["files"],
        weights=words.weight_words(run["shift"]["weights"]) if run["shift"] else "",
        metrics=shown_metrics(run),
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


def shown_metrics(run):
    """Return the names of the metrics that models have, the main one first."""
    known = next(iter(run["metrics"].values()))["held_out"]["metrics"]
    return [metric.__name__ for metric in BY_TASK[run["schema"]["task"]] if metric.__name__ in known]


def verdict(run, main):
    """Return the paragraph on top of the page."""
    leader, settings = run["comparison"]["model"].iloc[0], run["settings"]
    sentences = [
        words.leading_words(run, main),
        evidence_words.winner_words(run["comparison"], run["pairs"]),
        evidence_words.price_words(run["prices"], run["metrics"], main, leader),
        evidence_words.coverage_words(run["metrics"], leader, run["schema"], settings["coverage"]),
        evidence_words.slice_words(run["slices"], run["reference"]),
        evidence_words.control_words(run["control"], main),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


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


def sections(run):
    """Return the page's sections in reading order, empty ones left out: a title and cards with a figure and a sentence each."""
    main = main_metric(run["schema"]["task"])
    found = [
        {"title": "How good the models are", "cards": cards.score_cards(run, main)},
        {"title": "What each gain costs", "cards": evidence_cards.price_cards(run, main)},
        {"title": "Teacher, student and twin", "cards": cards.student_cards(run, main)},
        {"title": "Balanced classes or a tuned threshold", "cards": cards.balancing_cards(run)},
        {"title": PROBABILITY_TITLES[run["schema"]["task"]], "cards": cards.probability_cards(run)},
        {"title": "Sets that hold the truth as often as stated", "cards": evidence_cards.coverage_cards(run)},
        {
            "title": "Where it errs, and what it leans on",
            "cards": [*evidence_cards.slice_cards(run), *evidence_cards.importance_cards(run, main)],
        },
        {"title": "The data", "cards": cards.data_cards(run)},
        {"title": "The rows where the model will be used", "cards": shift_cards.shift_cards(run)},
        {"title": "Later batches", "cards": shift_cards.drift_cards(run, main)},
        {"title": "Training", "cards": [*cards.training_cards(run), evidence_cards.graph_card(run)]},
    ]
    return [section for section in found if section["cards"]]


def write_figures(shown, folder):
    """Write every figure of the sections as SVG, and beside it the numbers that it shows as CSV."""
    folder.mkdir()
    for section in shown:
        for made in section["cards"]:
            (folder / f"{made['name']}.svg").write_text(f'<?xml version="1.0" encoding="utf-8"?>\n{made["svg"]}')
            made["data"].to_csv(folder / f"{made['name']}.csv", index=False)
