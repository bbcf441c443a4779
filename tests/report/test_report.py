"""The report's sentences: they say what the numbers say, and nothing that they do not."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from conftest import report_run

from stillhouse.report.scatter import pareto
from stillhouse.report.sections import control, explanation, footprint, probabilities, scores
from stillhouse.report.text import p_value

BINARY = {"task": "binary", "classes": ["no", "yes"], "costs": None}


def controlled(value, low, high, name="auc", task="binary"):
    metrics = {"held_out": {"metrics": {name: {"value": value, "low": low, "high": high}}}}
    return report_run(schema={**BINARY, "task": task}, control={"tree": metrics})


@pytest.mark.parametrize(
    ("run", "is_leak"),
    [
        (controlled(0.51, 0.47, 0.55), False),
        (controlled(0.54, 0.505, 0.575), False),
        (controlled(0.60, 0.56, 0.64), True),
        (controlled(1.0, 1.0, 1.0), True),
        (controlled(0.30, 0.25, 0.35), True),
        (controlled(None, None, None), False),
    ],
)
def test_a_control_alarms_where_its_wide_interval_leaves_out_a_half(run, is_leak):
    assert control.alarm(run).startswith("Something leaks") == is_leak
    assert not (is_leak and control.sentence(run))


def test_a_control_of_values_alarms_where_something_is_explained():
    assert control.alarm(controlled(0.2, 0.15, 0.25, "r2", "regression"))
    assert not control.alarm(controlled(-0.3, -0.4, -0.2, "r2", "regression"))


def compared(*behind, p_folds=0.2):
    names = ["best", "second", "third"][: len(behind) + 1]
    comparison = pd.DataFrame({"model": names, "behind": [False, *behind]})
    return report_run(comparison=comparison, pairs=pd.DataFrame({"p_folds": [p_folds] * 3}))


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        ((True, True), "“best” is significantly better than every other model"),
        (
            (False, True),
            "There is no clear winner: “best” is not significantly better than “second”; it is significantly better than",
        ),
        ((False, False), "There is no clear winner: “best” is not significantly better than “second” and “third” ("),
        ((), ""),
    ],
)
def test_no_winner_is_a_verdict(behind, said):
    assert scores.winner_sentence(compared(*behind)).startswith(said)


def test_one_fold_is_said_to_tell_nothing_of_seeds():
    said = scores.winner_sentence(compared(True, p_folds=float("nan")))
    assert "over rows alone, as one fold cannot show the effect of seeds" in said


def test_the_footprint_is_that_of_the_fastest_model_that_loses_little():
    metrics = {
        name: {"held_out": {"metrics": {"auc": {"value": value}}}}
        for name, value in {"big": 0.9, "small": 0.895, "bad": 0.6}.items()
    }
    footprints = {"big": {"milliseconds": 2.0, "bytes": 4000}, "small": {"milliseconds": 0.1, "bytes": 8000}}
    footprints["bad"] = {"milliseconds": 0.01, "bytes": 10}
    run = report_run(schema=BINARY, metrics=metrics, footprints=footprints, comparison=pd.DataFrame({"model": ["big"]}))
    assert footprint.sentence(run) == "The AUC of “small” is lower by 0.005; it is 20 times faster and 2 times larger."
    run.footprints = {"big": footprints["big"]}
    assert footprint.sentence(run) == ""


def test_a_p_value_is_never_said_to_be_nothing():
    assert [p_value(p) for p in (1e-9, 0.0123, 1.0, float("nan"))] == ["< 0.001", "0.012", "1.000", "–"]


def test_slices_that_do_worse_are_counted():
    line = {"slice": "age above 40", "rows": 60, "loss": 0.5, "loss_elsewhere": 0.2, "worse": True}
    table = pd.DataFrame([line, {**line, "loss": 0.4}, {**line, "loss": 0.3}, {**line, "worse": False, "loss": 0.9}])

    def said(slices):
        return explanation.slice_sentence(report_run(slices=slices, reference="m"))

    assert said(table).endswith("0.500 there, 0.200 elsewhere; 2 more slices are clearly worse.")
    assert said(table[:2]).endswith("; one more slice is clearly worse.")
    assert said(table[3:]) == ""


def test_slices_are_drawn_by_their_loss_not_by_their_metric():
    metric = {"slice": "age above 40", "value": 0.9, "low": 0.8, "high": 0.95}
    table = pd.DataFrame(
        [metric | {"loss": 0.5, "loss_low": 0.4, "loss_high": 0.6}, metric | {"loss": 0.7, "loss_low": 0.6, "loss_high": 0.8}]
    )
    [picture] = explanation.slice_pictures(report_run(slices=table, reference="m"))
    _, drawn = picture.drawn
    assert drawn["value"].tolist() == [0.7, 0.5]
    assert drawn["low"].tolist() == [0.6, 0.4]


def test_models_that_are_made_for_comparison_have_names_that_explain_them():
    run = report_run(titles={"studenttwin": "student (labels only)"})
    assert (run.title("studenttwin"), run.title("forest")) == ("student (labels only)", "forest")


@pytest.mark.parametrize("points", [probabilities.roc_points, probabilities.recall_points, probabilities.reliability_points])
def test_a_curve_does_not_depend_on_the_order_of_rows(points):
    """Rows of equal probability are one step: a constant prediction is a diagonal, and no perfect curve of a sorted table."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [80, 20])
    score, order = rng.choice([0.1, 0.2, 0.3, 0.6], 100), rng.permutation(100)
    assert np.array(points(labels[order], score[order])) == pytest.approx(np.array(points(labels, score)))
    x, y = probabilities.roc_points(labels, np.full(100, 0.2))
    assert (x.tolist(), y.tolist()) == ([0, 1], [0, 1])


def test_labels_of_near_points_do_not_cover_each_other():
    table = pd.DataFrame(
        {"model": ["student", "student (labels only)", "teacher", "balanced"], "footprint": [10.0, 10.0, 11.0, 10.5]}
    ).assign(score=[0.9, 0.9002, 0.901, 0.9], form="ONNX")
    figure, _ = pareto(table, ["student"], "bytes", "AUC")
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 4
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
