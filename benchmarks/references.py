"""How far our statistics are from those of packages that compute the same, for docs/benchmarks.md.

    pip install statsmodels dcurves mapie shap fairlearn
    python benchmarks/references.py

The packages are none that Stillhouse needs; an environment of their own, with Stillhouse's requirements, will do. Each line is
the largest difference over cases that are drawn here.
"""

import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import dcurves
import numpy as np
import pandas as pd
import shap
import statsmodels.api as sm
from fairlearn.metrics import MetricFrame, false_negative_rate, false_positive_rate
from lightgbm import LGBMClassifier
from mapie.conformity_scores.sets import APSConformityScore
from mapie.conformity_scores.sets.raps import RAPSConformityScore
from mapie.regression import ConformalizedQuantileRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression

sys.path.append(str(Path(__file__).resolve().parent.parent / "workflow" / "scripts"))
from stillhouse.columns import FALSE_NEGATIVES, FALSE_POSITIVES, graph_input
from stillhouse.evaluation.conformal import HeldOut
from stillhouse.evaluation.groups import groups
from stillhouse.evaluation.net_benefit import THRESHOLDS, NetBenefit
from stillhouse.evaluation.nonconformity import drawn_share, nonconformity_score
from stillhouse.evaluation.protocol import Protocol
from stillhouse.evaluation.recalibration import calibration_intercept, calibration_slope
from stillhouse.intake import kinds
from stillhouse.intake.task import Task
from stillhouse.shipping.effects import Effects

CASES = 20


def predicted(rng, rows=500):
    """Return labels and the probabilities of a model that is too sure, shape (rows, 2)."""
    x = rng.normal(-0.5, 1.5, rows)
    label = (rng.random(rows) < 1 / (1 + np.exp(-0.7 * x - 0.2))).astype(int)
    p = 1 / (1 + np.exp(-x))
    return label, np.column_stack([1 - p, p])


def slope(rng):
    """Return the difference of slopes from a binomial regression on the log odds."""
    label, scores = predicted(rng)
    x = np.log(scores[:, 1]) - np.log(scores[:, 0])
    expected = sm.GLM(label, sm.add_constant(x), sm.families.Binomial()).fit(tol=1e-14).params[1]
    return abs(calibration_slope(label, scores, np.ones((1, len(label))))[0] - expected)


def intercept(rng):
    """Return the difference of intercepts from a binomial regression with the log odds as offset."""
    label, scores = predicted(rng)
    x = np.log(scores[:, 1]) - np.log(scores[:, 0])
    fitted = sm.GLM(label, np.ones((len(label), 1)), sm.families.Binomial(), offset=x).fit(tol=1e-14)
    return abs(calibration_intercept(label, scores, np.ones((1, len(label))))[0] - fitted.params[0])


def net_benefit(rng):
    """Return the largest difference of net benefits over thresholds."""
    label, scores = predicted(rng)
    table = pd.DataFrame({"label": label, "model": scores[:, 1]})
    found = dcurves.dca(data=table, outcome="label", modelnames=["model"], thresholds=THRESHOLDS)
    expected = found[found["model"] == "model"].sort_values("threshold")["net_benefit"].to_numpy()
    return np.abs(NetBenefit(label, scores[:, 1])(np.ones((1, len(label))))[0] - expected).max()


def adaptive(rng, penalty=0.0, free=1):
    """Return the largest difference of the scores of labels, with the draws of rows that are ours."""
    classes, rows = [f"k{code}" for code in range(6)], 300
    p = rng.dirichlet(np.full(6, 0.5), rows)
    label = (p.cumsum(axis=1) > rng.random((rows, 1))).argmax(axis=1)
    table = pd.DataFrame(p, columns=[f"p_{name}" for name in classes]).assign(row=range(rows))
    settings = {"sets": "aps", "penalty": penalty, "penalty_from": free}
    ours = nonconformity_score(table, classes, settings)[np.arange(rows), label]
    whole, rank = APSConformityScore.get_true_label_cumsum_proba(label, p, np.arange(6))
    theirs = whole[:, 0] - (1 - drawn_share(p)[:, 0]) * p[np.arange(rows), label]
    if penalty:
        free = np.array([free])
        theirs = RAPSConformityScore._regularize_conformity_score(free, penalty, theirs[:, None], rank)[:, 0, 0]
    return np.abs(ours - theirs).max()


