"""The model card: what a shipped file learned from, whose its scores are, and what they are on rows in use."""

import json

import pytest

from stillhouse.report.card import card

FILE = {"bytes": 1000, "parameters": 10, "milliseconds": {"median": 0.1, "p99": 0.2}, "difference": 1e-9}
OPTIONS = {"fit": {"method": "logistic"}}


def written(schema, factors, learned, metrics):
    """The card of what is read from files, which have their keys in the order of the alphabet."""
    facts = {"model": "m", "dataset": "d", "classes": schema["classes"], "factors": factors, "stillhouse": "1", "run": "x"}
    schema, metrics = (json.loads(json.dumps(one, sort_keys=True)) for one in (schema, metrics))
    return card(facts, schema, OPTIONS, metrics, learned, FILE)


def of_classes(rows=100, learned=100, shares=(0.6, 0.4), **deploy):
    schema = {
        "target": "num",
        "task": "binary",
        "classes": ["healthy", "disease"],
        "notes": [],
        "columns": [],
        "class_rows": {"healthy": 60, "disease": 40},
        "rows": {"train": rows, **dict.fromkeys(deploy, 9)},
    }
    score = {"value": 0.8, "low": 0.7, "high": 0.9}
    metrics = {"held_out": {"rows": rows, "metrics": {"auc": score}}}
    metrics |= {name: {"rows": 9, "metrics": {"auc": score}} for name in deploy}
    return written(schema, [0.3, 0.7], {"rows": learned, "shares": shares}, metrics)


def test_shares_of_classes_are_told_once_where_nothing_is_weighted():
    text = of_classes()
    assert "- The shipped model learned from all 100 labelled rows." in text
    assert "- Of the labelled rows, 60.0 % healthy and 40.0 % disease." in text
    assert "weighted as it did" not in text
    assert "each with a threshold of its own" in text
    assert "are of the shipped model itself" not in text


def test_rows_that_are_in_no_fold_weights_and_deploy_rows_are_told():
    text = of_classes(learned=49, shares=(0.5, 0.5), deploy=True)
    assert "learned from 49 of 100 labelled rows; beside them there are 9 deploy rows." in text
    assert "weighted as it did, are 50.0 % healthy and 50.0 % disease: its probabilities are for such shares." in text
    assert "Scores of deploy rows are of the shipped model itself." in text


@pytest.mark.parametrize("factors", [None, [1.0]])
def test_a_card_of_values_speaks_of_no_threshold(factors):
    schema = {"target": "price", "task": "regression", "classes": None, "notes": [], "columns": [], "rows": {"train": 50}}
    metrics = {"held_out": {"rows": 50, "metrics": {"rmse": {"value": 2.0, "low": 1.0, "high": 3.0}}}}
    text = written(schema, factors, {"rows": 50, "shares": None}, metrics)
    assert "threshold" not in text
    assert "% " not in text.split("## Scores")[0]
