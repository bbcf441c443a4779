"""The report's sentences: they say what the numbers say, and nothing that they do not."""

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from conftest import report_run

from stillhouse.report import figures
from stillhouse.report.scatter import pareto
from stillhouse.report.sections import (
    control,
    coverage,
    data,
    explanation,
    footprint,
    learning,
    probabilities,
    rows,
    scores,
    shift,
    students,
    threshold,
    training,
)
from stillhouse.report.text import p_value, ratio, short, with_interval_in_percent

BINARY = {"task": "binary", "classes": ["no", "yes"], "costs": None}


def controlled(value, low, high, name="auc", task="binary"):
    metrics = {"held_out": {"metrics": {name: {"value": value, "low": low, "high": high}}}}
    return report_run(schema={**BINARY, "task": task, "alerts": []}, control={"tree": metrics})


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
    assert [said.startswith("Something leaks") for said in control.alarms(run)] == [True] * is_leak
    assert not (is_leak and control.sentence(run))


def test_a_control_of_values_alarms_where_something_is_explained():
    assert control.alarms(controlled(0.2, 0.15, 0.25, "r2", "regression"))
    assert not control.alarms(controlled(-0.3, -0.4, -0.2, "r2", "regression"))


def test_columns_that_tell_the_target_are_in_red_and_the_control_claims_no_more_than_it_shows():
    run = controlled(0.51, 0.47, 0.55)
    run.schema["alerts"] = ["column 'boat' (1.00) alone nearly tells the target (AUC)"]
    assert control.alarms(run) == ["Column 'boat' (1.00) alone nearly tells the target (AUC)."]
    assert "the workflow itself shows no leak. Columns that would not be known" in control.sentence(run)


def deployed(held_out, deploy, weighted=None, name="auc", schema=BINARY):
    parts = {"held_out": held_out, "deploy": deploy, **({"deploy_weighted": weighted} if weighted else {})}
    values = {
        part: {"rows": 226, "metrics": {name: dict(zip(("value", "low", "high"), ends, strict=True))}}
        for part, ends in parts.items()
    }
    return report_run(schema=schema, metrics={"m": values}, comparison=pd.DataFrame({"model": ["m"]}))


REGRESSION = {"task": "regression", "classes": None, "costs": None}


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (
            deployed((0.9, 0.88, 0.92), (0.7, 0.65, 0.75)),
            "its AUC is worse than the 0.900 on held-out rows: 0.700 (0.650 to 0.750).",
        ),
        (
            deployed((0.9, 0.88, 0.92), (0.89, 0.8, 0.94)),
            "is not clearly different: 0.890 (0.800 to 0.940); on held-out rows it is 0.900.",
        ),
        (
            deployed((2.2, 2.1, 2.3), (3.5, 3.2, 3.9), name="rmse", schema=REGRESSION),
            "its RMSE is worse than the 2.200 on held-out rows",
        ),
        (deployed((2.2, 2.1, 2.3), (1.5, 1.2, 1.9), name="rmse", schema=REGRESSION), "its RMSE is better than the 2.200"),
        (deployed((0.9, 0.88, 0.92), (None, None, None)), "cannot be computed, as all are of one class."),
    ],
)
def test_the_verdict_compares_deploy_rows_with_held_out_ones(run, said):
    assert said in shift.drop_sentence(run)


def test_an_estimate_by_weights_that_the_truth_refutes_is_named():
    refuted = deployed((0.98, 0.97, 0.99), (0.928, 0.91, 0.94), weighted=(0.982, 0.978, 0.985))
    assert "AUC 0.982 (0.978 to 0.985) weighted, 0.928 (0.910 to 0.940) observed" in shift.weighted_sentence(refuted)
    assert shift.weighted_sentence(deployed((0.98, 0.97, 0.99), (0.95, 0.91, 0.98), weighted=(0.96, 0.93, 0.98))) == ""