def quantile_intervals(rng, level=0.9, rows=301):
    """Return the largest difference of the ends of new rows' intervals, widened from the same two predicted quantiles."""
    X, new = rng.normal(size=(rows, 1)), rng.normal(size=(50, 1))
    label = 2 * X[:, 0] + (0.5 + np.abs(X[:, 0])) * rng.normal(size=rows)
    lines = [linear(slope, intercept) for slope, intercept in ((1.5, -1.2), (2.5, 1.0), (2.0, 0.0))]
    reference = ConformalizedQuantileRegressor(lines, confidence_level=level, prefit=True).conformalize(X, label)
    _, theirs = reference.predict_interval(new, symmetric_correction=True)
    low, high, middle = (line.predict(X) for line in lines)
    table = pd.DataFrame({"row": range(rows), "fold": 0, "label": label, "prediction": middle, "q0.05": low, "q0.95": high})
    limit = HeldOut(table, None, {"coverage": level, "by_class": False}, timed=False).limits_of_new(np.ones(rows))[0]
    ours = np.stack([lines[0].predict(new) - limit, lines[1].predict(new) + limit], axis=1)
    return np.abs(ours - theirs[:, :, 0]).max()


def linear(slope, intercept):
    """Return a fitted linear model of one column with these coefficients."""
    x = np.array([[0.0], [1.0]])
    return LinearRegression().fit(x, slope * x[:, 0] + intercept)


def rates_by_group(rng, rows=900):
    """Return the largest difference of the rates of false positives and false negatives of three groups."""
    label, decision, group = rng.integers(0, 2, rows), rng.integers(0, 2, rows), rng.choice(list("abc"), rows)
    facts = pd.DataFrame({"row": range(rows), "label": label * 1.0, "part": "train"})
    held_out = facts.assign(fold=0, p_no=0.5, p_yes=0.5, decision=decision)
    schema = {"columns": [{"name": "group", "source": "group", "kind": kinds.CATEGORICAL}], "target": "y"}
    schema["classes"] = ["no", "yes"]
    settings = {"draws": 100, "level": 0.95, "precision": 0.9, "quantile": 0.5, "slice_rows": 10}
    protocol = Protocol(Task("binary", schema["classes"]), settings, seed=1)
    found = groups(held_out, facts.assign(group=group), schema, ["group"], protocol)
    ours = found.set_index(["group", "rate"])["value"].unstack().sort_index()
    rates = {FALSE_POSITIVES: false_positive_rate, FALSE_NEGATIVES: false_negative_rate}
    theirs = MetricFrame(metrics=rates, y_true=label, y_pred=decision, sensitive_features=group).by_group
    return np.abs(ours[theirs.columns].to_numpy() - theirs.to_numpy()).max()


def shapley(rng, model, output):
    """Return the largest difference of effects on a model's output from those of its trees against one reference row."""
    # shap compares single precision with thresholds.
    X = rng.normal(size=(400, 6)).astype(np.float32).astype("float64")
    label = (X[:, 0] * X[:, 1] + X[:, 2] + rng.normal(size=400) > 0).astype(int)
    model, rows, reference = model.fit(X, label), X[:50], np.median(X, axis=0).astype(np.float32).astype("float64")
    theirs = shap.TreeExplainer(model, reference[None], feature_perturbation="interventional").shap_values(rows)
    theirs = theirs[:, :, 1] if theirs.ndim == 3 else theirs
    names = [f"x{place}" for place in range(6)]
    columns = [
        {"name": name, "source": name, "kind": "numeric", "typical": value}
        for name, value in zip(names, reference, strict=True)
    ]

    def scores(inputs):
        return output(model, np.concatenate([inputs[graph_input(name)] for name in names], axis=1))[:, None]

    shipped = SimpleNamespace(columns=columns, classes=None, path="", scores=scores)
    typed = {name: SimpleNamespace(as_input=lambda x=rows[:, [place]]: x) for place, name in enumerate(names)}
    return np.abs(Effects(shipped).of(typed, pd.RangeIndex(len(rows))).to_numpy() - theirs).max()


def of_forest(rng):
    """Return the difference of effects on the probability of a small forest."""
    return shapley(rng, RandomForestClassifier(20, max_depth=4, random_state=0), lambda model, X: model.predict_proba(X)[:, 1])


def of_boosted_trees(rng):
    """Return the difference of effects on the log odds of a few boosted trees."""
    model = LGBMClassifier(n_estimators=20, num_leaves=7, verbose=-1)
    return shapley(rng, model, lambda model, X: model.predict(X, raw_score=True))


REFERENCES = {
    "calibration slope, statsmodels": slope,
    "calibration intercept, statsmodels": intercept,
    "net benefit, dcurves": net_benefit,
    "adaptive scores, MAPIE": adaptive,
    "adaptive scores with a penalty, MAPIE": partial(adaptive, penalty=0.05, free=2),
    "intervals widened from quantiles, MAPIE": quantile_intervals,
    "error rates by group, fairlearn": rates_by_group,
    "effects in a forest, shap": of_forest,
    "effects in boosted trees, shap": of_boosted_trees,
}

if __name__ == "__main__":
    print(f"| statistic, package | largest difference in {CASES} cases |\n|---|---|")
    for name, difference in REFERENCES.items():
        print(f"| {name} | {max(difference(np.random.default_rng(case)) for case in range(CASES)):.1e} |", flush=True)
