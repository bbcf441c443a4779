"""Synthetic rows: like the rows of their fold, of these rows alone, and without a look at a label."""

import numpy as np
import pandas as pd
import pytest
from conftest import methods

from stillhouse.errors import UserError
from stillhouse.methods import build
from stillhouse.preparation.transfer_rows import synthetic_rows

OPTIONS = {"share": 2.0}


def drawn(gappy, method, folds=None, table=None):
    known, columns = gappy
    table = known if table is None else table
    folds = pd.DataFrame({"row": known["row"], "fold": np.arange(len(known)) % 3}) if folds is None else folds
    return synthetic_rows(table, folds, columns, {"method": method, **OPTIONS}, seed=5)


@pytest.mark.parametrize("method", methods("synthesizers"))
def test_as_many_rows_as_asked_are_drawn_for_each_fold_in_the_types_of_the_table(gappy, method):
    table, columns = gappy
    found = drawn(gappy, method)
    assert found["parents"].value_counts().to_dict() == {0: 40, 1: 40, 2: 40}
    assert found["row"].tolist() == list(range(60, 180))
    for column in columns:
        assert found[column["name"]].dtype == table[column["name"]].dtype
    assert set(found["site"].dropna()) <= set(table["site"].dropna())
    assert set(found["smoker"].dropna()) <= {0.0, 1.0}
    assert found["age"].between(table["age"].min(), table["age"].max()).sum() == found["age"].notna().sum()
    assert found["age"].isna().any()


@pytest.mark.parametrize("method", methods("synthesizers"))
def test_rows_of_a_fold_have_no_other_parents(gappy, method):
    table, _ = gappy
    other = table.assign(age=table["age"].where(table["row"] % 3 != 0, 1e6), dose=table["dose"].where(table["row"] % 3 != 0, 7))
    first, second = (found[found["parents"] != 0] for found in (drawn(gappy, method), drawn(gappy, method, table=other)))
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("method", methods("synthesizers"))
def test_columns_that_belong_together_stay_together(method):
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    table = pd.DataFrame({"row": range(400), "x": x, "y": x + 0.1 * rng.normal(size=400), "z": rng.normal(size=400)})
    columns = [{"name": name, "kind": "numeric", "position": place, "source": name} for place, name in enumerate("xyz")]
    found = drawn((table, columns), method, folds=pd.DataFrame({"row": range(400), "fold": 0}))
    assert np.corrcoef(found["x"], found["y"])[0, 1] > 0.9
    assert abs(np.corrcoef(found["x"], found["z"])[0, 1]) < 0.25
    assert len(found.drop_duplicates(subset=list("xyz"))) > 1.5 * len(table)


def test_rows_without_a_fold_are_no_parents(gappy):
    folds = pd.DataFrame({"row": range(60), "fold": np.r_[np.zeros(30, dtype=int), np.full(30, -1)]})
    assert set(drawn(gappy, "swap", folds)["parents"]) == {0}


def test_a_mixture_of_words_alone_is_refused():
    table = pd.DataFrame({"site": ["a", "b"] * 10})
    columns = [{"name": "site", "kind": "categorical"}]
    with pytest.raises(UserError, match="mixture draws numbers, and the table has none; take swap or gibbs"):
        build("synthesizers", {"method": "mixture"})(table, columns, 5, np.random.default_rng(0))
