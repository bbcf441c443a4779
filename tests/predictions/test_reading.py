"""Predictions that somebody else made: held against the rows and classes that there are, or refused in one message."""

import pandas as pd
import pytest

from stillhouse.errors import UserError
from stillhouse.methods import build
from stillhouse.predictions.external import predictions_for
from stillhouse.splits import Split

FOLDS = pd.DataFrame({"row": range(6), "fold": [0, 0, 1, 1, -1, -1]})
SPLIT = Split("1", [0], [1], {"0": "0+1"})
GOOD = pd.DataFrame({"row": range(6), "p_no": [0.9, 0.8, 0.7, 0.6, 0.5, 0.4]}).assign(p_yes=lambda table: 1 - table["p_no"])


def read(table, tmp_path, held_out="none", classes=("no", "yes")):
    path = tmp_path / "theirs.csv"
    table.to_csv(path, index=False)
    return build("readers", {"method": "external", "table": "", "held_out": held_out})(path, FOLDS, classes and list(classes))


def test_every_split_takes_the_same_predictions_where_nothing_is_said_of_splits(tmp_path):
    found = predictions_for(read(GOOD, tmp_path), FOLDS, SPLIT, ["no", "yes"], "theirs.csv")
    assert found["row"].tolist() == [2, 3, 4, 5]
    assert found["p_yes"].tolist() == pytest.approx([0.3, 0.4, 0.5, 0.6])
    assert found["decision"].tolist() == [0, 0, 0, 1]


def test_a_split_takes_its_own_predictions_where_the_table_has_them(tmp_path):
    both = pd.concat([GOOD.assign(split=name, p_no=p, p_yes=1 - p) for name, p in (("1", 0.25), ("0+1", 0.75))])
    found = predictions_for(read(both, tmp_path, "split"), FOLDS, SPLIT, ["no", "yes"], "theirs.csv")
    assert set(found["p_no"]) == {0.25}
    with pytest.raises(UserError, match="there is no prediction of split 0 for row 0 and 3 others"):
        predictions_for(read(both, tmp_path, "split"), FOLDS, Split("0", [], [0], {}), ["no", "yes"], "theirs.csv")


def test_probabilities_that_are_rounded_are_made_to_sum_to_one(tmp_path):
    found = read(GOOD.assign(p_no=GOOD["p_no"] - 0.0004), tmp_path)
    assert (found["p_no"] + found["p_yes"]).tolist() == pytest.approx([1] * 6)


def test_values_of_a_regression_are_taken_as_they_are(tmp_path):
    table = pd.DataFrame({"row": range(6), "prediction": [1.5, 2, 3, 4, 5, -6]})
    found = predictions_for(read(table, tmp_path, classes=None), FOLDS, SPLIT, None, "theirs.csv")
    assert found["prediction"].tolist() == [3, 4, 5, -6]


WRONG = {
    "a row is missing": (GOOD[GOOD["row"] != 3], "none", "there is no prediction for row 3 and 0 others"),
    "a row that there is not": (GOOD.assign(row=[0, 1, 2, 3, 4, 99]), "none", "there is no row 99; rows are numbered from 0"),
    "a row that comes twice": (GOOD.assign(row=[0, 1, 2, 3, 4, 4]), "none", "row 4 comes more than once"),
    "sums that are not 1": (GOOD.assign(p_no=0.9), "none", "row 1 has the probabilities 0.9, 0.2, which must be 0 or more and sum to 1"),
    "a negative probability": (GOOD.assign(p_no=-0.5, p_yes=1.5), "none", "row 0 has the probabilities -0.5, 1.5"),
    "a class of another name": (GOOD.rename(columns={"p_yes": "p_ja"}), "none", "there is no column 'p_yes'; the columns must be row, p_no, p_yes"),
    "a class too many": (GOOD.assign(p_maybe=0), "none", "column 'p_maybe' belongs to no class; the classes are no, yes"),
    "no row numbers": (GOOD.drop(columns="row"), "none", "there is no column 'row'"),
    "a gap": (GOOD.assign(p_no=[None, *GOOD["p_no"][1:]]), "none", "row 0 has a prediction that is not a finite number"),
    "words": (GOOD.assign(p_no="much"), "none", "row 0 has a prediction that is not a finite number"),
    "other folds": (GOOD.assign(fold=[0, 1, 1, 1, -1, -1]), "fold", "row 1 has fold 1 here and fold 0 in folds.parquet"),
    "no folds": (GOOD, "fold", "there is no column 'fold'"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_table_that_cannot_be_right_is_refused_in_one_message(name, tmp_path):
    table, held_out, message = WRONG[name]
    with pytest.raises(UserError) as refused:
        predictions_for(read(table, tmp_path, held_out), FOLDS, SPLIT, ["no", "yes"], tmp_path / "theirs.csv")
    assert message in str(refused.value)
    assert "theirs.csv" in str(refused.value)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    path = tmp_path / "theirs.parquet"
    path.write_text("no table")
    with pytest.raises(UserError, match=r"theirs\.parquet: cannot be read as a table"):
        build("readers", {"method": "external", "table": "", "held_out": "none"})(path, FOLDS, ["no", "yes"])
