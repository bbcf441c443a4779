"""Soft targets come from splits that held a row out."""

import numpy as np
import pandas as pd

from stillhouse.distillation.soft_targets import Teaching, soft_targets, teacher_predictions
from stillhouse.predictions.predictions import unseen_predictions
from stillhouse.splits import Split, first_of
from stillhouse.tables import split_writer


def test_soft_targets_come_from_the_split_that_held_the_row_out(tmp_path):
    folds = pd.DataFrame({"row": range(6), "fold": [0, 0, 1, 1, 2, 2]})
    split = Split("0", [1, 2], [0], {"1": "0+1", "2": "0+2"})

    def table(rows, p):
        return pd.DataFrame({"row": rows, "p_a": p, "p_b": 1 - p})

    path = tmp_path / "split-all" / "predictions.parquet"
    path.parent.mkdir()
    with split_writer(path) as write:
        write("0", table([0, 1], 0.5))
        write("0+1", table([0, 1, 2, 3], 0.1))
        write("0+2", table([0, 1, 4, 5], 0.2))
    unseen = unseen_predictions(path, folds, split, ["a", "b"])
    assert dict(zip(unseen["row"], unseen["p_a"], strict=True)) == {2: 0.1, 3: 0.1, 4: 0.2, 5: 0.2}
    told = teacher_predictions(split, Teaching({"teacher": path}, folds, ["a", "b"], {"transfer": [], "pool": "probabilities"}))
    soft = soft_targets(pd.DataFrame({"row": [5, -1, 2]}), told, ["a", "b"], None)
    assert soft[[0, 2], 0].tolist() == [0.2, 0.1]
    assert np.isnan(soft[1]).all()


def test_what_chooses_by_stop_rows_is_taught_of_deploy_rows_by_a_teacher_that_has_not_seen_them(tmp_path):
    folds = pd.DataFrame({"row": range(4), "fold": [0, 1, -1, -1]})
    split = Split("none", [0, 1], [], {})
    path = tmp_path / "split-none" / "predictions.parquet"
    path.parent.mkdir()
    options = {"transfer": ["deploy"], "pool": "probabilities"}

    def told(again):
        table = teacher_predictions(split, Teaching({"teacher": path}, folds, ["a", "b"], options, again))
        return table.set_index("row")["p_a"].to_dict()

    rows = pd.DataFrame({"row": [2, 3], "p_a": 0.4, "p_b": 0.6})
    with split_writer(path) as write:
        write("none", rows)
    assert told(again=False) == told(again=True) == {2: 0.4, 3: 0.4}
    with split_writer(path) as write:
        write("none", rows)
        write(first_of("none"), rows.assign(p_a=0.1, p_b=0.9))
    assert told(again=True) == {2: 0.4, 3: 0.4}
    assert told(again=False) == {2: 0.1, 3: 0.1}
