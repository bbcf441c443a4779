"""Simulations with known truth: how often a winner is false, a gap is found, an interval or a set holds what it should."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from stillhouse.evaluation.comparison import Comparison, main_draws, pairs
from stillhouse.evaluation.conformal import with_conformal
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.scores import evaluate
from stillhouse.intake.task import Task
from stillhouse.shift.two_sample import holm

pytestmark = [pytest.mark.slow, pytest.mark.proof]

SETTINGS = {"draws": 400, "level": 0.95, "precision": 0.9, "quantile": 0.5, "coverage": 0.9}
BINARY = Protocol(Task("binary", ["no", "yes"]), SETTINGS, seed=1)
VALUES = Task("regression")
FOLDS, COLUMNS, STRENGTH = 5, 6, 0.35


def drawn(rows, rng):
    """Rows of two normal classes, as far apart in each column."""
    y = rng.integers(0, 2, rows)
    return rng.normal(size=(rows, COLUMNS)) + STRENGTH * (2 * y[:, None] - 1), y


def held_out(X, y, make, fold):
    """Predictions of each row by a model of the other folds, and these models."""
    p, models = np.empty(len(y)), []
    for number in range(FOLDS):
        models.append(make(number).fit(X[fold != number], y[fold != number]))
        p[fold == number] = models[-1].predict_proba(X[fold == number])[:, 1]
    rows = {"row": np.arange(len(y)), "p_no": 1 - p, "p_yes": p, "label": y.astype(float), "part": "train", "fold": fold}
    return pd.DataFrame({**rows, "decision": (p > 0.5).astype(int)}), models


def verdicts(tables):
    """The tests of all pairs, the best model's first."""
    found = {name: {"value": np.mean(values := aucs(rows)), "folds": dict(enumerate(values))} for name, rows in tables.items()}
    metrics = {name: [{"held_out": {"ratio": 1 / (FOLDS - 1), "metrics": {"auc": auc}}}] for name, auc in found.items()}
    draws = {name: main_draws(rows, BINARY) for name, rows in tables.items()}
    return pairs(Comparison(metrics, draws, BINARY))


def aucs(rows):
    """The AUC of each fold, which are of one size."""
    return [roc_auc_score(part["label"], part["p_yes"]) for _, part in rows.groupby("fold")]


def seeds_of_one_model(trial, count, rows):
    """Held-out predictions of so many seeds of one method."""
    rng = np.random.default_rng(trial)
    X, y = drawn(rows, rng)
    fold = rng.permutation(rows) % FOLDS

    def made(seed):
        return held_out(X, y, lambda number: ExtraTreesClassifier(8, max_depth=5, random_state=1000 * seed + number), fold)[0]

    return {f"seed{seed}": made(seed) for seed in range(count)}


def test_of_two_seeds_of_one_model_hardly_ever_one_wins():
    lines = pd.concat([verdicts(seeds_of_one_model(trial, 2, 400)) for trial in range(200)])
    found = {"rows alone": (lines["p_rows"] < 0.05).sum(), "folds alone": (lines["p_folds"] < 0.05).sum()}
    print("false winners of 200:", {**found, "both": lines["better"].sum()})
    assert lines["better"].sum() <= 10


@pytest.mark.parametrize(("rows", "trials"), [(400, 100), (2000, 40)])
def test_among_six_seeds_of_one_model_hardly_ever_one_beats_any_other(rows, trials):
    """Where rows are many, seeds differ by more than rows explain, and the test over rows alone finds winners."""
    found = [verdicts(seeds_of_one_model(trial, 6, rows)) for trial in range(trials)]
    false = sum(table["better"].any() for table in found)
    by_rows = sum((holm(table["p_rows"]) < 0.05).any() for table in found)
    print(f"runs of {trials} with a false winner among six, {rows} rows: {false}; by rows alone {by_rows}")
    assert false <= trials / 10