def test_the_shares_of_classes_that_deploy_rows_have_stand_beside_their_estimate():
    table = pd.DataFrame({"part": ["train"] * 4 + ["deploy"] * 5, "label": [0.0, 0, 0, 1, 1, 1, 1, 0, np.nan]})
    facts = {"labels": {"before": [0.75, 0.25], "em": {"prior": [0.01, 0.99]}}, "reference": "m"}
    _, drawn = shift.prior_picture(report_run(table=table, shift=facts, schema=BINARY)).drawn
    assert drawn["deploy rows, observed"].tolist() == [0.25, 0.75]
    unknown = report_run(table=table.assign(label=np.nan), shift=facts, schema=BINARY)
    assert "deploy rows, observed" not in shift.prior_picture(unknown).drawn[1]


def compared(best_rows, best_folds, wins=(False, False), repeats=1, **gaps):
    """A run of some models, by the p-values of their being the best."""
    names = ["best", "second", "third"][: len(best_rows)]
    comparison = pd.DataFrame({"model": names, "p_best_rows": best_rows, "p_best_folds": best_folds})
    comparison = comparison.assign(winner_rows=[wins[0], *[False] * (len(names) - 1)], winner_folds=wins[1])
    pairs = pd.DataFrame(
        {"model": "best", "other": names[1:], "p_rows": gaps.get("p_rows", 0.5), "p_folds": gaps.get("p_folds", 0.5)}
    )
    return report_run(
        table=pd.DataFrame(),
        comparison=comparison,
        pairs=pairs,
        config={"report": {"level": 0.95}, "folds": {"repeats": repeats}},
    )


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (
            compared([1, 0.001, 0.02], [1, 0.2, 0.04], wins=(True, False), p_rows=[0.0004, 0.031]),
            [
                "On held-out rows, “best” is better than every other model as they were fitted (bootstrap over rows, p = 0.031).",
                "the best may be “best” or “second”. One set of folds shows large differences only",
            ],
        ),
        (
            compared([1, 0.4, 0.01], [1, 0.3, 0.3], repeats=5),
            [
                "is open: it may be “best” or “second” (each compared with the best over rows, 95 % sure for",
                "any of the 3 models.",
            ],
        ),
        (
            compared([1, 0.001], [1, 0.001], wins=(True, True), p_rows=[0.0001], p_folds=[0.0001]),
            ["p < 0.001).", "Its method is also better than every other on such data, whatever rows they learn from (t-test"],
        ),
        (compared([1, 0.04], [1, 0.5]), ["it may be “best” alone, though", "any of the 2 models. One set"]),
        (compared([1, 0.4], [np.nan, np.nan]), ["any of the 2 models (", "and not how much other training rows would"]),
    ],
)
def test_the_verdict_says_which_models_may_be_the_best_as_fitted_and_as_methods(run, said):
    sentences = scores.winner_sentences(run)
    assert all(part in sentence for part, sentence in zip(said, sentences, strict=True))


def test_a_single_model_is_compared_with_none():
    assert scores.winner_sentences(compared([1], [1])) == []


def test_the_footprint_is_that_of_the_fastest_model_that_loses_little():
    metrics = {
        name: {"held_out": {"metrics": {"auc": {"value": value}}}}
        for name, value in {"big": 0.9, "small": 0.895, "bad": 0.6}.items()
    }
    footprints = {"big": {"milliseconds": 2.0, "bytes": 4000}, "small": {"milliseconds": 0.1, "bytes": 8000}}
    footprints["bad"] = {"milliseconds": 0.01, "bytes": 10}
    run = report_run(schema=BINARY, metrics=metrics, footprints=footprints, comparison=pd.DataFrame({"model": ["big"]}))
    assert footprint.sentence(run) == "The AUC of “small” is lower by 0.005; it is 20 times faster and 2 times larger."
    footprints["small"]["bytes"] = 4100
    assert footprint.sentence(run).endswith("it is 20 times faster and about as large.")
    run.footprints = {"big": footprints["big"]}
    assert footprint.sentence(run) == ""


def test_a_p_value_is_never_said_to_be_nothing():
    assert [p_value(p) for p in (1e-9, 0.0123, 1.0, float("nan"))] == ["< 0.001", "0.012", "1.000", "–"]


