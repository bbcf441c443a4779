"""Telling rows, where the configuration asks for them: what each of their columns did to the prediction."""

import pandas as pd

from stillhouse.report import figures
from stillhouse.report.text import number, percent

MOST_EFFECTS = 8


def pictures(run):
    """Return what each column did to the predictions of telling rows; none unless ``report.explain_rows`` asks for them."""
    if run.contributions is None:
        return []
    by_row = run.contributions.groupby("row", sort=False)
    return [row_picture(run, f"row-{place}", lines) for place, (_, lines) in enumerate(by_row, 1)]


def row_picture(run, name, lines):
    """Return what each column did to the prediction of one row."""
    first, classes = lines.iloc[0], run.task.classes
    write = percent if classes else number
    what = f"probability of {first['of']}" if classes else f"predicted {run.schema['target']}"
    label = first["label"] if classes else number(float(first["label"]))
    text = (
        f"The {what} is {write(first['predicted'])}; of a row with the median or the most frequent value in each column it "
        f"would be {write(first['typical'])}. Bars say how much of the gap is due to each column (Shapley values)."
    )
    drawn = figures.effects(strongest(lines), f"effect on this {'probability' if classes else 'value'}")
    title = f"Row {first['row']}, {first['why']}: {run.schema['target']} is {label}"
    return figures.Picture(name, drawn, title, text)


def strongest(lines):
    """Return the effects of the columns with the strongest, each with the row's value, and the sum of all others."""
    ordered = lines.loc[lines["effect"].abs().sort_values(ascending=False, kind="stable").index]
    shown, rest = ordered[:MOST_EFFECTS], ordered[MOST_EFFECTS:]
    names = shown["column"] + " = " + shown["value"].fillna("")
    bars = pd.DataFrame({"name": names, "effect": shown["effect"]})
    if len(rest):
        others = pd.DataFrame({"name": [f"{len(rest)} other columns"], "effect": [rest["effect"].sum()]})
        bars = pd.concat([bars, others])
    return bars.reset_index(drop=True)
