"""Shift: what has moved is found and named, and what has not is left alone."""

import numpy as np
import pandas as pd
import pytest
from prepared_samples import prepared_by
from scipy.special import softmax

from stillhouse.predictions.calibration import BiasCorrectedTemperature
from stillhouse.shift import label_shift
from stillhouse.shift.adjusted import holm
from stillhouse.shift.diagnosis import diagnose
from stillhouse.shift.two_sample import Sides, classifier_test, column_test

CENTRES = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
SOURCE, TARGET = np.array([1 / 3, 1 / 3, 1 / 3]), np.array([0.7, 0.2, 0.1])


def drawn(prior, rows, rng, move=0.0):
    labels = rng.choice(3, size=rows, p=prior)
    return CENTRES[labels] + rng.normal(size=(rows, 2)) + [move, 0], labels


def overconfident(X, times):
    """Probabilities of the true model on the source prior, their logits multiplied."""
    return softmax(times * -0.5 * ((X[:, None] - CENTRES) ** 2).sum(axis=2), axis=1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_moved_class_mixture_is_recovered_from_overconfident_probabilities(seed):
    rng = np.random.default_rng(seed)
    (X, labels), (X_new, _) = drawn(SOURCE, 10_000, rng), drawn(TARGET, 10_000, rng)
    p, p_new = overconfident(X, 3.0), overconfident(X_new, 3.0)
    found = dict(zip(label_shift.ESTIMATORS, label_shift.priors(p, labels, p_new), strict=True))
    assert np.abs(found["em"] - TARGET).max() < 0.02
    assert np.abs(found["bbse"] - TARGET).max() < 0.02
    assert np.abs(found["rlls"] - TARGET).max() < 0.03
    assert np.abs(label_shift.em(p, labels, p_new) - TARGET).max() > 0.02


def test_calibration_undoes_a_stated_overconfidence():
    rng = np.random.default_rng(0)
    X, labels = drawn(SOURCE, 10_000, rng)
    calibrated = BiasCorrectedTemperature().fit(overconfident(X, 3.0), labels).predict(overconfident(X, 3.0))
    assert np.abs(calibrated - overconfident(X, 1.0)).mean() < 0.02


def test_intervals_of_the_mixture_hold_the_truth_and_the_matrix_is_well_conditioned():
    rng = np.random.default_rng(0)
    (X, labels), (X_new, _) = drawn(SOURCE, 1500, rng), drawn(TARGET, 1500, rng)
    found = label_shift.estimate(overconfident(X, 1.0), labels, overconfident(X_new, 1.0), 60, 0.95, rng)
    assert all(low <= truth <= high for low, truth, high in zip(found["em"]["low"], TARGET, found["em"]["high"], strict=True))
    assert 1 < found["condition"] < 10


def test_holm_adjusts_like_the_hand_worked_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_p_values_without_a_shift_are_spread_evenly():
    p, sides = [], Sides(np.repeat([False, True], 150))
    for seed in range(60):
        rng = np.random.default_rng(seed)
        p.append(classifier_test(rng.normal(size=(300, 3)), sides, rng, permutations=40)[1])
    assert 0.35 < np.mean(p) < 0.65
    assert np.mean(np.array(p) < 0.1) < 0.25


def diagnosed(seed, prior=SOURCE, move=0.0, rows=800, shift_rows=10_000):
    rng = np.random.default_rng(seed)
    (X, labels), (X_new, _) = drawn(SOURCE, rows, rng), drawn(prior, rows, rng, move)
    both = np.vstack([X, X_new])
    table = pd.DataFrame(both, columns=["a", "b"]).assign(row=range(2 * rows), part=np.repeat(["train", "deploy"], rows))
    table["label"] = np.r_[labels.astype(float), np.full(rows, np.nan)]
    prepared = pd.DataFrame({"row": table["row"], "n0:a": table["a"], "n1:b": table["b"]})
    p = overconfident(both, 1.5)
    predictions = pd.DataFrame({"row": table["row"], **{f"p_{name}": p[:, code] for code, name in enumerate("xyz")}})
    columns = [{"name": name, "kind": "numeric"} for name in "ab"]
    schema = {"classes": list("xyz"), "columns": columns}
    settings = {"draws": 500, "level": 0.95, "shift_rows": shift_rows}
    return diagnose(table, prepared, schema, predictions, settings, rng)


@pytest.mark.parametrize(("kind", "options"), [("none", {}), ("label", {"prior": TARGET}), ("covariate", {"move": 1.0})])
def test_the_diagnosis_names_the_kind_of_shift_and_says_why(kind, options):
    found = diagnosed(3, **options)
    assert found["recommended"] == kind
    assert {"none": "look like", "label": "label shift", "covariate": "covariate shift"}[kind] in found["reason"]


def test_a_large_table_is_compared_on_a_sample_and_the_reason_says_so():
    found, whole = diagnosed(3, move=1.0, rows=2500, shift_rows=1000), diagnosed(3, move=1.0, rows=2500)
    assert found["rows"] == whole["rows"] == {"labelled": 2500, "deploy": 2500}
    assert found["recommended"] == whole["recommended"] == "covariate"
    assert "on at most 1,000 rows of each, drawn by chance" in found["reason"]
    assert "drawn by chance" not in whole["reason"]
    assert found["auc"] == pytest.approx(whole["auc"], abs=0.05)


def test_rare_words_make_no_shift_where_there_is_none():
    """Which words are rare is learned from labelled rows, where they are rarer than elsewhere by that choice alone."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"row": range(3000), "part": np.repeat(["train", "deploy"], 1500)})
    table["word"], table["label"] = rng.integers(0, 150, 3000).astype(str), 1.0
    columns = [{"name": "word", "position": 0, "kind": "categorical"}]
    prepared = prepared_by(columns, "median", categories=50).fit(table[:1500]).transform(table)
    schema, settings = {"classes": None, "columns": columns}, {"draws": 100, "level": 0.95, "shift_rows": 10_000}
    assert diagnose(table, prepared, schema, None, settings, rng)["recommended"] == "none"
    moved = table.assign(word=table["word"].where(table["row"] % 8 > 0, "1"), row=table["row"])
    moved.loc[:1499, "word"] = table["word"][:1500]
    prepared = prepared_by(columns, "median", categories=50).fit(moved[:1500]).transform(moved)
    assert diagnose(moved, prepared, schema, None, settings, rng)["recommended"] == "covariate"


def test_the_shrunk_estimate_of_the_class_prior_is_consistent():
    """Exact probabilities, many rows, a rare class that has become frequent: the three estimates agree, and none is refused."""
    rng = np.random.default_rng(0)

    def rows(share, count=100_000):
        labels = (rng.random(count) < share).astype(int)
        x = rng.normal(size=count) + 1.5 * labels
        p = 1 / (1 + (0.98 / 0.02) * np.exp(-1.5 * x + 1.5**2 / 2))
        return np.c_[1 - p, p], labels

    (p, labels), (p_new, _) = rows(0.02), rows(0.3)
    for name, estimator in label_shift.ESTIMATORS.items():
        assert estimator(p, labels, p_new)[1] == pytest.approx(0.3, abs=0.06), name
    assert label_shift.corrected(p, labels, p_new) is not None


def test_a_shrunk_estimate_of_few_rows_stays_nearer_to_no_shift_than_one_that_is_not():
    rng = np.random.default_rng(0)
    (X, labels), (X_new, _) = drawn(SOURCE, 60, rng), drawn(SOURCE, 40, rng)
    cases = [(overconfident(X, 1.0), labels, overconfident(X_new, 1.0))]
    shrunk, plain = (
        np.mean([np.abs(one(*case) - SOURCE).sum() for case in cases]) for one in (label_shift.rlls, label_shift.bbse)
    )
    assert shrunk < plain


def test_many_rare_words_differ_by_chance_as_often_as_the_level_says():
    """Four hundred words, two hundred deploy rows, no shift: p is below .05 about one time in twenty."""
    p, sides = [], Sides(np.repeat([False, True], [2000, 200]))
    weights = 1 / np.arange(1, 401)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        words = pd.Series(rng.choice(400, 2200, p=weights / weights.sum()).astype(str))
        p.append(column_test(words, sides, rng, is_categorical=True)[1])
    assert np.mean(np.array(p) < 0.05) <= 0.09
    assert np.mean(np.array(p) < 0.02) <= 0.05


def of_patients(seed, move=0.0, patients=60, visits=12):
    """A table of patients who are allotted to the parts at random, each with several visits that are alike."""
    rng = np.random.default_rng(seed)
    patient, is_deploy = np.repeat(np.arange(patients), visits), np.repeat(rng.permutation(patients) < patients // 3, visits)
    X = rng.normal(size=(patients, 3))[patient] + 0.3 * rng.normal(size=(patients * visits, 3))
    X[is_deploy, 0] += move
    table = pd.DataFrame(X, columns=list("abc")).assign(
        row=range(len(X)), group=patient, part=np.where(is_deploy, "deploy", "train")
    )
    table = table.assign(label=1.0, site=rng.choice(list("pqr"), patients)[patient])
    columns = [{"name": name, "position": place, "kind": "numeric"} for place, name in enumerate("abc")]
    columns.append({"name": "site", "position": 3, "kind": "categorical"})
    prepared = pd.DataFrame({"row": table["row"], **{f"n{place}:{name}": table[name] for place, name in enumerate("abc")}})
    return diagnose(
        table, prepared, {"classes": None, "columns": columns}, None, {"draws": 100, "level": 0.95, "shift_rows": 10_000}, rng
    )


def test_patients_who_are_allotted_at_random_are_not_shifted_and_those_who_differ_are():
    found = [of_patients(seed) for seed in range(20)]
    assert sum(one["recommended"] != "none" for one in found) <= 2
    assert sum(column["p"] < 0.05 for one in found for column in one["columns"]) <= 4
    assert sum(of_patients(seed, move=2.0)["recommended"] == "covariate" for seed in range(5)) == 5


def test_where_groups_are_too_few_to_compare_the_reason_says_so():
    found = of_patients(0, patients=6, visits=60)
    assert found["groups_ignored"]
    assert "groups are too few to compare" in found["reason"]


@pytest.mark.slow
@pytest.mark.proof
@pytest.mark.parametrize(
    ("kind", "options", "least"), [("none", {}, 95), ("label", {"prior": TARGET}, 90), ("covariate", {"move": 1.0}, 90)]
)
def test_over_a_hundred_trials_the_diagnosis_is_right(kind, options, least):
    right = sum(diagnosed(seed, **options)["recommended"] == kind for seed in range(100))
    print(kind, right)
    assert right >= least