def test_slices_that_do_worse_are_counted():
    line = {"slice": "age above 40", "found": "given", "rows": 60, "loss": 0.5, "loss_elsewhere": 0.2, "worse": True}
    table = pd.DataFrame([line, {**line, "loss": 0.4}, {**line, "loss": 0.3}, {**line, "worse": False, "loss": 0.9}])

    def said(slices):
        return explanation.slice_sentence(report_run(slices=slices, reference="m", schema=BINARY))

    assert said(table).endswith(
        "(60 rows): a mean log loss of 0.500 there, and 0.200 elsewhere, weighted to the same shares of classes; 2 more slices are "
        "worse by more than chance explains."
    )
    assert "; one more slice is worse by" in said(table[:2])
    assert "(60 rows of the half that such slices are scored on)" in said(table.assign(found="worst found"))
    assert said(table[3:]) == ""


def test_slices_are_drawn_by_their_loss_not_by_their_metric():
    metric = {"slice": "age above 40", "value": 0.9, "low": 0.8, "high": 0.95}
    table = pd.DataFrame(
        [metric | {"loss": 0.5, "loss_low": 0.4, "loss_high": 0.6}, metric | {"loss": 0.7, "loss_low": 0.6, "loss_high": 0.8}]
    )
    [picture] = explanation.slice_pictures(report_run(slices=table, reference="m", schema=BINARY))
    _, drawn = picture.drawn
    assert drawn["value"].tolist() == [0.7, 0.5]
    assert drawn["low"].tolist() == [0.6, 0.4]
    [picture] = explanation.slice_pictures(report_run(slices=table, reference="m", schema=REGRESSION))
    assert picture.drawn[1]["value"].tolist() == pytest.approx(np.sqrt([0.7, 0.5]).tolist()), "in the unit of the target"


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


def test_a_leader_that_beats_no_constant_is_said_to():
    def led(value, low, high):
        run = deployed((value, low, high), (None, None, None))
        run.constant = {"held_out": {"metrics": {"auc": {"value": 0.5}}}}
        return scores.constant_sentence(run)

    assert led(0.53, 0.45, 0.6) == "It is not clearly better than a constant, which says the same of every row."
    assert led(0.8, 0.7, 0.9) == ""


def test_a_student_that_chose_labels_alone_is_said_to_be_its_twin():
    history = pd.DataFrame({"phase": "choice", "alpha": [1.0, 0.3, 1.0, 0.3], "kept": [True, False, False, True]})
    assert students.labels_alone(report_run(histories={"s": history}), "s").startswith(
        " In 1 of 2 splits it chose to learn from labels"
    )
    assert students.labels_alone(report_run(histories={"s": history[1:]}), "s") == ""


def test_names_beside_an_axis_stay_different_and_whole():
    slices = [f"age above 50 and blood pressure above 140 and cholesterol above {limit}" for limit in (200, 250)]
    assert len(set(map(figures.wrapped, slices))) == 2
    assert figures.wrapped(slices[0]).replace("\n", " ") == slices[0]
    long = [f"{'a very ' * 30}long name {end}" for end in "xy"]
    assert len(set(map(figures.wrapped, long))) == 2
    assert [figures.short_number(value) for value in (0.25, 950, 9136, 25_337, 2.5e6)] == [
        "0.25",
        "950",
        "9,136",
        "25.34k",
        "2.5M",
    ]


def test_the_report_says_what_a_search_chose_and_of_how_many_trials():
    tried = pd.DataFrame({"phase": "search", "settings": ['{"depth": 2}', '{"depth": 4}'] * 3, "kept": [1.0, 0, 0, 1, 1, 0]})
    run = report_run(histories={"tree": tried}, titles={"tree": "tree"})
    (said,) = training.search_sentences(run)
    assert said.startswith(
        "For “tree”, splits chose by their stop rows, each from 2 trials: depth 2 (2 of 3); depth 4 (1 of 3)."
    )


def test_the_report_says_which_models_are_fitted_again_only_where_they_are_shipped():
    models = {"tree": {"fit": {"refit": "all"}}, "net": {"train": {"refit": "shipped"}}}
    assert training.refit_clause(report_run(models=models)) == (
        "models are fitted again on all training rows of their split, but “net” only where the file to be shipped is made: their "
        "scores are of models that learned from fewer rows"
    )
    assert training.refit_clause(report_run(models={"tree": models["tree"]})).endswith("of their split")