@pytest.mark.parametrize("others", [0, 4])
def test_a_true_gap_is_found(others):
    """A logistic regression without two of six columns, on 1,500 rows, alone or among others; the gap is that on new rows."""
    found, gaps = 0, []
    X_new, y_new = drawn(200_000, np.random.default_rng(999))
    for trial in range(100):
        rng = np.random.default_rng(trial)
        X, y = drawn(1500, rng)
        fold = rng.permutation(1500) % FOLDS
        tables, scores = {}, []
        for name, columns in {"whole": COLUMNS, "fewer": COLUMNS - 2}.items():
            tables[name], models = held_out(X[:, :columns], y, lambda _: LogisticRegression(), fold)
            scores.append(roc_auc_score(y_new, models[0].decision_function(X_new[:, :columns])))
        for seed in range(others):
            made = held_out(X, y, lambda n, s=seed: ExtraTreesClassifier(8, max_depth=5, random_state=9 * s + n), fold)
            tables[f"other{seed}"] = made[0]
        gaps.append(scores[0] - scores[1])
        table = verdicts(tables)
        found += table.loc[(table["model"] == "whole") & (table["other"] == "fewer"), "better"].any()
    print(f"a gap of {np.mean(gaps):.4f} AUC beside {others} other models is found {found} times of 100")
    assert found >= 80


def true_auc(model):
    """The AUC of a linear score on the classes of ``drawn``, without sampling."""
    w = model.coef_[0]
    return norm.cdf(2 * STRENGTH * w.sum() / np.sqrt(2 * w @ w))


def test_intervals_hold_the_true_auc_as_often_as_they_say():
    ends, truths = [], []
    for trial in range(300):
        rng = np.random.default_rng(trial)
        X, y = drawn(400, rng)
        fold = rng.permutation(400) % FOLDS
        rows, models = held_out(X, y, lambda _: LogisticRegression(), fold)
        found = evaluate(rows, replace(BINARY, seed=trial, ratio=1 / (FOLDS - 1)))["held_out"]["metrics"]["auc"]
        ends.append([found[key] for key in ("low", "high", "t_low", "t_high")])
        truths.append(np.mean([true_auc(model) for model in models]))
    ends, truths = np.array(ends), np.array(truths)
    of_rows = np.mean((ends[:, 0] <= truths) & (truths <= ends[:, 1]))
    of_folds = np.mean((ends[:, 2] <= truths.mean()) & (truths.mean() <= ends[:, 3]))
    print(f"coverage of 95 % intervals: bootstrap of rows {of_rows:.3f}, corrected resampled t {of_folds:.3f}")
    assert 0.92 <= of_rows <= 0.98
    assert 0.92 <= of_folds <= 0.995


def shifted(rng, rows=1500, new=1500):
    """Values whose spread grows with x, x of deploy rows lying higher, predictions of the true mean, and the true ratio."""
    x = np.r_[rng.normal(size=rows), rng.normal(0.8, 1, size=new)]
    label = x + np.exp(0.6 * x) * rng.normal(size=rows + new)
    part = np.repeat(["train", "deploy"], [rows, new])
    fold = np.where(part == "train", rng.integers(0, FOLDS, rows + new), -1)
    table = pd.DataFrame({"row": np.arange(rows + new), "prediction": x, "label": label, "part": part, "fold": fold})
    ratio = np.exp(0.8 * x - 0.32)[:rows]
    return table, pd.DataFrame({"row": np.arange(rows), "weight": ratio / ratio.mean()})


def test_conformal_intervals_hold_under_a_known_shift_with_weights_and_not_without():
    covered = {"held_out": [], "deploy_weighted": [], "deploy": [], "unweighted": []}
    for trial in range(60):
        rows, weights = shifted(np.random.default_rng(trial))
        metrics = {"held_out": {}, "deploy_weighted": {}, "deploy": {}}
        protocol = Protocol(VALUES, {**SETTINGS, "draws": 2})
        found, _ = with_conformal(metrics, rows, rows, protocol, timed=False, weights=weights)
        for part in metrics:
            covered[part].append(found[part]["conformal"]["value"])
        covered["unweighted"].append(found["deploy"]["conformal"]["unweighted"])
    means = {part: float(np.mean(values)) for part, values in covered.items()}
    print("coverage where 90 % are wanted:", {part: round(value, 4) for part, value in means.items()})
    for part in ("held_out", "deploy_weighted", "deploy"):
        assert means[part] == pytest.approx(0.9, abs=0.02)
    assert means["unweighted"] < 0.86
