"""Students beside their teachers, and beside their twins, which learn from labels alone."""

from stillhouse.columns import CHOICE, PHASE
from stillhouse.config.models import AUTO
from stillhouse.report import figures
from stillhouse.report.sections.scores import ranking_of
from stillhouse.report.text import METRIC_TITLES, gap_with_interval, listed, number, p_value, percent


def pictures(run):
    """Return for each student its score beside those of its teachers and its twin."""
    found = []
    for student, (*teachers, twin) in run.compared_students().items():
        title = f"{student} beside {listed([run.title(name) for name in teachers])}"
        text = f"{run.title(twin)} is the same model with the same settings, trained on labels alone."
        drawn = ranking_of(run, [*teachers, student, twin], run.main)
        found.append(figures.Picture(f"student-{student}", drawn, title, text))
    return found


def sentences(run):
    """Return for each student how it compares with its teachers and its twin."""
    return [sentence(run, name, part) for name, part in run.students.groupby("student", sort=False)]


def sentence(run, name, part):
    """Return how a student compares with its teachers and its twin; ``part`` has its lines of ``students.csv``."""
    score, teachers = run.value(name), []
    for line in part[part["is"] == "teacher"].to_dict("records"):
        value = run.value(line["other"])
        is_less = run.main == "auc" and 0.5 < score < value
        kept = f"; it keeps {100 * (score - 0.5) / (value - 0.5):.1f} % of what is above chance" if is_less else ""
        teachers.append(
            f"its teacher {run.quoted(line['other'])} has {number(value)}: the student is {compared(run, line)}{kept}"
        )
    twin = part[part["is"] == "twin"].iloc[0]
    advice = ", so it is better trained without its teacher" if twin["worse"] else ""
    return (
        f"{run.quoted(name)} has an {METRIC_TITLES[run.main]} of {number(score)}; {listed(teachers)}. "
        f"The same model trained on labels alone has {number(run.value(twin['other']))}: the student is {compared(run, twin)}"
        f"{advice}.{labels_alone(run, name)}"
    )


def compared(run, line):
    """Return whether a student is better or worse than another model, and within the margin of its teacher, with the gap."""
    verdict = "significantly better" if line["better"] else "significantly worse" if line["worse"] else "not clearly different"
    said = f"{verdict} ({gap_with_interval(line)})"
    margin = run.settings["margin"]
    if not margin or line["is"] != "teacher":
        return said
    limit = f"{margin:g}" if run.task.classes else f"{percent(margin)} of the teacher's"
    # Where a gap has no interval, the table has no value.
    if str(line["within_margin"]) == "True":
        return f"{said}, {'but' if line['worse'] else 'and'} not worse by more than {limit}"
    return f"{said}, and not shown to be worse by no more than {limit}"


def labels_alone(run, name):
    """Return in how many splits a student chose to learn from labels alone, so that it is its twin; else an empty text."""
    history = run.histories.get(name)
    if history is None or not (is_chosen := (history[PHASE] == CHOICE) & history["kept"].eq(True)).any():
        return ""
    shares = history.loc[is_chosen, "alpha"]
    if not (shares == 1).any():
        return ""
    return (
        f" In {int((shares == 1).sum())} of {len(shares)} splits it chose to learn from labels alone, and is that model there."
    )


def lines(run):
    """Return a line for each student and each model that it is compared with, as text."""
    return [
        {
            "student": line["student"],
            "other": run.title(line["other"]) if line["is"] == "twin" else f"{run.title(line['other'])} (teacher)",
            "gap": gap_with_interval(line),
            "p": p_value(line["p_adjusted"]),
            "verdict": "better" if line["better"] else "worse" if line["worse"] else "not significant",
            "agreement": percent(line["agreement"]) if run.task.classes else number(line["agreement"]),
            "divergence": number(line["divergence"]),
        }
        for line in run.students.to_dict("records")
    ]


def chosen_sentences(run, histories):
    """Return the chosen temperature and share of the label of each student that had a choice."""
    sentences = []
    for name, history in histories.items():
        kept = history[(history[PHASE] == CHOICE) & history["kept"].eq(True)]
        if not len(kept):
            continue
        options, line = run.models[name]["distill"], kept.iloc[0]
        chosen = [f"alpha {line['alpha']:g} (the share of the label in the loss)"] if options["alpha"] == AUTO else []
        chosen += [f"temperature {line['temperature']:g}"] if options.get("temperature") == AUTO else []
        few, verb = few_part(options, history), "were" if len(chosen) > 1 else "was"
        sentences.append(f"For {run.quoted(name)}, {listed(chosen)} {verb} chosen on stop rows in this split{few}.")
    return sentences


def few_part(options, history):
    """Return that few shares of the label were tried, as there are many rows; an empty text where all were."""
    tried = history.loc[history[PHASE] == CHOICE, "alpha"].unique()
    if options["alpha"] != AUTO or 0 in tried:
        return ""
    return f", alpha as one of {listed([f'{one:g}' for one in tried])}, as there are more than {options['auto_rows']:,} rows"
