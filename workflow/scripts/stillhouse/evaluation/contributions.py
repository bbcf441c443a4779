"""Six telling held-out rows, and what each of their columns did to the prediction, against a typical training row."""

import numpy as np
import pandas as pd

from stillhouse.columns import DEPLOY, FOLD, LABEL, PART, ROW
from stillhouse.evaluation.occlusion import strongest_words
from stillhouse.evaluation.shapley import subsets, typical
from stillhouse.intake import kinds
from stillhouse.intake.kinds import feature_columns
from stillhouse.predictions.predictions import columns_of

RIGHT, WRONG, DOUBT, HIGH, LOW, OFF = "surely right", "surely wrong", "in doubt", "highest", "lowest", "farthest off"
# How often a row is predicted, unless twice the number of columns is more: there are few rows.
MOST_SUBSETS = 4096
# Rows of each kind, and the letters that are kept of a text.
OF_EACH, MOST_LETTERS = 2, 40
COLUMNS = ("row", "why", "label", "of", "predicted", "typical", "column", "word", "value", "effect")


def contributions(models, trained, rows, table, schema):
    """Return a line for each column of six telling rows: the row, why it is shown, its label and prediction, and the effect.

    ``rows`` are scored rows with predictions; ``models`` maps a fold to the pipeline that held it out, and ``trained`` to the
    rows that it learned from. Effects are on the probability of a class (``of``), the second of two or the likeliest of more,
    or on the value; they sum to ``predicted`` less ``typical``, which is that of the typical row. Of texts there is a line for
    each of the strongest words, too, with what the prediction has less without it.
    """
    held_out, classes = rows[rows[PART] != DEPLOY].reset_index(drop=True), schema["classes"]
    columns, lines = feature_columns(schema), []
    sources = list(dict.fromkeys(column["source"] for column in columns))
    moved, shares = subsets(len(sources), MOST_SUBSETS)
    takes_own = {column["name"]: moved[:, sources.index(column["source"])] for column in columns}
    for place, why in telling(held_out, classes).items():
        row = held_out.loc[place]
        own, learned = table[table[ROW] == row[ROW]], table[table[ROW].isin(trained[row[FOLD]])]
        usual = {column["name"]: typical_cell(learned[column["name"]], column) for column in columns}
        model = models[row[FOLD]]
        predicted = model.predict(mixed(own, usual, takes_own))
        of = int(predicted[-1].argmax()) if len(classes or []) > 2 else -1
        predicted = predicted[:, of]
        facts = {"row": int(row[ROW]), "why": why, "label": row[LABEL] if not classes else classes[int(row[LABEL])]}
        facts |= {"of": classes[of] if classes else "", "predicted": predicted[-1], "typical": predicted[~moved.any(axis=1)][0]}
        shown = [shown_value(own.iloc[0], source, columns) for source in sources]
        told = [(source, "", *facts_of) for source, *facts_of in zip(sources, shown, predicted @ shares, strict=True)]
        for column in (column for column in columns if column["kind"] == kinds.TEXT):
            told += [(column["source"], word, "", effect) for word, effect in of_words(model, own, column, of)]
        lines += [facts | dict(zip(COLUMNS[-4:], one, strict=True)) for one in told]
    return pd.DataFrame(lines, columns=COLUMNS)


def of_words(model, own, column, of):
    """Return the strongest words of a text of one row (a table of it), and their effects on a column of the predictions."""
    name = column["name"]

    def predict(texts):
        rows = own.iloc[np.zeros(len(texts), dtype=int)].reset_index(drop=True)
        return model.predict(rows.assign(**{name: pd.Series(texts, dtype=own[name].dtype)}))[:, of]

    return strongest_words(predict, kinds.plain_texts(own[name])[0])


def mixed(own, usual, takes_own):
    """Return typed rows that have some columns of one row (a table of it), and the ``usual`` cells in all others.

    ``takes_own`` says of each column in which of them it is the row's own.
    """
    found = own.iloc[np.zeros(len(next(iter(takes_own.values()))), dtype=int)].reset_index(drop=True)
    for name, is_own in takes_own.items():
        cells = found[name].astype("object")
        cells[~is_own] = usual[name]
        found[name] = cells.astype(own[name].dtype)
    return found


def telling(rows, classes):
    """Return the places of telling rows, each with why it tells: two of a kind, of classes if possible two likeliest ones."""
    if not classes:
        value = rows[columns_of(classes)[0]]
        order = {OFF: -(rows[LABEL].astype("float64") - value).abs(), HIGH: -value, LOW: value}
        said = pd.Series(0, index=rows.index)
    else:
        p = rows[columns_of(classes)]
        said, surest = pd.Series(p.to_numpy().argmax(axis=1), index=rows.index), p.max(axis=1)
        right = said == rows[LABEL].astype(int)
        order = {WRONG: -surest[~right], RIGHT: -surest[right], DOUBT: surest}
    chosen = {}
    for why, by in order.items():
        left = by[~by.index.isin(list(chosen))].sort_values(kind="stable").index
        first = left[:1]
        others = [place for place in left[1:] if said[place] != said[first[0]]] or list(left[1:])
        chosen |= dict.fromkeys([*first, *others[: OF_EACH - 1]], why)
    return chosen


def typical_cell(values, column):
    """Return the typical value of a column as a cell of a typed table; a gap for texts, pictures and nothing."""
    value = typical(values, column)
    if value is None or value == kinds.GAP:
        return None
    return value


def shown_value(row, source, columns):
    """Return what a row holds in a raw column, as text; empty for pictures, and a text cut short."""
    held = [(row[column["name"]], column["kind"]) for column in columns if column["source"] == source]
    return " ".join(as_text(value, kind) for value, kind in held)


def as_text(value, kind):
    """Return a cell as text."""
    if kind == kinds.IMAGE:
        return ""
    if pd.isna(value):
        return "missing"
    if isinstance(value, (int, float, np.number)):
        return f"{value:.0f}" if float(value).is_integer() else f"{value:.6g}"
    text = str(value)
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"
