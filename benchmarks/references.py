"""How far our statistics are from those of packages that compute the same, for docs/benchmarks.md.

    pip install statsmodels dcurves mapie shap
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
from lightgbm import LGBMClassifier
from mapie.conformity_scores.sets import APSConformityScore
from mapie.conformity_scores.sets.raps import RAPSConformityScore
from sklearn.ensemble import RandomForestClassifier

sys.path.append(str(Path(__file__).resolve().parent.parent / "workflow" / "scripts"))
from stillhouse.columns import graph_input
from stillhouse.evaluation.net_benefit import THRESHOLDS, NetBenefit
from stillhouse.evaluation.nonconformity import drawn_share, nonconformity_score
from stillhouse.evaluation.recalibration import calibration_intercept, calibration_slope
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
    "effects in a forest, shap": of_forest,
    "effects in boosted trees, shap": of_boosted_trees,
}

if __name__ == "__main__":
    print(f"| statistic, package | largest difference in {CASES} cases |\n|---|---|")
    for name, difference in REFERENCES.items():
        print(f"| {name} | {max(difference(np.random.default_rng(case)) for case in range(CASES)):.1e} |", flush=True)
