"""The report's sentences: what a reader should take away, with the numbers in it."""

import numpy as np

from stillhouse.columns import CHOICE, EPOCHS, PHASE, SPLIT
from stillhouse.config.dataset import as_list
from stillhouse.config.models import method_folder, verb

METRIC_WORDS = {
    "auc": "AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "tuned_balanced_accuracy": "balanced accuracy, tuned threshold",
    "recall_at_precision": "recall at stated precision",
    "calibration_error": "calibration error",
    "f1": "F1",
    "mcc": "MCC",
    "cost": "cost a row, tuned threshold",
    "pinball": "pinball loss",
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
}


def number(value):
    """Return a number as it stands in text: three decimals, or three digits where it is large."""
    if value is None or value != value:
        return "–"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"


def with_interval(found):
    """Return a metric with its interval, where it has one."""
    if found["low"] is None:
        return number(found["value"])
    return f"{number(found['value'])} ({number(found['low'])} to {number(found['high'])})"


def leading_words(run, main):
    """Return which model is ahead on held-out rows, and by the mean over folds where these are repeated."""
    metrics, line = run["metrics"], run["comparison"].iloc[0]
    best = metrics[line["model"]]["held_out"]["metrics"][main]
    level = f"{100 * run['settings']['level']:g} %"
    stands = "is ahead with" if len(metrics) > 1 else "has"
    folds = run["config"]["folds"]
    over_folds = (
        f" Over {folds['repeats']} times {folds['k']} folds its mean is {number(line[f'{main}_folds_mean'])} "
        f"({number(line[f'{main}_t_low'])} to {number(line[f'{main}_t_high'])})."
        if folds["repeats"] > 1
        else ""
    )
    return (
        f"On {metrics[line['model']]['held_out']['rows']:,} rows that no model saw, {line['model']} {stands} an "
        f"{METRIC_WORDS[main]} of {number(best['value'])} ({level} interval {number(best['low'])} to {number(best['high'])})."
        f"{over_folds}"
    )


def details(run, main, more_is_better):
    """Return what else is to be known, a sentence each: students, resampling, deploy rows, shift and drift."""
    metrics = run["metrics"]
    sentences = [
        *(student_words(name, part, metrics, main) for name, part in run["students"].groupby("student", sort=False)),
        *(balancing_words(name, plain, run) for name, plain in run["plain"].items()),
        deploy_words(metrics, main, more_is_better),
    ]
    if run["shift"]:
        sentences += [run["shift"]["reason"], weight_words(run["shift"]["weights"]), correction_words(run["shift"], metrics)]
    sentences += [drift_words(name, drift, main) for name, drift in run["drift"].items()]
    return [sentence for sentence in sentences if sentence]


def balancing_words(name, plain, run):
    """Return what resampling gained beside the same model on the rows as they are, each at its tuned threshold."""
    found = [run["metrics"][model]["held_out"]["metrics"] for model in (name, plain)]
    tuned, brier = ([number(metrics[key]["value"]) for metrics in found] for key in ("tuned_balanced_accuracy", "brier"))
    resampler = run["models"][name]["prepare"]["resample"]
    return (
        f"With {resampler}, {name} has a balanced accuracy of {tuned[0]} at its tuned threshold and a Brier score of "
        f"{brier[0]}; {plain}, the same model on the rows as they are, has {tuned[1]} and {brier[1]}."
    )


def correction_words(shift, metrics):
    """Return what correcting the reference's probabilities for label shift did, where that is advised and can be scored."""
    found = metrics[shift["reference"]]
    if shift["recommended"] != "label" or "deploy_corrected" not in found:
        return ""
    before, after = (found[part]["metrics"]["brier"]["value"] for part in ("deploy", "deploy_corrected"))
    return (
        f"Corrected for the new class mixture, {shift['reference']} has a Brier score of {number(after)} on labelled deploy "
        f"rows, {number(before)} uncorrected."
    )


def deploy_words(metrics, main, more_is_better):
    """Return which model is ahead on labelled deploy rows, where there are any."""
    found = {name: assessed["deploy"]["metrics"][main] for name, assessed in metrics.items() if "deploy" in assessed}
    found = {name: value for name, value in found.items() if value["value"] is not None}
    if not found:
        return ""
    best = (max if more_is_better else min)(found, key=lambda name: found[name]["value"])
    rows = metrics[best]["deploy"]["rows"]
    return f"On {rows:,} labelled deploy rows {best} is ahead with {with_interval(found[best])}."


def weight_words(facts):
    """Return how many rows the weighted ones tell as much as, and what was done where these are few."""
    if facts.get("note"):
        return facts["note"]
    if facts["share"] > 0.999:
        return ""
    warning = " Scores weighted for deploy rest on few rows; read them with care." if facts["share"] < 0.3 else ""
    return (
        f"Weighted for deploy, {facts['rows']:,} training rows tell as much as {facts['effective_sample_size']:,.0f}.{warning}"
    )


def alarm_words(alarms):
    """Return when the loss rose by more than it varies among held-out rows."""
    if not alarms:
        return "The frozen model's loss has not risen by more than it varies among held-out rows."
    places = listed([f"{alarm['after_rows']:,} (batch {alarm['batch']})" for alarm in alarms[:5]])
    more = f" and {len(alarms) - 5} times more" if len(alarms) > 5 else ""
    return f"The frozen model's loss rose by more than it varies among held-out rows, as seen after row {places}{more}."


