"""The report's sentences: they say what the numbers say, and nothing that they do not."""

import pandas as pd
import pytest

from stillhouse.report import evidence_words as words


def control(value, low, high, name="auc"):
    metrics = {"held_out": {"metrics": {name: {"value": value, "low": low, "high": high}}}}
    return {"metrics": {"tree": metrics}, "level": 0.95}


@pytest.mark.parametrize(
    ("found", "is_leak"),
    [
        (control(0.51, 0.47, 0.55), False),
        (control(0.54, 0.505, 0.575), False),
        (control(0.60, 0.56, 0.64), True),
        (control(1.0, 1.0, 1.0), True),
        (control(0.30, 0.25, 0.35), True),
        (control(None, None, None), False),
    ],
)
def test_a_control_alarms_where_its_wide_interval_leaves_out_a_half(found, is_leak):
    assert words.control_alarm(found, "auc").startswith("Something leaks") == is_leak
    assert not (is_leak and words.control_words(found, "auc"))


def test_a_control_of_values_alarms_where_something_is_explained():
    assert words.control_alarm(control(0.2, 0.15, 0.25, "r2"), "rmse")
    assert not words.control_alarm(control(-0.3, -0.4, -0.2, "r2"), "rmse")


def compared(*behind):
    names = ["best", "second", "third"][: len(behind) + 1]
    return pd.DataFrame({"model": names, "behind": [False, *behind]})


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        ((True, True), "best is better than every other model"),
        ((False, True), "There is no winner: best is not better than second by more than chance explains"),
        ((False, False), "There is no winner: best is not better than second and third"),
        ((), ""),
    ],
)
def test_no_winner_is_a_verdict(behind, said):
    assert words.winner_words(compared(*behind), pd.DataFrame({"p_folds": [0.2] * 3})).startswith(said)


def test_one_fold_is_said_to_tell_nothing_of_seeds():
    said = words.winner_words(compared(True), pd.DataFrame({"p_folds": [float("nan")]}))
    assert said.endswith("over rows, as one fold tells nothing of training sets and seeds).")


def test_the_price_is_that_of_the_fastest_model_that_loses_little():
    metrics = {
        name: {"held_out": {"metrics": {"auc": {"value": value}}}}
        for name, value in {"big": 0.9, "small": 0.895, "bad": 0.6}.items()
    }
    prices = {"big": {"milliseconds": 2.0, "bytes": 4000}, "small": {"milliseconds": 0.1, "bytes": 8000}}
    prices["bad"] = {"milliseconds": 0.01, "bytes": 10}
    said = words.price_words(prices, metrics, "auc", "big")
    assert said == "small has 0.005 less, is 20 times faster and 2 times larger."
    assert words.price_words({"big": prices["big"]}, metrics, "auc", "big") == ""


def test_a_p_value_is_never_said_to_be_nothing():
    assert [words.chance(p) for p in (1e-9, 0.0123, 1.0, float("nan"))] == ["< 0.001", "0.012", "1.000", "–"]


def test_slices_that_do_worse_are_counted():
    line = {"slice": "age above 40", "rows": 60, "loss": 0.5, "loss_elsewhere": 0.2, "worse": True}
    table = pd.DataFrame([line, {**line, "loss": 0.4}, {**line, "loss": 0.3}, {**line, "worse": False, "loss": 0.9}])
    assert words.slice_words(table, "m").endswith("a mean loss of 0.500, elsewhere 0.200; 2 more do too.")
    assert words.slice_words(table[:2], "m").endswith("; one more slice does clearly worse.")
    assert words.slice_words(table[3:], "m") == ""
