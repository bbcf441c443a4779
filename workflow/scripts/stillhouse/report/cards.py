"""Cards of the report: a figure each, with a title and what it says."""

import numpy as np

from stillhouse.columns import DEPLOY, EPOCHS, GROUP, LABELLED, PART, PHASE, RANGE_TEST, SPLIT
from stillhouse.evaluation.scores import as_arrays
from stillhouse.intake.kinds import feature_columns
from stillhouse.report import figures, words

MOST_LINES = 5
MOST_BARS = 15


def card(name, drawn, title, text):
    """Return a figure with the numbers that it shows, its title, and what it says."""
    figure, data = drawn
    return {"name": name, "svg": figures.as_svg(figure, name), "data": data, "title": title, "text": text}


def score_cards(run, main):
    """Return the ranking of all models, and the weights of the stacks."""
    names = run["comparison"]["model"].tolist()
    weighted = None
    if all("deploy_weighted" in run["metrics"][name] for name in names):
        weighted = [run["metrics"][name]["deploy_weighted"]["metrics"][main]["value"] for name in names]
    figure = figures.ranking(names, *with_ends(run, names, main), words.METRIC_WORDS[main], weighted)
    units = "groups" if GROUP in run["table"] else "rows"
    text = f"Each line is a {100 * run['settings']['level']:g} % bootstrap interval over {units}."
    cards = [card("ranking", figure, f"{words.METRIC_WORDS[main]} of every model", text)]
    learned = {name: weights for name, weights in run["stacks"].items() if len(set(weights.values())) > 1}
    for name, weights in learned.items():
        figure = figures.bars(list(weights), {"weight": list(weights.values())}, label="weight")
        cards.append(card(f"stack-{name}", figure, f"What {name} is made of", "Weight of each member's logit or value."))
    return cards


def student_cards(run, main):
    """Return for each student a picture of it between its teachers and its twin."""
    cards = []
    for student, others in held_against(run).items():
        *teachers, twin = others
        names = [*teachers, student, twin]
        figure = figures.ranking(names, *with_ends(run, names, main), words.METRIC_WORDS[main])
        text = f"{twin} is the same method with the same budget, taught by labels alone."
        cards.append(card(f"student-{student}", figure, f"{student} beside {words.listed(teachers)}", text))
    return cards


def held_against(run):
    """Return for each student its teachers and, last, its twin."""
    return {name: part["other"].tolist() for name, part in run["students"].groupby("student", sort=False)}


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
    title = words.METRIC_WORDS[metric]
    figure = figures.ranking(names, *with_ends(run, names, metric), title)
    return card(identifier, figure, title[0].upper() + title[1:], text)


def with_ends(run, names, metric):
    """Return a metric of some models on held-out rows, and the two ends of its interval; a list of each."""
    found = [run["metrics"][name]["held_out"]["metrics"][metric] for name in names]
    return [[value[key] for value in found] for key in ("value", "low", "high")]


def shown_models(run):
    """Return the models that get a line of their own: the leading ones, and each student with its teacher and twin."""
    names = list(
        dict.fromkeys(name for student, others in held_against(run).items() for name in (*others[:-1], student, others[-1]))
    )
    ranked = [name for name in run["comparison"]["model"] if name not in names]
    return [*ranked[: max(1, MOST_LINES - len(names))], *names]


def probability_cards(run):
    """Return the pictures that fit the task: curves and calibration, a confusion matrix, or predicted against true."""
    held_out = {name: run["rows"][name][run["rows"][name][PART] != DEPLOY] for name in shown_models(run)}
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


def training_cards(run):
    """Return the loss of every network by epoch."""
    split = run["shown_split"]
    shown = {name: history[history[SPLIT] == split] for name, history in run["histories"].items()}
    epochs = {name: history[history[PHASE] == EPOCHS] for name, history in shown.items() if (history[PHASE] == EPOCHS).any()}
    if not epochs:
        return []
    tests = {name: history[history[PHASE] == RANGE_TEST] for name, history in shown.items()}
    text = f"Networks of split {split}. The weights of the best epoch on stop rows are kept; held-out rows have no say."
    text += words.diverged(run["histories"]) + words.chosen(shown)
    found = [card("training", figures.training(epochs), "Loss by epoch", text)]
    if tests := {name: history for name, history in tests.items() if len(history)}:
        text = f"Range test of the networks of split {split}: each takes a tenth of the rate at which its loss is least."
        found.append(card("range-test", figures.range_tests(tests), "Loss by learning rate", text))
    return found