def test_the_report_says_how_the_estimate_of_the_run_did():
    run = report_run(config={"estimate": {"minutes": 2.5, "cores": 2}})
    run.jobs = [{"step": "a", "seconds": 30.0, "begun": 1000.0}, {"step": "b", "seconds": 15.0, "begun": 1030.0}]
    said = footprint.time_sentence(run, now=1090.0)
    assert said.startswith("The run was estimated at 2.5 minutes on 2 cores; its first job began 1.5 minutes before")
    assert "The times of 2 jobs add up to 45 seconds" in said
    assert "a part of it was made by an earlier run" in footprint.time_sentence(run, now=9000.0)
    run.config = {}
    assert footprint.time_sentence(run, now=1090.0).startswith("The times of 2 jobs")


def test_the_threshold_of_the_page_counts_what_the_rates_say_for_a_thousand_rows():
    """Rates of labelled deploy rows where there are some, at the share of positive rows there."""
    rates = {"thresholds": [0.2, 0.4, 0.6], "sensitivity": [1.0, 0.9, 0.5], "specificity": [0.3, 0.8, 0.95]}
    held_out, deploy = {"decisions": {**rates, "prevalence": 0.41}}, {"decisions": {**rates, "prevalence": 0.2}}
    comparison = pd.DataFrame({"model": ["m"]})
    rows = pd.DataFrame({"part": "train", "fold": [0, 0, 0, 1, 1], "p_yes": [0.38, 0.4, 0.7, 0.38, 0.42]})
    rows["decision"] = [0, 1, 1, 0, 1]
    used = pd.DataFrame({"part": "deploy", "fold": -1, "p_yes": [0.5, 0.7], "decision": [0, 1]})
    run = report_run(
        schema=BINARY,
        metrics={"m": {"held_out": held_out}},
        comparison=comparison,
        shift=None,
        rows={"m": pd.concat([rows, used])},
    )
    found = threshold.choice(run)
    assert (found["first"], found["share"], found["whence"]) == (2, 41.0, "of the held-out rows")
    assert found["counts"] == {"found": 369, "missed": 41, "false": 118, "alone": 472}
    run.metrics["m"]["deploy"] = deploy
    found = threshold.choice(run)
    assert (found["first"], found["share"], found["rows"]) == (3, 20.0, "labelled deploy rows")
    assert found["counts"] == {"found": 100, "missed": 100, "false": 40, "alone": 760}
    deploy["decisions"]["prevalence"] = 0.002
    found = threshold.choice(run)
    assert (found["of"], found["share"], found["step"]) == (100_000, 0.2, 0.001)
    assert found["counts"]["found"] + found["counts"]["missed"] == 200
    del run.metrics["m"]["held_out"]["decisions"]
    assert threshold.choice(run) is None


def rate(value, low, high):
    return {"value": value, "low": low, "high": high, "rows": 50}


def test_the_report_tells_how_often_decisions_are_right():
    names = ("sensitivity", "specificity", "positive predictive value", "negative predictive value")
    tuned = dict(
        zip(names, (rate(0.8, 0.7, 0.9), rate(0.6, 0.5, 0.7), rate(0.3, 0.2, 0.4), rate(0.9, 0.85, 0.95)), strict=True)
    )
    decisions = {"tuned": tuned, "prevalence": 0.25}
    # As it is read: files have their keys in the order of the alphabet.
    metrics = json.loads(json.dumps({"m": {"held_out": {"decisions": decisions}}}, sort_keys=True))
    metrics["m"]["deploy"] = json.loads(json.dumps({"decisions": {**decisions, "prevalence": 0.5}}, sort_keys=True))
    rows = pd.DataFrame({"part": "train", "fold": [0, 0, 1, 1], "p_yes": [0.24, 0.26, 0.38, 0.42], "decision": [0, 1, 0, 1]})
    run = report_run(
        schema=BINARY,
        metrics=metrics,
        comparison=pd.DataFrame({"model": ["m"]}),
        models={"m": {"fit": {"method": "tree"}}},
        rows={"m": rows},
    )
    said, deploy = probabilities.decision_sentences(run)
    assert said.startswith("At its tuned threshold, a probability of about 0.250 to 0.400 by fold, “m” decides")
    assert "On labelled deploy rows, of which 50 % are yes, sensitivity is 80 % (70 % to 90 %), specificity 60 %" in deploy
    assert "decides for yes in 80 % (70 % to 90 %) of the held-out rows that are yes (sensitivity)" in said
    assert "Of its decisions for yes 30 % (20 % to 40 %) are right, and of those for no 90 %" in said
    assert "where 25 % of rows are yes" in said
    run.models["m"] = {"read": {"method": "external"}}
    assert probabilities.decision_sentences(run) == []
    run.models["m"] = {"fit": {"method": "tree"}}
    run.metrics["m"]["held_out"]["decisions"]["tuned"]["specificity"] = rate(None, None, None)
    assert len(probabilities.decision_sentences(run)) == 1


