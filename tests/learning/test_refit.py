"""What is shipped learns from all rows, with what was chosen by rows that the first fit had set aside."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from chain import Chain, ModelJob, intake
from conftest import model_options
from guard import configuration
from network_samples import fitted, options, sample_of, scores

from stillhouse.distillation.soft_targets import chosen_candidate
from stillhouse.learning.fitting import fit, fit_student, fitted_again, student_again
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.networks.vectorized.members import Member
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.predictions.predictions import rows_without_labels
from stillhouse.preparation.ledger import Ledger
from stillhouse.preparation.sample import balanced_sample, whole_sample
from stillhouse.splits import first_of
from stillhouse.tables import read_fitted, read_split

FEW = {
    "logistic": {},
    "tree": {"boost": 3, "depth": 2},
    "boosting": {"rounds": 60, "patience": 5, "leaf": 5},
    "catboost": {"rounds": 60, "patience": 5, "depth": 3},
    "forest": {"trees": 5},
}


def whole_of(sample):
    return sample.assign(stop=False)


def changed_at(sample, row):
    return sample.assign(label=np.where(sample["row"] == row, 1 - sample["label"], sample["label"]))


def pair_of(sample, settings, soft=None, **given):
    first = TrainingSet(sample, soft, settings, 2, 1, **given)
    return [first, TrainingSet(whole_of(sample), soft, settings, 2, 1, follows=first)]


@pytest.mark.parametrize("method", FEW)
def test_the_shipped_estimator_learns_from_the_stop_rows_too(method):
    sample, settings = sample_of(600), model_options(method, **FEW[method])
    how = settings, 2, 1, 1
    first = fit(sample, *how)
    again = fitted_again(first, whole_of(sample), *how)
    mass = sample[sample["stop"]].head(60)["row"]
    turned = sample.assign(label=np.where(sample["row"].isin(mass), 1 - sample["label"], sample["label"]))
    other = fitted_again(first, whole_of(turned), *how)
    assert np.abs(scores(again) - scores(other)).max() > 1e-3
    assert fitted_again(first, None, *how) is None


def test_boosted_trees_are_fitted_again_with_as_many_rounds_as_their_stop_rows_allowed():
    sample = sample_of(600)
    how = model_options("boosting", rounds=400, patience=10), 2, 1, 1
    first = fit(sample, *how)
    again = fitted_again(first, whole_of(sample), *how)
    assert 0 < first.estimator.rounds_ < 400
    assert again.estimator.booster_.n_estimators_ == first.estimator.rounds_
    assert first.estimator.booster_.best_iteration_ == first.estimator.rounds_


def test_a_method_that_stops_early_and_does_not_tell_what_it_chose_is_not_fitted_again(caplog):
    class Untold:
        def fit(self, X, y, stop=None):
            return self

    with caplog.at_level("INFO", logger="stillhouse"):
        assert fitted_again(SimpleNamespace(estimator=Untold()), whole_of(sample_of()), {"method": "own"}, 2, 1, 1) is None
    assert "own has no method `chosen`" in caplog.text


@pytest.mark.parametrize("given", [{}, {"snapshots": 2, "average": 0.9}, {"rate": "auto"}, {"schedule": "plateau"}])
def test_networks_fitted_again_take_as_many_steps_as_the_first_ones_best(given):
    settings = options(**{"epochs": 12, "patience": 3, "rate": 0.02, "schedule": "constant", "seeds": 2, **given})
    sample = sample_of()
    (model, history), (again, nothing) = train(pair_of(sample, settings))
    alone, _ = train([TrainingSet(sample, None, settings, 2, 1)])[0]
    assert (scores(model) == scores(alone)).all()
    assert nothing.empty
    assert np.abs(scores(again) - scores(model)).max() > 1e-3
    best = history[(history["kept"] == 1) & history["epoch"].notna() & (history["phase"] == "epochs")]
    epochs = best.groupby("network")["epoch"].max().tolist()
    assert min(epochs) < 11
    for number in range(2):
        ending = train(pair_of(sample, {**settings, "epochs": int(epochs[number]) + 1}))[1][0]
        for one, other in zip(again.members[number], ending.members[number], strict=True):
            for a, b in zip(one.parameters(), other.parameters(), strict=True):
                assert torch.equal(a, b)


def test_networks_fitted_again_are_the_same_however_members_are_grouped():
    settings = options(epochs=4, seeds=3)
    sample = sample_of()
    one = train(pair_of(sample, settings))[1][0]
    other = train([*pair_of(sample, settings), TrainingSet(sample_of(seed=3), None, settings, 2, 5)], threads=4)[1][0]
    assert (scores(one) == scores(other)).all()


def test_of_a_student_the_chosen_candidate_alone_is_fitted_again(monkeypatch):
    monkeypatch.setattr("stillhouse.networks.fitted.chosen_candidate", lambda *given: (2, chosen_candidate(*given)[1]))
    sample = sample_of()
    soft = np.tile([0.9, 0.1], (len(sample), 1))
    settings = options(epochs=4, alpha="auto", temperature=1.0)
    fixed = options(epochs=4, alpha=0.6, temperature=1.0)
    chosen, wanted = (train(pair_of(sample, one, soft))[1][0] for one in (settings, fixed))
    assert (scores(chosen) == scores(wanted)).all()


def test_an_estimator_student_is_fitted_again_with_the_alpha_that_was_chosen():
    sample = sample_of(600)
    soft = np.tile([0.5, 0.5], (len(sample), 1))
    how = {**model_options("logistic"), "alpha": "auto", "auto_rows": 1000}, 2, 1, 1
    model, history, alpha = fit_student(sample, soft, *how)
    assert alpha == history.loc[history["kept"], "alpha"].item()
    again = student_again(model, whole_of(sample), soft, alpha, *how)
    fixed, _, _ = fit_student(whole_of(sample), soft, {**model_options("logistic"), "alpha": alpha}, 2, 1, 1)
    assert scores(again) == pytest.approx(scores(fixed))


def test_boosted_networks_are_fitted_again_for_as_many_rounds_at_most():
    settings = options(epochs=12, rate=0.02, boost=3, width=4, depth=1)
    (first, _), (again, _) = train(pair_of(sample_of(), settings))
    assert 1 <= len(again.models) <= len(first.models)
    assert (scores(first) == scores(train([TrainingSet(sample_of(), None, settings, 2, 1)])[0][0])).all()


def test_networks_that_diverge_when_fitted_again_keep_what_was_best_before():
    leader = Member(torch.nn.Linear(1, 1), np.arange(3), np.arange(3), 1, 0.1, best_epoch=4, snapshots=1)
    member = Member(torch.nn.Linear(1, 1), np.arange(3), np.arange(0), 1, 0.1, follows=leader)
    assert not member.followed(4, float("nan"))
    assert member.snapshots == 0
    assert member.followed(4, 0.3)
    assert member.snapshots == 1


def test_networks_that_all_diverge_when_fitted_again_are_none():
    sample = sample_of()
    pair = pair_of(sample, options(epochs=2))
    pair[1].sample = pair[1].sample.assign(**{"n0:x0": 3e38})
    (first, _), (again, _) = train(pair)
    assert np.isfinite(scores(first)).all()
    assert again is None


def test_warm_started_networks_that_do_not_improve_stay_as_they_were_when_fitted_again():
    start, _ = fitted(epochs=6)
    settings = options(epochs=3, rate=1e-9)
    pair = pair_of(sample_of(), settings, start=start)
    pair[1].start = start
    (first, _), (again, _) = train(pair)
    if (scores(first) == scores(start)).all():
        assert (scores(again) == scores(start)).all()
    else:
        assert scores(again) == pytest.approx(scores(start), abs=1e-5)


def test_the_whole_sample_has_every_row_and_a_ledger_of_its_own():
    sample = sample_of(400).drop(columns="stop").assign(fold=np.arange(400) % 3)
    sample = sample.assign(label=(np.arange(400) % 10 == 0).astype(float), weight=1.0)
    options_of = {"method": "over"}
    first, ledger, _ = balanced_sample(sample, 2, 0.2, options_of, seed=1)
    whole, of_whole = whole_sample(sample, 2, options_of, seed=1)
    assert set(whole["row"]) == set(range(400))
    assert not whole["stop"].any()
    assert first["stop"].any()
    assert of_whole.after == pytest.approx([0.5, 0.5])
    assert of_whole.before == pytest.approx(ledger.before)


def test_the_calibration_of_the_first_fit_stays_and_the_ledger_is_that_of_all_rows():
    model, _ = fitted()
    sample = sample_of()
    first = OnOriginalPrior(model, Ledger([0.7, 0.3], [0.5, 0.5], True), sample[sample["stop"]])
    of_all = Ledger([0.7, 0.3], [0.4, 0.6], True)
    again = first.fitted_again(model, of_all, keeps_first=True)
    assert again.calibration is first.calibration
    assert again.factors is first.factors
    assert again.first is first.model
    assert again.ledger is of_all
    assert first.fitted_again(model, of_all, keeps_first=False).first is None
    assert np.abs(again.predict(sample) - first.predict(sample)).max() > 0.01


@pytest.mark.parametrize("refit", ["all", "shipped"])
def test_a_split_predicts_by_the_model_that_was_fitted_again_on_all_its_training_rows_where_that_is_asked_for(tmp_path, refit):
    """The refit alone learns from the stop rows of the split; rows without labels are also predicted by the first fit."""
    models = {"trees": {"fit": {"method": "forest", "trees": 5, "refit": refit}}}
    config = configuration(models, tmp_path)
    chain = Chain(tmp_path, config, *intake(config))
    job = ModelJob(chain, "trees", "0")
    (split,) = job.splits
    files = chain.made("trees", "0")
    model, found = read_fitted(files.fitted, "0"), read_split(files.predictions, "0")
    features = job.features(split).set_index("row").loc[found["row"]].reset_index()
    assert (model.predict(features) == found[["p_benign", "p_malignant"]].to_numpy()).all()
    rows = job.whole(split) if refit == "all" else job.sample(split)
    expected = fit(rows, job.options, 2, 1, job.seed(split))
    assert (model.model.predict(features) == expected.predict(features)).all()
    first = read_split(files.predictions, first_of("0"))
    assert set(first.get("row", [])) == (set(rows_without_labels(chain.folds, split)) if refit == "all" else set())
