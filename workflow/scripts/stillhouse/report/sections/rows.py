"""Single rows, where the configuration asks for them: telling ones with what each column did, and the worst mistakes."""

import numpy as np
import pandas as pd

from stillhouse.columns import LABEL, ROW
from stillhouse.predictions.predictions import columns_of
from stillhouse.report import figures
from stillhouse.report.text import listed, number, percent

MOST_EFFECTS, MOST_MISTAKES = 8, 20


def pictures(run):
    """Return what each column did to the predictions of telling rows; none unless ``report.explain_rows`` asks for them."""
    if run.contributions is None or not run.settings["explain_rows"]:
        return []
    by_row = run.contributions.groupby("row", sort=False)
    return [row_picture(run, f"row-{place}", lines) for place, (_, lines) in enumerate(by_row, 1)]


def mistake_lines(run):
    """Return the held-out rows that the reference model is farthest off, as text; none unless rows may be shown."""
    if not run.settings["explain_rows"]:
        return []
    rows, classes = run.held_out(run.reference), run.task.classes
    scores, labels = rows[columns_of(classes)].to_numpy("float64"), rows[LABEL].to_numpy("float64")
    if classes:
        codes = labels.astype(int)
        far, is_wrong = 1 - scores[np.arange(len(rows)), codes], scores.argmax(axis=1) != codes
    else:
        far, is_wrong = np.abs(labels - scores[:, 0]), np.ones(len(rows), dtype=bool)
    worst = [place for place in np.argsort(-far, kind="stable")[:MOST_MISTAKES] if is_wrong[place]]
    return [{"row": int(rows[ROW].iloc[place]), **described(labels[place], scores[place], classes)} for place in worst]


def described(label, scores, classes):
    """Return the label of a row and what is said of it, as text."""
    if not classes:
        return {"label": number(label), "said": number(scores[0])}
    return {"label": classes[int(label)], "said": f"{classes[scores.argmax()]} ({percent(scores.max())})"}


def row_picture(run, name, lines):
    """Return what each column did to the prediction of one row."""
    words, lines = (lines[lines["word"].ne("") == is_word] for is_word in (True, False))
    first, classes = lines.iloc[0], run.task.classes
    write = percent if classes else number
    what = f"probability of {first['of']}" if classes else f"predicted {run.schema['target']}"
    label = first["label"] if classes else number(float(first["label"]))
    text = (
        f"The {what} is {write(first['predicted'])}. The same model says {write(first['typical'])} of a row, which need not "
        "exist, with the median or the most frequent value of each column in the rows that it learned from. Bars add up from "
        f"this to that (Shapley values).{words_sentence(words, write)}"
    )
    drawn = figures.effects(strongest(lines), f"effect on this {'probability' if classes else 'value'}")
    title = f"Row {first['row']}, {first['why']} by {run.title(run.reference)}: {run.schema['target']} is {label}"
    return figures.Picture(name, drawn, title, text)


def words_sentence(lines, write):
    """Return the words without which the prediction of a row changes most; empty without texts."""
    told = []
    for name, own in lines.groupby("column", sort=False):
        left = zip(own["predicted"] - own["effect"], own["word"], strict=True)
        changes = listed([f"{write(value)} (“{figures.shortened(word)}”)" for value, word in left])
        told.append(f" Without one word of {name} it would be {changes}.")
    return "".join(told)


def strongest(lines):
    """Return the effects of the columns with the strongest, each with the row's value, and the sum of all others."""
    ordered = lines.loc[lines["effect"].abs().sort_values(ascending=False, kind="stable").index]
    # A sum of one is that one.
    most = MOST_EFFECTS + (len(ordered) == MOST_EFFECTS + 1)
    shown, rest = ordered[:most], ordered[most:]
    names = shown["column"] + " = " + shown["value"]
    bars = pd.DataFrame({"name": names, "effect": shown["effect"]})
    if len(rest):
        others = pd.DataFrame({"name": [f"{len(rest)} other columns"], "effect": [rest["effect"].sum()]})
        bars = pd.concat([bars, others])
    return bars.reset_index(drop=True)