def test_a_share_without_an_interval_is_told_without_one():
    for low in (None, np.nan):
        assert with_interval_in_percent(rate(0.93, low, low)) == "93 %"
    assert with_interval_in_percent(rate(0.93, 0.9, 0.95)) == "93 % (90 % to 95 %)"
    assert with_interval_in_percent(None) == "–"


def test_groups_and_classes_with_too_few_rows_for_sets_are_named():
    def covered(by_class, strata, edges=None, by=None):
        facts = {"settings": {}, "by": by, "edges": edges, "strata": strata}
        run = report_run(
            schema=BINARY if edges is None else REGRESSION,
            metrics={"m": {"held_out": {"sets": facts}}},
            comparison=pd.DataFrame({"model": ["m"]}),
            config={"report": {"coverage": 0.9, "by_class": by_class}},
        )
        return coverage.short_sentence(run)

    ward = {"source": "ward"}
    few, many = ({"group": name, "fifth": 0, "rows": [rows], "limits": [None]} for name, rows in (("few", 8), ("many", 9)))
    assert covered(False, [{**many, "limits": [0.4]}], by=ward) == ""
    assert covered(False, [few], by=ward) == (
        "Sets of new rows exclude nothing for want of the 9 held-out rows that sets of 90 % take (ward few)."
    )
    assert "exclude nothing for want of held-out rows that resemble deploy rows (ward many)" in covered(False, [many], by=ward)
    of_classes = [
        {"group": "x", "fifth": 0, "rows": [90, 2], "limits": [0.4, None]},
        {"group": "y", "fifth": 0, "rows": [3, 70], "limits": [None, 0.2]},
    ]
    assert "(class yes, ward x; class no, ward y)" in covered(True, of_classes, by=ward)
    fifth = {"group": "", "fifth": 2, "rows": [4], "limits": [None]}
    assert "(fifth 3 of the predicted values)" in covered(True, [fifth], [0.0, 1.0])


