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
        kept = f", and the student keeps {100 * (score - 0.5) / (value - 0.5):.1f} % of what is above chance"
        kept = kept if run.main == "auc" and value > 0.5 else ""
        teachers.append(f"its teacher {run.quoted(line['other'])} has {number(value)}, {compared(run, line)}{kept}")
    twin = part[part["is"] == "twin"].iloc[0]
    advice = ", so it is better trained without its teacher" if twin["worse"] else ""
    verdict = compared(run, twin)
    return (
        f"{run.quoted(name)} has an {METRIC_TITLES[run.main]} of {number(score)}; {listed(teachers)}. "
        f"The same model trained on labels alone has {number(run.value(twin['other']))}, {verdict}{advice}."
        f"{labels_alone(run, name)}"
    )


def compared(run, line):
    """Return whether the model that a student is compared with scores significantly more or less than the student."""
    if (margin := run.settings["margin"]) and line["is"] == "teacher":
        not_worse, ends = f"the student is not worse by more than {margin:g}", gap_with_interval(line)
        # Where a gap has no interval, the table has no value.
        is_shown = str(line["within_margin"]) == "True"
        return f"{not_worse if is_shown else f'that {not_worse} is not shown'} (gap {ends})"
    if not line["better"] and not line["worse"]:
        return "not significantly different"
    return f"significantly {'less' if bool(line['better']) == run.more_is_better else 'more'}"


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
        if len(kept):
            temperature, alpha = kept.iloc[0][["temperature", "alpha"]]
            sentences.append(
                f"For {run.quoted(name)}, temperature {temperature:g} and alpha {alpha:g}, the weight of the label, were "
                f"chosen on stop rows{few_part(run.models[name]['distill'], history)}."
            )
    return sentences


def few_part(options, history):
    """Return that few shares of the label were tried, as there are many rows; an empty text where all were."""
    tried = history.loc[history[PHASE] == CHOICE, "alpha"].unique()
    if options["alpha"] != AUTO or 0 in tried:
        return ""
    return f", alpha as one of {listed([f'{one:g}' for one in tried])}, as there are more than {options['auto_rows']:,} rows"
