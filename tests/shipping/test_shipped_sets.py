"""A shipped file says which classes a row may have, by the thresholds that held-out rows gave."""

import numpy as np
import pandas as pd
import pytest
from evaluation_samples import SETS
from shipped_samples import ship

from stillhouse.errors import UserError
from stillhouse.shipping.serving import predict_file
from stillhouse.shipping.sets import ShippedSets


def thresholds(columns, of_groups, by=None, **settings):
    lines = [{"group": group, "fifth": 0, "rows": [99], "limits": limits} for group, limits in of_groups.items()]
    described = next((column for column in columns if column["name"] == by), None)
    return {"settings": {**SETS, **settings}, "by": described, "edges": None, "strata": lines}


def written(table, folder):
    path = folder / "rows.csv"
    table.drop(columns="row").to_csv(path, index=False, na_rep="?")
    return path


def test_sets_are_written_beside_predictions_and_follow_the_threshold_of_the_group(gappy, tmp_path, capsys):
    table, columns = gappy
    known = sorted(table["site"].dropna().unique())
    limits = {name: [0.3 + 0.1 * place, 0.6] for place, name in enumerate(known)} | {"(missing)": [None, 0.2]}
    path, raw, *_ = ship("median", gappy, tmp_path, sets=thresholds(columns, limits, "site", by_class=True))
    predict_file(path, written(raw, tmp_path), tmp_path / "out.csv", sets=True)
    found = pd.read_csv(tmp_path / "out.csv")
    expected = pd.DataFrame(limits, dtype=float).fillna(np.inf).T
    site = raw["site"].fillna("(missing)")
    known_site = site.isin(expected.index).to_numpy()
    for code, name in enumerate(("low", "high")):
        limit = site.map(expected[code]).fillna(np.inf).to_numpy()
        # Where a probability lies at its threshold, the digits of the table do not tell which side it is on.
        far = np.abs(1 - found[f"p_{name}"].to_numpy() - limit) > 1e-6
        assert (found[f"in_{name}"].to_numpy() == (1 - found[f"p_{name}"].to_numpy() <= limit))[far].all()
    assert not known_site.all() and found.loc[~known_site, ["in_low", "in_high"]].all().all()
    said = capsys.readouterr().err
    assert f"{(~known_site).sum():,} rows are of a group that no held-out row has; their sets exclude nothing" in said
    assert "of rows like the held-out ones the right one is among them for 90 %" in said


def test_what_has_no_sets_or_no_column_of_their_groups_is_said(gappy, tmp_path):
    path, raw, *_ = ship("median", gappy, tmp_path)
    with pytest.raises(UserError, match="has no conformal sets"):
        predict_file(path, written(raw, tmp_path), tmp_path / "out.csv", sets=True)
    aside = {"name": "ward", "source": "Ward", "position": 9, "kind": "aside"}
    facts = thresholds([aside], {"x": [0.5]}, "ward")
    path, raw, *_ = ship("median", gappy, tmp_path, sets=facts)
    with pytest.raises(UserError, match="sets are made by column 'Ward', which the table does not have"):
        predict_file(path, written(raw, tmp_path), tmp_path / "out.csv", sets=True)
    assert not (tmp_path / "out.csv").exists()
    predict_file(path, written(raw, tmp_path), tmp_path / "out.csv")
    assert not {"in_low", "in_high"} & set(pd.read_csv(tmp_path / "out.csv", nrows=1))


def test_a_group_is_the_same_whether_it_comes_as_a_number_or_as_text():
    aside = {"name": "ward", "source": "Ward", "position": 9, "kind": "aside"}
    predicted = pd.DataFrame({"p_low": [0.4, 0.4], "p_high": [0.6, 0.6]})
    for ward in ([1, 2], ["1", "2"], [1.0, 2.0]):
        sets = ShippedSets(thresholds([aside], {"1": [0.5], "2": [0.9]}, "ward"), ["low", "high"])
        found = sets.of(predicted, pd.DataFrame({"Ward": ward}))
        assert found.to_numpy().tolist() == [[False, True], [True, True]]
        assert sets.unknown == 0


def test_one_strange_value_does_not_change_the_groups_of_the_other_rows():
    """A dropped column of numbers is read as numbers, whatever else a table has, and what is none is a group of its own."""
    aside = {"name": "ward", "source": "Ward", "position": 9, "kind": "numeric"}
    predicted = pd.DataFrame({"p_low": [0.4, 0.4, 0.4, 0.4], "p_high": [0.6, 0.6, 0.6, 0.6]})
    sets = ShippedSets(thresholds([aside], {"1": [0.5], "(missing)": [0.3]}, "ward"), ["low", "high"])
    found = sets.of(predicted, pd.DataFrame({"Ward": ["01", "1.0", "X9", None]}))
    assert found.to_numpy().tolist() == [[False, True], [False, True], [True, True], [False, False]]
    assert sets.unknown == 1


def test_intervals_of_values_are_as_wide_as_their_fifth():
    lines = [{"group": "", "fifth": fifth, "rows": [50], "limits": [1.0 + fifth]} for fifth in range(3)]
    facts = {"settings": SETS, "by": None, "edges": [0.0, 10.0], "strata": lines}
    predicted = pd.DataFrame({"prediction": [-1.0, 0.0, 5.0, 20.0]}, index=[7, 8, 9, 10])
    found = ShippedSets(facts, None).of(predicted, None)
    assert found.index.tolist() == [7, 8, 9, 10]
    assert found["low"].tolist() == [-2.0, -2.0, 3.0, 17.0]
    assert found["high"].tolist() == [0.0, 2.0, 7.0, 23.0]