def test_the_learning_curve_says_what_the_last_doubling_brought_and_no_more():
    def told(metric, *values, schema=BINARY):
        parts = [
            {"held_out": {"rows": 1000 // 2**place, "metrics": {metric: rate(value, value - 0.01, value + 0.01)}}}
            for place, value in enumerate(values)
        ]
        schema = {**schema, "rows": {"train": 1000}}
        return report_run(schema=schema, metrics={"m": parts[0]}, shares=parts[1:], reference="m")

    run = told("auc", 0.9, 0.85, 0.8)
    assert learning.curve(run)[["rows", "value"]].to_numpy().tolist() == [[250, 0.8], [500, 0.85], [1000, 0.9]]
    said = learning.sentence(run)
    assert "With 1,000 rows in place of 500, “m” has an AUC of 0.900 in place of 0.850" in said
    assert "+0.050 (+0.036 to +0.064); another doubling may bring up to as much" in said
    assert "cannot be told" in learning.sentence(told("auc", 0.9, 0.895))
    assert "more rows made it worse" in learning.sentence(told("auc", 0.8, 0.9))
    assert "may bring up to as much" in learning.sentence(told("rmse", 2.0, 2.5, schema=REGRESSION))
    assert learning.sentence(told("auc", 0.9)) == ""
    assert learning.pictures(told("auc", 0.9)) == []
    assert [picture.name for picture in learning.pictures(run)] == ["learning-curve"]


@pytest.mark.parametrize(("rows", "enough"), [(700, "enough"), (600, "too few")])
def test_the_report_says_how_many_rows_a_regression_takes(rows, enough):
    """The published example of 24 coefficients, R² .288 and 17.4 % positive: 662 rows."""
    of_constant = -(0.174 * np.log(0.174) + 0.826 * np.log(0.826))
    losses = {"m": of_constant + np.log(1 - 0.288) / 2, "constant": of_constant}
    model, constant = ({"held_out": {"metrics": {"log_loss": {"value": loss}}}} for loss in losses.values())
    columns = [{"name": f"x{place}", "kind": "numeric"} for place in range(22)] + [{"name": "c", "kind": "categorical"}]
    schema = {**BINARY, "rows": {"train": rows}, "class_rows": {"no": 826, "yes": 174}, "columns": columns}
    table = pd.DataFrame({"c": ["u", "v", "w", None]})
    run = report_run(
        schema=schema,
        metrics={"m": model},
        constant=constant,
        table=table,
        comparison=pd.DataFrame({"model": ["m"]}),
        left_out=0,
    )
    said = learning.size_sentence(run)
    assert "24 in all, that explains as much as “m” does takes 662 rows" in said
    assert f"There are {rows}, {enough} for such a model" in said
    run.constant["held_out"]["metrics"]["log_loss"]["value"] = losses["m"]
    assert learning.size_sentence(run) == ""


def test_the_report_names_the_columns_whose_gaps_tell_of_the_label():
    label = np.repeat([0.0, 1.0], 100)
    gaps = {"often": np.r_[np.ones(10), np.zeros(90), np.ones(60), np.zeros(40)], "less": np.r_[np.ones(40), np.zeros(160)]}
    table = pd.DataFrame({name: np.where(one == 1, np.nan, 1.0) for name, one in gaps.items()}).assign(
        label=label, part="train"
    )
    columns = [{"name": name, "source": name, "kind": "numeric"} for name in ("often", "less")]
    said = data.gap_sentence(report_run(schema={**BINARY, "columns": columns}, table=table))
    assert said.startswith(
        "Gaps of column often tell of the label: 60 % of the rows that are yes have one, and 10 % of those that are no"
    )
    assert "; so do those of less. Models that use this are misled where" in said
    whole = table.fillna(1.0)
    assert data.gap_sentence(report_run(schema={**BINARY, "columns": columns}, table=whole)) == ""


def test_the_report_says_what_each_column_holds_in_labelled_and_in_deploy_rows():
    columns = [
        {"name": "age", "source": "Age", "kind": "numeric", "missing": 0.125},
        {"name": "site", "source": "site", "kind": "categorical", "missing": 0.0},
        {"name": "ill", "source": "ill", "kind": "boolean", "missing": 0.0},
        {"name": "id", "source": "id", "kind": "identifier", "missing": 0.0},
        {"name": "ward", "source": "ward", "kind": "aside", "missing": 0.0},
    ]
    table = pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 70_000.0, np.nan], "site": list("aaabbcde")})
    table = table.assign(ill=[0.0, 1.0] * 4, id=range(8), ward="x", part=["train"] * 6 + ["deploy"] * 2)
    run = report_run(schema={"columns": columns}, table=table)
    lines = {line["name"]: line for line in data.column_lines(run)}
    assert list(data.parts_of(run)) == ["labelled rows", "deploy rows"]
    assert lines["Age"] == {
        "name": "Age",
        "kind": "numeric",
        "missing": "12.5 %",
        "held": ["3.5 (1.25 to 5.75)", "70,000 (70,000 to 70,000)"],
    }
    assert lines["site"]["held"] == ["a 50 %, b 33.3 %, c 16.7 %", "d 50 %, e 50 %"]
    assert lines["ill"]["held"] == ["50 % are 1", "50 % are 1"]
    assert (lines["id"]["held"], lines["ward"]["kind"]) == (["", ""], "not used")
    many = report_run(schema={"columns": columns[1:2]}, table=pd.DataFrame({"site": list("aabcde"), "part": "train"}))
    assert data.column_lines(many)[0]["held"][0].endswith(" and 2 more")
    year = [{"name": "seen year", "source": "seen", "kind": "datetime", "part": "year", "missing": 0.0}]
    seen = report_run(schema={"columns": year}, table=pd.DataFrame({"seen year": [2011.0, 2012.0, 2013.0], "part": "train"}))
    assert data.column_lines(seen)[0]["held"] == ["2012 (2011 to 2013)"]
    assert [short(value) for value in (0.254, 999.4, 999.7, 12_400.0)] == ["0.254", "999", "1,000", "12,400"]
    gone = report_run(schema={"columns": columns[:1]}, table=pd.DataFrame({"age": [np.nan], "part": "train"}))
    assert data.column_lines(gone)[0]["held"] == ["nothing"]


