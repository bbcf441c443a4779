"""The checklist for studies of prediction models: nothing is answered that a run does not know."""

import re

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, report_run

from stillhouse.report.checklist import ITEMS, Answers, checklist

# The numbers of the published checklist.
NUMBERS = (
    "1 2 3a 3b 3c 4 5a 5b 6a 6b 6c 7 8a 8b 8c 9a 9b 9c 10 11 12a 12b 12c 12d 12e 12f 12g 13 14 15 16 17 "
    "18a 18b 18c 18d 18e 18f 19 20a 20b 20c 21 22 23a 23b 24 25 26 27a 27b 27c"
).split()


def run(**given):
    score = {"value": 0.9, "low": 0.88, "high": 0.92}
    schema = {
        "task": "binary",
        "target": "num",
        "classes": ["healthy", "ill"],
        "costs": None,
        "columns": [{"name": "age", "kind": "numeric"}],
        "files": {"a.csv": "0", "table.parquet": "1"},
        "notes": [],
        "rows": {"train": 300},
        "without_label": 0,
        "class_rows": {"healthy": 200, "ill": 100},
    }
    config = {
        "datasets": {"heart": {"drop": [], "slices": []}},
        "folds": {"k": 5},
        "imputers": {"marked": {"method": "median"}},
        "report": {"level": 0.95},
    }
    model = {"prepare": {"impute": "marked", "resample": "none"}, "fit": {"method": "logistic"}}
    usual = {
        "dataset": "heart",
        "config": config,
        "schema": schema,
        "reference": "m",
        "models": {"m": model},
        "metrics": {"m": {"held_out": {"metrics": {"auc": score, "brier": score, "log_loss": {**score, "value": 0.4}}}}},
        "constant": {"held_out": {"metrics": {"log_loss": {**score, "value": 0.63}}}},
        "comparison": pd.DataFrame({"model": ["m"]}),
        "table": pd.DataFrame({"part": "train", "label": np.repeat([0.0, 1.0], [200, 100])}),
        "shares": [],
        "drift": {},
        "shipped": {},
        "left_out": 0,
        "groups": pd.DataFrame(),
        "rows": {"m": pd.DataFrame({"part": ["train"] * 300})},
    }
    return report_run(**usual | given)


def line_of(text, number):
    return next(line for line in text.splitlines() if line.startswith(f"| {number} |"))


def test_the_checklist_has_every_item_once_and_leaves_the_authors_what_nobody_else_can_know():
    assert [item[0] for items in ITEMS.values() for item in items] == NUMBERS
    text = checklist(run())
    assert line_of(text, "17") == "| 17 | Ethical approval | not answered | all of it |"
    assert "`num` with the classes healthy and ill." in line_of(text, "8a")
    assert "| how and when it is assessed, and why it was chosen |" in line_of(text, "8a")
    assert "Train: 200 healthy and 100 ill." in line_of(text, "21")
    assert "AUC of “m”: 0.900 (0.880 to 0.920) on held-out rows." in line_of(text, "23a")
    assert "Filled within each split by marked (median)" in line_of(text, "11")
    assert "What a regression takes is in the list at the top." in line_of(text, "10")


def test_nothing_is_claimed_of_a_task_that_does_not_have_it_or_of_a_model_that_was_made_elsewhere():
    values = run().schema | {"task": "regression", "classes": None}
    text = checklist(
        run(schema=values, config=run().config | {"datasets": {"heart": {"drop": [], "slices": ["sex"]}}}, **of_values())
    )
    assert "regression takes" not in line_of(text, "10")
    assert "| Scores and coverage by `sex`, of “m”: “Slices”. |" in line_of(text, "14")
    read = {"theirs": {"read": {"method": "external"}}}
    assert "How theirs came about is not known here." in line_of(checklist(run(models=run().models | read)), "12a")


def of_values():
    return {"metrics": {"m": {"held_out": {"metrics": {"rmse": {"value": 2.0, "low": 1.0, "high": 3.0}}}}}}


@pytest.mark.parametrize("number", ["6a", "12d", "12f", "14", "16", "20c", "22", "23b", "24", "27a"])
def test_what_a_run_did_not_do_is_not_answered(number):
    assert line_of(checklist(run()), number).endswith("| not answered | all of it |")


def test_what_a_run_did_is_answered():
    given = {
        "table": pd.DataFrame({"part": "train", "label": [0.0, 1.0], "group": ["a", "b"]}),
        "shift": {},
        "drift": {"m": {}},
        "shipped": {"m": {}},
        "config": run().config
        | {"datasets": {"heart": {"drop": ["id"], "slices": ["sex"], "group": "site", "sets_by": "sex"}}},
    }
    text = checklist(run(**given))
    for number in ("6a", "12d", "12f", "14", "16", "20c", "22", "23b", "24", "27a"):
        assert "not answered" not in line_of(text, number)
    assert "2 groups (`site`)" in line_of(text, "6a")
    assert "Conformal sets are made by `sex`" in line_of(text, "14")
    assert "`id` are dropped" in line_of(text, "9a")


def test_the_parts_of_the_report_that_are_named_are_there():
    """Titles of sections are in the code of the page, headings of tables in its template."""
    folder = REPOSITORY / "workflow/scripts/stillhouse/report"
    code = "".join(path.read_text() for path in [folder / "page.html.j2", folder / "page.py", *folder.glob("sections/*.py")])
    named = set(re.findall("“([^”{}]+)”", (folder / "checklist.py").read_text()))
    assert len(named) > 8
    assert [name for name in named if name not in code] == []
    assert all(hasattr(Answers, name) for items in ITEMS.values() for _, _, name, _ in items if name)
