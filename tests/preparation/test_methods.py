"""The contract of each kind of method, over every file of its folder."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import SCHEMA, methods, model_options, resamplers_of_classes
from prepared_samples import options, prepared_by

from stillhouse.columns import features
from stillhouse.errors import UserError
from stillhouse.learning.fitting import fit
from stillhouse.methods import build, module_of
from stillhouse.preparation.sample import balanced_sample, prior, whole_sample
from stillhouse.preparation.transfer_rows import synthetic_rows
from stillhouse.preparation.weights import weighed
from stillhouse.splits import Split


@pytest.mark.parametrize("indicators", [False, True])
@pytest.mark.parametrize("method", methods("imputers"))
def test_an_imputer_fills_every_gap_of_unseen_rows(gappy, method, indicators):
    table, columns = gappy
    prepared = prepared_by(columns, method, indicators=indicators).fit(table[:40]).transform(table)
    numbers = prepared[[name for name in features(prepared) if name.startswith("n")]]
    assert len(prepared) == len(table)
    assert prepared[features(prepared)].dtypes.unique().tolist() == [np.dtype("float32")]
    assert numbers.isna().any().any() == (method == "none")
    assert any(name.startswith("m") for name in prepared) == indicators


@pytest.mark.parametrize("method", methods("imputers"))
def test_an_imputer_learns_from_training_rows_alone(gappy, method):
    table, columns = gappy
    fitted = prepared_by(columns, method).fit(table[:40])
    other = pd.concat([table[:40], table[40:].assign(age=1e6, site="never seen", smoker=np.nan)])
    pd.testing.assert_frame_equal(fitted.transform(table)[:40], fitted.transform(other)[:40])


@pytest.mark.parametrize("method", methods("imputers"))
def test_an_imputer_survives_a_column_that_is_empty_in_training(gappy, method):
    table, columns = gappy
    empty = table.assign(age=table["age"].where(table.index >= 40))
    prepared = prepared_by(columns, method).fit(empty[:40]).transform(empty)
    assert [name for name in features(prepared) if name.startswith("n")] == ["n0:age", "n1:dose", "n2:smoker"]


def test_the_filled_value_is_the_one_that_the_method_names(gappy):
    table, columns = gappy
    train, gap = table[:40], table["age"].isna().to_numpy()
    expected = {"mean": train["age"].mean(), "median": train["age"].median(), "constant": -1.0}
    for method, value in expected.items():
        given = {"value": -1} if method == "constant" else {}
        prepared = prepared_by(columns, method, scale=False, **given).fit(train).transform(table)
        assert prepared.loc[gap, "n0:age"].to_numpy() == pytest.approx(np.full(gap.sum(), value), rel=1e-6)


def test_unseen_categories_and_gaps_have_a_place(gappy):
    table, columns = gappy
    fitted = prepared_by(columns, "median").fit(table[:40])
    prepared = fitted.transform(table.assign(site="never seen"))
    sites = [name for name in prepared if name.startswith("c3:")]
    assert sites == ["c3:site=(missing)", "c3:site=a", "c3:site=b", "c3:site=c"]
    assert (prepared[sites] == 0).all().all()


def test_rare_and_unseen_categories_share_a_place(gappy):
    table, columns = gappy
    many = table.assign(site=[f"s{n % 13}" for n in range(60)])
    fitted = prepared_by(columns, "median", categories=4).fit(many)
    assert [name for name in fitted.names() if name.startswith("c")][-1] == "c3:site is rare"
    assert (fitted.transform(many.assign(site="never seen"))["c3:site is rare"] == 1).all()


@pytest.mark.parametrize("method", methods("weighers"))
def test_a_weigher_gives_positive_weights_of_mean_one_to_seen_and_unseen_rows(method):
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(200, 3)), rng.normal(0.5, 1, size=(100, 3))])
    X[::9, 1] = np.nan
    table = pd.DataFrame(X, columns=["n0:a", "n1:b", "n2:c"]).assign(row=np.arange(300))
    folds = pd.DataFrame({"row": table["row"], "fold": np.r_[np.arange(200) % 4, np.full(100, -1)]})
    weights, facts = weighed(table, folds, Split("", [1, 2], [0], {}), options("weighers", method), seed=1)
    assert sorted(weights["row"] % 4) == [0] * 50 + [1] * 50 + [2] * 50
    assert np.isfinite(weights["weight"]).all()
    assert (weights["weight"] > 0).all()
    assert weights.loc[weights["row"] % 4 > 0, "weight"].mean() == pytest.approx(1)
    assert facts["rows"] == 100


@pytest.mark.parametrize("method", resamplers_of_classes())
def test_a_resampler_balances_and_the_ledger_says_by_how_much(imbalanced, method):
    sample, ledger, _ = balanced_sample(imbalanced, 2, 0.2, options("resamplers", method), seed=4)
    fitted = sample[~sample["stop"]]
    assert ledger.before == pytest.approx(prior(imbalanced, 2))
    assert ledger.after == pytest.approx(prior(fitted, 2))
    if method in ("none", "tomek", "enn"):
        assert len(fitted) <= 40
    else:
        assert ledger.after == pytest.approx([0.5, 0.5], abs=0.15)
    assert (fitted["weight"] > 0).all()
    assert list(sample.columns) == list(imbalanced.columns)


@pytest.mark.parametrize("method", resamplers_of_classes())
def test_a_resampler_never_sees_the_stop_rows(imbalanced, method):
    sample, _, _ = balanced_sample(imbalanced, 2, 0.2, options("resamplers", method), seed=4)
    stop, fitted = sample[sample["stop"]], sample[~sample["stop"]]
    assert sorted(stop["label"]) == [0] * 8 + [1] * 2
    assert not set(stop["row"]) & set(fitted["row"])
    assert stop["row"].is_unique


@pytest.mark.parametrize("method", methods("resamplers"))
def test_the_file_of_a_resampler_and_its_settings_say_alike_what_labels_it_takes(imbalanced, method):
    said = SCHEMA["$defs"]["methods"]["resamplers"][method].get("only")
    assert said == getattr(module_of("resamplers", method), "ONLY", None)
    refused = {"values": [2], None: [0]}[said] if method != "none" else []
    for n_classes in (0, 2):
        if n_classes in refused:
            with pytest.raises(UserError, match=f"resample: {method} .*; choose none"):
                balanced_sample(imbalanced, n_classes, 0.2, options("resamplers", method), seed=4)
        else:
            assert len(balanced_sample(imbalanced, n_classes, 0.2, options("resamplers", method), seed=4)[0])


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("method", methods("estimators"))
def test_a_model_predicts_every_class_and_minds_weights(imbalanced, method, n_classes):
    labels = imbalanced["n0:age"] * 2 if not n_classes else (imbalanced["row"] % n_classes).astype(float)
    sample = imbalanced.assign(label=labels, stop=imbalanced["row"] % 5 == 0)
    weighty = sample.assign(weight=np.where(labels == labels.max(), 50.0, 1.0) if n_classes else sample["weight"])
    settings = model_options(method)
    settings |= {key: value for key, value in {"leaf": 2, "rounds": 20, "trees": 10}.items() if key in settings}
    plain, heavy = (fit(rows, settings, n_classes, threads=1, seed=2).predict(sample) for rows in (sample, weighty))
    assert plain.shape == (len(sample), max(n_classes, 1))
    if n_classes:
        assert plain.sum(axis=1) == pytest.approx(np.ones(len(sample)))
        assert heavy[:, -1].mean() > plain[:, -1].mean()


def test_a_bagged_model_is_the_mean_of_its_draws(imbalanced):
    settings = model_options("tree", bag=5)
    model = fit(imbalanced, settings, 2, threads=1, seed=2)
    X = imbalanced[model.names].to_numpy()
    members = [member.predict_proba(X) for member in model.estimator.estimators_]
    assert len(members) == 5
    assert model.predict(imbalanced) == pytest.approx(np.mean(members, axis=0))


def test_a_class_that_training_rows_lack_has_probability_zero(imbalanced):
    scores = fit(imbalanced, model_options("tree"), 3, threads=1, seed=2).predict(imbalanced)
    assert (scores[:, 2] == 0).all()


@pytest.mark.parametrize("n_classes", [0, 3])
@pytest.mark.parametrize("method", methods("stackers"))
def test_a_stacker_trusts_each_member_by_a_finite_weight(method, n_classes):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300).astype(float)
    truth = np.eye(3)[labels.astype(int)] if n_classes else labels[:, None]
    said = SCHEMA["$defs"]["methods"]["stackers"][method]
    if said.get("only") and not n_classes:
        pytest.skip(f"{method} is for classes")
    scores = np.stack([truth * 3 + rng.normal(size=truth.shape), rng.normal(size=truth.shape)])
    scores = scores[: 1 if said.get("calibrates") else 2]
    stacker = build("stackers", options("stackers", method)).fit(scores, labels, n_classes)
    assert stacker.weights.shape == (len(scores),)
    assert np.isfinite(stacker.weights).all()
    assert (
        method in ("mean", "confidence")
        or len(scores) == 1
        or (method == "greedy" and not n_classes)
        or stacker.weights[0] > stacker.weights[1]
    )
    again = build("stackers", options("stackers", method)).restored(json.loads(json.dumps(stacker.learned())))
    assert (again.pooled(scores, n_classes) == stacker.pooled(scores, n_classes)).all()


LARGE = [
    (kind, name)
    for kind in ("imputers", "resamplers", "synthesizers")
    for name in methods(kind)
    if hasattr(module_of(kind, name), "MOST_ROWS")
]


@pytest.mark.parametrize(("kind", "method"), LARGE)
def test_a_method_that_cannot_take_so_many_rows_is_refused_by_name_with_others_in_its_place(
    kind, method, gappy, imbalanced, monkeypatch
):
    monkeypatch.setattr(module_of(kind, method), "MOST_ROWS", 30)
    said = f"{method} takes more than an hour or 16 GB for more than 30 rows, and there are .*; choose "
    with pytest.raises(UserError, match=said):
        if kind == "imputers":
            prepared_by(gappy[1], method).fit(gappy[0])
        elif kind == "synthesizers":
            folds = pd.DataFrame({"fold": np.arange(len(gappy[0])) % 3})
            synthetic_rows(gappy[0], folds, gappy[1], {"method": method, "share": 0.1}, seed=1)
        else:
            whole_sample(imbalanced, 2, options(kind, method), 1)