@pytest.mark.parametrize(
    ("value", "said"),
    [(1.02, "about as fast"), (3.4, "3.4 times faster"), (1170.4, "1,170 times faster"), (0.25, "4 times slower")],
)
def test_ratios_are_written_as_people_do(value, said):
    assert ratio(value, "faster", "slower", "fast") == said


def test_the_flow_of_rows_counts_every_row_once():
    table = pd.DataFrame({"part": ["train"] * 90, "group": "a", "time": 1.0})
    run = report_run(
        dataset="d",
        config={"datasets": {"d": {"embargo": "7 days"}}},
        table=table,
        schema={"rows": {"train": 90, "deploy": 20}, "target": "ill", "without_label": 5},
        left_out=8,
        rows={"m": pd.DataFrame({"part": ["train"] * 60 + ["deploy"] * 20})},
        comparison=pd.DataFrame({"model": ["m"]}),
    )
    _, found = data.flow_picture(run).drawn
    assert found[["step", "rows"]].drop_duplicates().to_numpy().tolist() == [
        ["rows read", 115],
        ["labelled rows", 90],
        ["rows in folds", 82],
        ["rows scored", 60],
    ]
    aside = dict(zip(found["aside"], found["aside_rows"], strict=True))
    assert aside == {
        "without a value of ill": 5,
        "deploy rows": 20,
        "that lie less than the embargo (7 days) before a block or of a group with most of its rows in another block": 8,
        "of the first block, not scored": 22,
        "": 0,
    }


def test_rows_that_all_are_scored_have_no_flow():
    run = report_run(
        dataset="d",
        config={"datasets": {"d": {}}},
        table=pd.DataFrame({"part": ["train"] * 9}),
        schema={"rows": {"train": 9}, "target": "ill", "without_label": 0},
        left_out=0,
        rows={"m": pd.DataFrame({"part": ["train"] * 9})},
        comparison=pd.DataFrame({"model": ["m"]}),
    )
    assert data.flow_picture(run) is None


def with_rows(label, classes, explain_rows=True, **predicted):
    held = pd.DataFrame({"row": np.arange(len(label)) + 10, "label": label, "part": "train", **predicted})
    task = "multiclass" if classes else "regression"
    config = {"report": {"explain_rows": explain_rows}}
    return report_run(schema={"task": task, "classes": classes, "costs": None}, rows={"m": held}, reference="m", config=config)


def test_the_worst_mistakes_are_those_whose_label_is_the_least_likely_and_shown_only_where_asked():
    predicted = {"p_a": [0.1, 0.7, 0.9, 0.3], "p_b": [0.8, 0.2, 0.05, 0.4], "p_c": [0.1, 0.1, 0.05, 0.3]}
    told = rows.mistake_lines(with_rows([0.0, 1, 0, 0], list("abc"), **predicted))
    assert told == [
        {"row": 10, "label": "a", "said": "b (80 %)"},
        {"row": 11, "label": "b", "said": "a (70 %)"},
        {"row": 13, "label": "a", "said": "b (40 %)"},
    ]
    assert rows.mistake_lines(with_rows([0.0, 1, 0, 0], list("abc"), explain_rows=False, **predicted)) == []


def test_the_worst_mistakes_of_values_are_the_farthest_off():
    told = rows.mistake_lines(with_rows([1.0, 5, 2], None, prediction=[1.5, 1.0, 2.0]))
    assert [line["row"] for line in told] == [11, 10, 12]
    assert told[0] == {"row": 11, "label": "5.000", "said": "1.000"}
