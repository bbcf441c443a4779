"""From the files of a run to one page that needs no network."""

import platform
from importlib.metadata import version

import jinja2
import numpy as np
import yaml

from stillhouse import __version__
from stillhouse.columns import DEPLOY, GROUP, LABELLED, PART, ROW, TIME, TRUE_RATIO, WEIGHT
from stillhouse.evaluation import as_arrays
from stillhouse.kinds import feature_columns
from stillhouse.metrics import BY_TASK, MORE_IS_BETTER, main_metric
from stillhouse.plan import upstream
from stillhouse.report import figures, words

MOST_LINES = 5
MOST_BARS = 15
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
    main = main_metric(run["schema"]["task"]).__name__
    students = [(name, upstream(run["models"][name])[0], twin) for name, twin in run["twin"].items()]
    return environment.from_string(template).render(
        dataset=run["dataset"],
        schema=run["schema"],
        verdict=words.verdict(run, students, main, more_is_better=main in MORE_IS_BETTER),
        sections=[section for section in sections(run, main, students) if section["cards"]],
        metrics=[metric.__name__ for metric in BY_TASK[run["schema"]["task"]]],
        metric_words=words.METRIC_WORDS,
        lines=table_lines(run, main),
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


def sections(run, main, students):
    """Return the page's sections in reading order: a title and cards with a figure and a sentence each."""
    return [
        {"title": "How good the models are", "cards": score_cards(run, main, students)},
        {"title": "Teacher, student and twin", "cards": student_cards(run, main, students)},
        {"title": "Balanced classes or a tuned threshold", "cards": balancing_cards(run)},
        {"title": PROBABILITY_TITLES[run["schema"]["task"]], "cards": probability_cards(run, students)},
        {"title": "The data", "cards": data_cards(run)},
        {"title": "The rows where the model will be used", "cards": shift_cards(run)},
        {"title": "Later batches", "cards": [item for name in run["drift"] for item in drift_cards(run, name, main)]},
        {"title": "Training", "cards": training_cards(run)},
    ]


def card(name, figure, title, text):
    """Return a figure with its title and what it says."""
    return {"svg": figures.as_svg(figure, name), "title": title, "text": text}


def score_cards(run, main, students):
    """Return the ranking of all models, and the weights of the stacks."""
    names = run["comparison"]["model"].tolist()
    found = [run["metrics"][name]["held_out"]["metrics"][main] for name in names]
    weighted = None
    if all("deploy_weighted" in run["metrics"][name] for name in names):
        weighted = [run["metrics"][name]["deploy_weighted"]["metrics"][main]["value"] for name in names]
    columns = [[value[key] for value in found] for key in ("value", "low", "high")]
    figure = figures.ranking(names, *columns, weighted, label=words.METRIC_WORDS[main])
    units = "groups" if GROUP in run["table"] else "rows"
    text = f"Each line is a {100 * run['settings']['level']:g} % bootstrap interval over {units}."
    cards = [card("ranking", figure, f"{words.METRIC_WORDS[main]} of every model", text)]
    learned = {name: weights for name, weights in run["stacks"].items() if len(set(weights.values())) > 1}
    for name, weights in learned.items():
        figure = figures.bars(list(weights), {"weight": list(weights.values())}, label="weight")
        cards.append(card(f"stack-{name}", figure, f"What {name} is made of", "Weight of each member's logit or value."))
    return cards


def student_cards(run, main, students):
    """Return for each student a picture of it between its teacher and its twin."""
    cards = []
    for trio in students:
        names = [trio[1], trio[0], trio[2]]
        found = [run["metrics"][name]["held_out"]["metrics"][main] for name in names]
        columns = [[value[key] for value in found] for key in ("value", "low", "high")]
        figure = figures.ranking(names, *columns, None, label=words.METRIC_WORDS[main])
        text = f"{trio[2]} is the same network with the same budget, taught by labels alone."
        cards.append(card(f"trio-{trio[0]}", figure, f"{trio[0]} beside its teacher {trio[1]}", text))
    return cards


def balancing_cards(run):
    """Return for balanced accuracy and Brier score each resampled model beside itself without resampling."""
    names = list(dict.fromkeys(name for pair in run["plain"].items() for name in pair))
    if not names:
        return []
    said = {
        "tuned_balanced_accuracy": "Each at the threshold tuned on rows that it was not fitted on. Resampling has to beat the "
        "same model on the rows as they are, whose name ends in plain where it was added for this.",
        "brier": "Probabilities are on the original class mixture: what resampling did to them is undone. Less is better.",
    }
    return [ranking_card(run, names, metric, f"balancing-{metric}", text) for metric, text in said.items()]


def ranking_card(run, names, metric, identifier, text):
    """Return a card with a metric of some models on held-out rows, with intervals."""
    found = [run["metrics"][name]["held_out"]["metrics"][metric] for name in names]
    columns = [[value[key] for value in found] for key in ("value", "low", "high")]
    title = words.METRIC_WORDS[metric]
    return card(identifier, figures.ranking(names, *columns, None, label=title), title[0].upper() + title[1:], text)


def shown_models(run, students):
    """Return the models that get a line of their own: the leading ones, and each student with its teacher and twin."""
    names = [name for trio in students for name in trio]
    ranked = [name for name in run["comparison"]["model"] if name not in names]
    return [*ranked[: max(1, MOST_LINES - len(names))], *names]


def probability_cards(run, students):
    """Return the pictures that fit the task: curves and calibration, a confusion matrix, or predicted against true."""
    held_out = {name: run["rows"][name][run["rows"][name][PART] != DEPLOY] for name in shown_models(run, students)}
    arrays = {name: as_arrays(rows, run["schema"])[:2] for name, rows in held_out.items()}
    leader = run["comparison"]["model"].iloc[0]
    leading = as_arrays(run["rows"][leader][run["rows"][leader][PART] != DEPLOY], run["schema"])[:2]
    if run["schema"]["task"] == "regression":
        figure = figures.scatter(leading[1][:, 0], leading[0], "predicted", "true", diagonal=True)
        return [card("scatter", figure, f"Predicted and true values of {leader}", "On the dashed line they are equal.")]
    if run["schema"]["task"] == "multiclass":
        return [confusion_card(*leading, run["schema"]["classes"], leader)]
    positive = run["schema"]["classes"][1]
    roc = {name: roc_points(labels, scores[:, 1]) for name, (labels, scores) in arrays.items()}
    recall = {name: recall_points(labels, scores[:, 1]) for name, (labels, scores) in arrays.items()}
    calibration = {name: reliability_points(labels, scores[:, 1]) for name, (labels, scores) in arrays.items()}
    return [
        card(
            "roc", figures.curves(roc, "false positive rate", "true positive rate", True), "ROC curves", f"Finding {positive}."
        ),
        card("recall", figures.curves(recall, "recall", "precision", False), "Precision and recall", f"Finding {positive}."),
        card(
            "calibration",
            figures.reliability(calibration),
            "Calibration",
            "On the dashed line a probability means what it says.",
        ),
    ]


def confusion_card(labels, scores, classes, name):
    """Return the confusion matrix of a model."""
    counts = np.zeros((len(classes), len(classes)))
    np.add.at(counts, (labels, scores.argmax(axis=1)), 1)
    return card("confusion", figures.confusion(counts, classes), f"What {name} takes for what", "Shares of each true class.")


def roc_points(labels, score):
    """Return false and true positive rates at falling thresholds."""
    labels = labels[np.argsort(-score, kind="stable")]
    found, false = np.cumsum(labels), np.cumsum(1 - labels)
    return thinned(np.r_[0, false / false[-1]], np.r_[0, found / found[-1]])


def recall_points(labels, score):
    """Return recall and precision at falling thresholds."""
    labels = labels[np.argsort(-score, kind="stable")]
    found = np.cumsum(labels)
    return thinned(found / found[-1], found / np.arange(1, len(labels) + 1))


def thinned(x, y, most=400):
    """Return at most about ``most`` points of a curve."""
    kept = np.unique(np.linspace(0, len(x) - 1, most).astype(int))
    return x[kept], y[kept]


def reliability_points(labels, score, bins=10):
    """Return mean predicted probability and observed share in bins of equally many rows."""
    parts = np.array_split(np.argsort(score, kind="stable"), bins)
    parts = [part for part in parts if len(part)]
    return [score[part].mean() for part in parts], [labels[part].mean() for part in parts]


def data_cards(run):
    """Return the classes or the target's spread, and where the gaps are."""
    schema, table, cards = run["schema"], run["table"], []
    if schema["classes"]:
        figure = figures.bars(list(schema["class_rows"]), {"rows": list(schema["class_rows"].values())}, label="rows")
        cards.append(card("classes", figure, f"Classes of {schema['target']}", "Labelled rows of each class."))
    gappy = sorted((column for column in feature_columns(schema) if column["missing"]), key=lambda column: -column["missing"])
    if gappy:
        names = [column["name"] for column in gappy[:MOST_BARS]]
        parts = {"labelled rows": table[table[PART].isin(LABELLED)], "deploy rows": table[table[PART] == DEPLOY]}
        series = {title: part[names].isna().mean().tolist() for title, part in parts.items() if len(part)}
        figure = figures.bars(names, series, label="share of missing values")
        cards.append(card("gaps", figure, "Gaps", f"{len(gappy)} of {len(feature_columns(schema))} columns have gaps."))
    return cards


def shift_cards(run):
    """Return which columns have moved, and the estimated weights against the truth where it is known."""
    shift = run["shift"]
    if not shift:
        return []
    columns = shift["columns"][:MOST_BARS]
    figure = figures.bars(
        [column["name"] for column in columns], {"distance": [column["distance"] for column in columns]}, "distance"
    )
    moved = sum(column["p"] < 0.05 for column in shift["columns"])
    text = (
        "Kolmogorov-Smirnov distance of numbers, total variation of categories; 0 is no shift, 1 no overlap. "
        f"{moved} have moved by more than chance explains (Holm-adjusted p below 0.05)."
    )
    cards = [card("shift", figure, "Columns that have moved", text)]
    if shift.get("labels"):
        before, after = shift["labels"]["before"], shift["labels"]["em"]["prior"]
        series = {"labelled rows": before, "deploy rows, estimated": after}
        text = f"By maximum likelihood on what {shift['reference']} says of deploy rows, if only the mixture has moved."
        cards.append(card("mixture", figures.bars(run["schema"]["classes"], series, "share"), "Class mixture", text))
    corrected = {name: found for name, found in run["metrics"].items() if "deploy_corrected" in found}
    if corrected:
        parts = {"as predicted": "deploy", "corrected for label shift": "deploy_corrected"}
        series = {
            title: [found[part]["metrics"]["brier"]["value"] for found in corrected.values()] for title, part in parts.items()
        }
        text = (
            "Brier score on labelled deploy rows, less is better. The correction holds where only the class mixture has moved."
        )
        cards.append(card("corrected", figures.bars(list(corrected), series, "Brier score"), "Corrected for label shift", text))
    if shift["truth"]:
        known = run["weights"].merge(run["table"][[ROW, TRUE_RATIO]], on=ROW)
        figure = figures.scatter(
            np.log(known[TRUE_RATIO]), np.log(known[WEIGHT]), "true log ratio", "estimated log ratio", True
        )
        correlation = shift["truth"]["log_ratio_correlation"]
        text = f"A challenge moved these rows, so the truth is known: correlation {correlation:.2f}."
        cards.append(card("ratio", figure, "Estimated and true density ratio", text))
    return cards


def drift_cards(run, name, main):
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
    text = f"Page-Hinkley statistic of the frozen model's loss. {words.alarm_words(alarms)}"
    return [scores, card(f"watch-{name}", figure, f"Has {name} met another world?", text)]


def training_cards(run):
    """Return the loss of every network by epoch."""
    if not run["histories"]:
        return []
    split = run["shown_split"]
    text = f"Networks of split {split}. The weights of the best epoch on stop rows are kept; held-out rows have no say."
    return [card("training", figures.training(run["histories"]), "Loss by epoch", text)]
