"""How predictions move with one column, all else as it is."""

import numpy as np
import pandas as pd
import pytest

from stillhouse.evaluation.dependence import CURVES, POINTS, dependence

COLUMNS = [
    {"name": "age", "source": "Age", "position": 0, "kind": "numeric"},
    {"name": "site", "source": "site", "position": 1, "kind": "categorical"},
    {"name": "when year", "source": "when", "position": 2, "kind": "numeric", "part": "year"},
    {"name": "when month", "source": "when", "position": 2, "kind": "numeric", "part": "month"},
    {"name": "note", "source": "note", "position": 3, "kind": "text"},
    {"name": "smoker", "source": "smoker", "position": 4, "kind": "boolean"},
]
SCHEMA = {"task": "binary", "target": "y", "classes": ["no", "yes"], "columns": COLUMNS}


class Model:
    """A model that adds a fold's own number to what its columns say."""

    def __init__(self, fold):
        self.fold = fold

    def predict(self, rows):
        assert (rows["fold"] == self.fold).all(), "a row is predicted by the model that held it out"
        p = 0.01 * rows["age"].fillna(40) + 0.2 * (rows["site"] == "b") + 0.1 * rows["smoker"] + 0.05 * self.fold
        return np.column_stack([1 - p, p])


def case(rows=300):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"row": range(rows), "age": rng.uniform(20, 60, rows), "site": rng.choice(list("aab"), rows)})
    table = table.assign(**{"when year": 2020.0, "when month": 1.0, "note": "x", "smoker": rng.integers(0, 2, rows) * 1.0})
    table.loc[3, ["age", "site"]] = [np.nan, None]
    return table, pd.DataFrame({"row": range(rows), "fold": rng.integers(0, 2, rows)})


def found(names, schema=SCHEMA):
    table, folds = case()
    return dependence({fold: Model(fold) for fold in (0, 1)}, table, folds, schema, names, np.random.default_rng(1))


def test_curves_are_those_of_the_function_at_every_value():
    lines = found(["site", "when", "note", "Age", "smoker"])
    assert list(dict.fromkeys(lines["column"])) == ["site", "Age", "smoker"]
    age = lines[lines["column"] == "Age"]
    assert len(age) == POINTS
    assert np.diff(age["mean"]) == pytest.approx(0.01 * np.diff(age["value"].astype(float)))
    curves = age.filter(like="row ").to_numpy(dtype=float)
    assert curves.shape == (POINTS, CURVES)
    assert np.diff(curves, axis=0) == pytest.approx(0.01 * np.diff(age["value"].astype(float))[:, None] * np.ones(CURVES))
    site = lines[lines["column"] == "site"].set_index("name")["mean"]
    assert list(site.index) == ["a", "b"]
    assert site["b"] - site["a"] == pytest.approx(0.2)
    smoker = lines[lines["column"] == "smoker"]
    assert smoker["value"].tolist() == [0, 1]
    assert smoker["mean"].diff().iloc[1] == pytest.approx(0.1)


def test_parts_of_a_time_texts_and_more_than_two_classes_have_no_curves():
    assert found(["when", "note"]).empty
    assert found(["Age"], {**SCHEMA, "classes": ["a", "b", "c"]}).empty
    assert len(found(["Age", "site", "smoker", "age"])["column"].unique()) == 3
