"""The leader's score, corrected for having been picked, and students that are not worse than their teachers by a margin."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from stillhouse.evaluation.comparison import Comparison, compare_students, main_draws
from stillhouse.evaluation.metrics import main_metric
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import main_of
from stillhouse.intake.task import Task
from stillhouse.report.sections.scores import corrected_part
from stillhouse.report.sections.students import compared

SETTINGS = {"draws": 200, "level": 0.95, "precision": 0.9, "quantile": 0.5, "margin": 0.05}


def models(shifts, rows, seed, common=0.0):
    """Held-out rows of models whose log odds move by these shifts between the classes; ``common`` is the noise they share."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(rows) % 2)
    shared, found = rng.normal(size=rows), {}
    for place, shift in enumerate(shifts):
        x = shift * (2 * y - 1) / 2 + np.sqrt(common) * shared + np.sqrt(1 - common) * rng.normal(size=rows)
        p = 1 / (1 + np.exp(-x))
        facts = {"row": np.arange(rows), "label": y.astype(float), "part": "train", "fold": np.arange(rows) % 4}
        found[f"m{place}"] = pd.DataFrame({**facts, "p_no": 1 - p, "p_yes": p, "decision": (p > 0.5).astype(int)})
    return found


def main_alone(rows, protocol):
    """What `evaluate` says of the main metric, without intervals."""
    value = float(main_of(rows, protocol)(np.ones((1, len(rows))))[0])
    by_fold = {fold: float(main_of(own, protocol)(np.ones((1, len(own))))[0]) for fold, own in rows.groupby("fold")}
    return {
        "ratio": 1 / 3,
        "units": len(rows) // 2,
        "metrics": {main_metric(protocol.task): {"value": value, "folds": by_fold}},
    }


def contest(tables, settings=SETTINGS, task=("binary", ["no", "yes"])):
    protocol = Protocol(Task(*task), settings, seed=1, ratio=1 / 3)
    metrics = {name: [{"held_out": main_alone(rows, protocol)}] for name, rows in tables.items()}
    drawn, left_out = main_draws(tables, protocol)
    return Comparison(metrics, drawn, protocol, left_out)


@pytest.mark.slow
def test_the_corrected_score_of_the_best_of_ten_equal_models_is_unbiased():
    """300 tables of 200 rows and ten models of one AUC: the best one's is too high, the corrected one is not."""
    truth, plain, corrected = norm.cdf(1 / np.sqrt(2)), [], []
    for trial in range(300):
        found = contest(models([1.0] * 10, 200, trial, common=0.5), {**SETTINGS, "draws": 100})
        plain.append(found.values[found.ranked[0]] - truth)
        corrected.append(found.corrected() - truth)
    assert np.mean(plain) > 0.02
    assert abs(np.mean(corrected)) < 0.003 + 2 * np.std(corrected) / np.sqrt(300)


def test_a_clear_winner_is_hardly_corrected_and_never_upwards():
    found = contest(models([2.5, 1.0, 0.8], 400, 1))
    leader = found.values[found.ranked[0]]
    assert found.ranked[0] == "m0"
    assert leader - 0.005 < found.corrected() <= leader
    equal = contest(models([1.0] * 8, 120, 2))
    assert equal.corrected() < equal.values[equal.ranked[0]] - 0.005
    assert contest(models([1.0], 120, 2)).corrected() is None


def test_a_loss_is_corrected_upwards():
    tables = {}
    for place in range(6):
        rng = np.random.default_rng(place)
        label = np.random.default_rng(99).normal(size=150)
        facts = {"row": np.arange(150), "label": label, "part": "train", "fold": np.arange(150) % 3}
        tables[f"m{place}"] = pd.DataFrame({**facts, "prediction": label + rng.normal(size=150)})
    found = contest(tables, task=("regression", None))
    best = found.values[found.ranked[0]]
    assert best == min(found.values.values())
    assert best < found.corrected() < max(found.values.values())


def test_a_student_is_within_the_margin_where_its_interval_is():
    tables = models([1.5, 1.48, 0.9], 1500, 3, common=0.8)
    for margin, within in ((0.05, [True, False]), (0.0001, [False, False]), (0, [None, None])):
        found = contest(tables, {**SETTINGS, "margin": margin})
        students = {"m1": {"m0": "teacher"}, "m2": {"m0": "teacher"}}
        lines = compare_students(found, students, tables)
        assert lines["within_margin"].tolist() == within
        gaps = lines["gap_low"].tolist()
        assert [gap > -margin for gap in gaps] == within or not margin


def test_the_report_says_what_is_shown_of_a_margin():
    task = SimpleNamespace(classes=["no", "yes"])
    run = SimpleNamespace(settings={"margin": 0.01}, more_is_better=True, task=task)
    line = {"is": "teacher", "gap": -0.002, "gap_low": -0.006, "gap_high": 0.001, "better": False, "worse": True}
    worse = "significantly worse (-0.002 (-0.006 to +0.001))"
    assert compared(run, line | {"within_margin": True}) == f"{worse}, but not worse by more than 0.01"
    assert compared(run, line | {"within_margin": False}) == f"{worse}, and not shown to be worse by no more than 0.01"
    for unknown in (None, np.nan):
        assert "and not shown" in compared(run, line | {"within_margin": unknown})
    values = SimpleNamespace(settings={"margin": 0.01}, more_is_better=False, task=SimpleNamespace(classes=None))
    assert compared(values, line | {"within_margin": True}).endswith("but not worse by more than 1 % of the teacher's")
    without = SimpleNamespace(settings={"margin": 0}, more_is_better=True)
    assert compared(without, line | {"within_margin": None}) == worse


def test_the_report_states_the_corrected_score_where_models_were_compared():
    table = pd.DataFrame({"corrected": [0.8123, np.nan]})

    def said(value, comparison=table):
        return corrected_part(SimpleNamespace(comparison=comparison, leader="m", value=lambda name: value))

    assert said(0.82) == " Corrected for having been picked as the best of 2 models, it is 0.812."
    assert said(0.8124) == " That it was picked as the best of 2 models flatters it by less than is shown here."
    assert said(0.82, table[:1]) == ""