def drift_words(name, drift, main):
    """Return how a followed model does on the later batches, as means over them."""
    means = {}
    for state in drift["batches"][0]["states"]:
        values = [found["states"][state][main]["value"] for found in drift["batches"]]
        known = [value for value in values if value is not None]
        means[state] = number(sum(known) / len(known)) if known else number(None)
    return (
        f"Over {len(drift['batches'])} later batches {name} has a mean {METRIC_WORDS[main]} of {means['frozen']} as shipped, "
        f"{means['updated']} trained on with each batch, and {means['retrained']} made anew. {alarm_words(drift['alarms'])}"
    )


def diverged(histories):
    """Return the networks whose loss stopped being a number, in a sentence of its own, or nothing."""
    found = []
    for name, history in histories.items():
        epochs = history[history[PHASE] == EPOCHS]
        for (split, number), part in epochs.groupby([SPLIT, "network"]):
            if not np.isfinite(part["stop_loss"]).all():
                left_out = "" if part["kept"].any() else " (left out)"
                found.append(f"network {number} of {name} in split {split}{left_out}")
    return f" Diverged: {listed(found)}; what had learned before keeps its best epoch." if found else ""


def listed(names):
    """Return names as they stand in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def student_words(name, part, metrics, main):
    """Return how a student stands beside its teachers and its twin; ``part`` has its rows of ``students.csv``."""
    mine = metrics[name]["held_out"]["metrics"][main]["value"]
    said = []
    for teacher in part[part["is"] == "teacher"].to_dict("records"):
        value = metrics[teacher["other"]]["held_out"]["metrics"][main]["value"]
        kept = f", of which it keeps {100 * mine / value:.1f} %" if main == "auc" else ""
        said.append(f"its teacher {teacher['other']} has {number(value)}{kept}")
    twin = part[part["is"] == "twin"].iloc[0]
    value = number(metrics[twin["other"]]["held_out"]["metrics"][main]["value"])
    apart = "and chance is no good explanation for the difference" if twin["better"] or twin["worse"] else "no clear difference"
    lost = ": it is better off without" if twin["worse"] else ""
    beside = f"Taught by labels alone it has {value}, {apart}{lost}."
    return f"{name} has an {METRIC_WORDS[main]} of {number(mine)}; {listed(said)}. {beside}"


def student_lines(students, classes):
    """Return the rows of the table of students, in words."""
    return [
        {
            "student": line["student"],
            "other": f"{line['other']} ({line['is']})",
            "gap": f"{signed(line['gap'])} ({signed(line['gap_low'])} to {signed(line['gap_high'])})",
            "verdict": "better" if line["better"] else "worse" if line["worse"] else "no clear difference",
            "agreement": f"{100 * line['agreement']:.1f} %" if classes else number(line["agreement"]),
            "divergence": number(line["divergence"]),
        }
        for line in students.to_dict("records")
    ]


def signed(value):
    """Return a difference with its sign."""
    return f"{value:+.3f}" if abs(value) < 100 else f"{value:+,.0f}"


def taken_over(models):
    """Return what is assumed of predictions that somebody else made, a sentence for each model that has such."""
    assumed = {
        "none": "Nothing says which rows its makers had seen; each prediction is taken for one of an unseen row. If it is not, "
        "its score and those of its students are too good.",
        "fold": "Each row was predicted by a model that, as the table says, had not seen the row's fold. It had seen the other "
        "folds, also the one that a student is scored on, so the scores of its students may be a little too good.",
        "split": "Each row was predicted by a model that, as the table says, had seen none of the folds held out.",
    }
    return [
        f"{name} is a table of predictions that somebody else made. {assumed[model['read']['held_out']]}"
        for name, model in models.items()
        if "read" in model
    ]


def chosen(histories):
    """Return which temperature and share of the label were chosen on stop rows, a sentence for each student, or nothing."""
    found = []
    for name, history in histories.items():
        kept = history[(history[PHASE] == CHOICE) & history["kept"].eq(True)]
        if len(kept):
            temperature, alpha = kept.iloc[0][["temperature", "alpha"]]
            found.append(
                f" Of {name}, temperature {temperature:g} and a share of the label of {alpha:g} were chosen on stop rows."
            )
    return "".join(found)


def chain(prepare):
    """Return a preparation as the names of its steps."""
    return " + ".join(choice for choice in prepare.values() if choice != "none") or "as it is"


def how_made(model, task):
    """Return in a few words how a model is made."""
    made_by = verb(model)
    options = model[made_by]
    prepare = model.get("prepare", {})
    after = f" after {chain(prepare)}" if set(prepare.values()) - {"none"} else ""
    if made_by == "read":
        return "predictions that somebody else made"
    if made_by == "stack":
        members = options["members"]
        return f"{options['method']} of {', '.join(members)}" if len(members) > 1 else f"{members[0]}, {options['method']}"
    is_bagged = options.get("bag") and method_folder(model) == "estimators"
    bagged = f", {options['bag']} bagged" if is_bagged else f", {options['boost']} boosted" if options.get("boost") else ""
    taught = f" taught by {listed(as_list(options['teacher']))}" if made_by == "distill" else ""
    taught += f", also on {listed(options['transfer'])} rows," if options.get("transfer") else ""
    method = "ridge" if task == "regression" and options["method"] == "logistic" else options["method"]
    return f"{method}{bagged}{taught}{after}"
