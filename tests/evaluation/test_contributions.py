"""What each column of telling rows did to their predictions, and which rows tell."""

import numpy as np
import pandas as pd
import pytest

from stillhouse.evaluation.contributions import DOUBT, HIGH, LOW, OFF, RIGHT, WRONG, contributions, telling

COLUMNS = [
    {"name": "age", "source": "Age", "position": 0, "kind": "numeric"},
    {"name": "site", "source": "site", "position": 1, "kind": "categorical"},
    {"name": "smoker", "source": "smoker", "position": 2, "kind": "boolean"},
    {"name": "when year", "source": "when", "position": 3, "kind": "numeric", "part": "year"},
    {"name": "when month", "source": "when", "position": 3, "kind": "numeric", "part": "month"},
    {"name": "note", "source": "note", "position": 4, "kind": "text"},
]
ROWS = 120


class Additive:
    """A model whose value is a sum over columns, and each fold's own number."""

    def __init__(self, fold, classes):
        self.fold, self.classes = fold, classes

    def predict(self, rows):
        value = 0.004 * rows["age"].fillna(40) + 0.2 * (rows["site"] == "b") + 0.1 * rows["smoker"] + 0.05 * self.fold
        value += 0.01 * rows["when month"] + 0.001 * (rows["when year"] - 2020)
        value += 0.02 * rows["note"].fillna("").str.len()
        value = value.to_numpy("float64")
        if self.classes == 3:
            return np.column_stack([value / 2, value / 2 - 0.01, 1.01 - value])
        return np.column_stack([1 - value, value]) if self.classes else value[:, None]


def case(classes):
    """Two folds of typed rows, the model that held out each, and scored rows with their predictions."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"row": range(ROWS), "age": rng.uniform(20, 60, ROWS), "site": rng.choice(list("aab"), ROWS)})
    table = table.assign(smoker=rng.integers(0, 2, ROWS) * 1.0, note=rng.choice(["", "x", "xyz"], ROWS))
    table = table.assign(**{"when year": rng.integers(2018, 2024, ROWS) * 1.0, "when month": rng.integers(1, 13, ROWS) * 1.0})
    table.loc[::7, "age"] = np.nan
    table.loc[::9, "site"] = None
    fold = rng.integers(0, 2, ROWS)
    models = {number: Additive(number, classes) for number in (0, 1)}
    predicted = np.stack([models[fold[row]].predict(table.iloc[[row]])[0] for row in range(ROWS)])
    names = [f"p_{name}" for name in "abc"[:classes]] or ["prediction"]
    label = rng.integers(0, classes, ROWS) if classes else predicted[:, 0] + rng.normal(size=ROWS)
    scored = pd.DataFrame({"row": range(ROWS), "fold": fold, "part": "train", "label": label * 1.0})
    schema = {"classes": list("abc"[:classes]) or None, "columns": COLUMNS, "target": "y"}
    trained = {number: np.flatnonzero(fold != number) for number in (0, 1)}
    return models, trained, scored.assign(**dict(zip(names, predicted.T, strict=True))), table, schema


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_effects_of_a_sum_are_its_terms_less_those_of_the_typical_training_row(classes):
    models, trained, scored, table, schema = case(classes)
    lines = contributions(models, trained, scored, table, schema)
    lines = lines[lines["word"] == ""]
    assert lines["row"].nunique() == 6
    assert (lines.groupby("row").size() == 5).all()
    for number, own in lines.groupby("row"):
        effects, row = own.set_index("column")["effect"], table.loc[number]
        assert effects.sum() == pytest.approx(own["predicted"].iloc[0] - own["typical"].iloc[0])
        learned = table.loc[trained[scored.loc[number, "fold"]]]
        sign = 1 if classes < 3 else (-1 if own["of"].iloc[0] == "c" else 0.5)
        age = row["age"] if pd.notna(row["age"]) else 40
        assert effects["Age"] == pytest.approx(sign * 0.004 * (age - learned["age"].median()))
        assert effects["site"] == pytest.approx(sign * 0.2 * (row["site"] == "b"))
        assert effects["note"] == pytest.approx(sign * 0.02 * len(row["note"]))
        months = row["when month"] - learned["when month"].median()
        years = row["when year"] - learned["when year"].median()
        assert effects["when"] == pytest.approx(sign * (0.01 * months + 0.001 * years))
        values = own.set_index("column")["value"]
        assert values["Age"] == ("missing" if pd.isna(row["age"]) else f"{row['age']:g}")
        assert values["when"] == f"{row['when year']:g} {row['when month']:g}"


@pytest.mark.parametrize("classes", [0, 2])
def test_where_no_row_may_be_shown_there_are_no_lines(classes):
    models, trained, scored, table, schema = case(classes)
    assert not len(contributions(models, trained, scored[:0], table, schema))


def test_words_of_a_text_are_told_by_what_the_prediction_has_less_without_them():
    models, trained, scored, table, schema = case(2)
    table["note"] = "pain is severe pain ever so bad"
    told = contributions(models, trained, scored, table, schema)
    told = told[told["word"] != ""]
    assert told["word"].tolist() == ["pain", "severe", "ever"] * 6
    assert told["effect"].to_numpy() == pytest.approx(0.02 * np.array([10, 7, 5] * 6))
    assert set(told["column"]) == {"note"}
    assert told["predicted"].notna().all()


def test_telling_rows_are_the_surest_ones_of_both_classes_and_those_in_doubt():
    p = np.array([0.99, 0.98, 0.02, 0.03, 0.51, 0.9, 0.1, 0.47, 0.95])
    label = np.array([1, 1, 0, 0, 1, 0, 1, 0, 0.0])
    rows = pd.DataFrame({"p_no": 1 - p, "p_yes": p, "label": label})
    assert telling(rows, ["no", "yes"]) == {8: WRONG, 6: WRONG, 0: RIGHT, 2: RIGHT, 4: DOUBT, 7: DOUBT}


def test_telling_rows_of_values_are_the_farthest_off_the_highest_and_the_lowest():
    rows = pd.DataFrame({"prediction": [1.0, 5, 9, 2, 8, 4], "label": [1.0, 9, 9, 2, 1, 4]})
    assert telling(rows, None) == {4: OFF, 1: OFF, 2: HIGH, 5: HIGH, 0: LOW, 3: LOW}


def test_a_model_that_is_never_wrong_has_fewer_telling_rows():
    p = np.array([0.9, 0.2, 0.3])
    rows = pd.DataFrame({"p_no": 1 - p, "p_yes": p, "label": [1.0, 0, 0]})
    assert telling(rows, ["no", "yes"]) == {0: RIGHT, 1: RIGHT, 2: DOUBT}
