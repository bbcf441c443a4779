"""Settings are chosen by stop rows alone, and only where they are clearly better."""

import json

import numpy as np
import pytest
from conftest import model_options
from network_samples import sample_of, scores

from stillhouse.distillation.soft_targets import stop_losses
from stillhouse.learning.fitting import fit, fit_student, fitted_again, history_of
from stillhouse.learning.search import trials

WIDE = {"depth": [1, 2, 12], "leaf": [1, 40]}


def fitted(sample, **given):
    return fit(sample, model_options("tree", **given), 2, threads=1, seed=1)


def settings_of(history):
    return [json.loads(line) for line in history["settings"]]


def test_the_settings_that_are_kept_have_the_lowest_loss_on_stop_rows_where_it_is_clearly_lower():
    sample = sample_of(1500)
    plain = {"depth": 12, "leaf": 1}
    model = fitted(sample, **plain, search=WIDE)
    stop = sample[sample["stop"]]
    losses = {(d, n): stop_losses(fitted(sample, depth=d, leaf=n), stop, 2).mean() for d in WIDE["depth"] for n in WIDE["leaf"]}
    best = min(losses, key=losses.get)
    assert losses[best] < losses[12, 1] - 0.1
    assert (model.settings["depth"], model.settings["leaf"]) == best
    assert (scores(model) == scores(fitted(sample, depth=best[0], leaf=best[1]))).all()


def test_what_stands_is_kept_where_others_are_better_by_chance_alone():
    """Labels are noise, so that no setting is better; the lowest of many losses would nearly always be another's."""
    rng, kept = np.random.default_rng(0), 0
    for _ in range(20):
        sample = sample_of(400)
        noise = sample.assign(label=rng.integers(0, 2, len(sample)).astype(float))
        search = {"depth": [1, 2, 3], "leaf": [30, 40, 50]}
        model = fitted(noise, depth=2, leaf=40, search=search)
        kept += model.settings == {"depth": 2, "leaf": 40}
    assert kept >= 10


def test_the_history_has_every_trial_the_settings_as_they_stand_first():
    sample = sample_of(600)
    model = fitted(sample, search=WIDE)
    history = history_of(model, sample, 2)
    assert settings_of(history)[0] == {"depth": 8, "leaf": 5}
    assert settings_of(history)[1:] == trials(WIDE, 20, 1)
    assert settings_of(history[history["kept"]]) == [model.settings]


def test_as_many_different_combinations_are_tried_as_are_asked_for_and_the_same_ones_again():
    search = {"rate": [0.01 * step for step in range(1, 1001)], "leaves": list(range(2, 1002)), "leaf": list(range(1, 1001))}
    drawn = trials(search, 30, seed=1)
    assert len({json.dumps(settings) for settings in drawn}) == 30
    assert drawn == trials(search, 30, seed=1) != trials(search, 30, seed=2)
    assert len({settings["leaves"] for settings in drawn}) > 25


def test_a_searched_model_is_fitted_again_with_the_settings_that_were_chosen():
    sample = sample_of(1500)
    options = model_options("boosting", rounds=40, patience=5, search={"leaves": [2, 8], "leaf": [5, 60]})
    first = fit(sample, options, 2, 1, 1)
    again = fitted_again(first, sample.assign(stop=False), options, 2, 1, 1)
    chosen = model_options("boosting", **{"patience": 5, "rounds": first.estimator.rounds_, **first.settings})
    assert (scores(again) == scores(fit(sample.assign(stop=False), chosen, 2, 1, 1))).all()


def test_a_student_of_an_estimator_searches_too():
    sample = sample_of(800)
    soft = np.tile([0.5, 0.5], (len(sample), 1))
    options = {**model_options("tree", search={"depth": [1, 12]}), "alpha": 0.3}
    model, history, _ = fit_student(sample, soft, options, 2, 1, 1)
    assert set(model.settings) == {"depth"}
    assert (history["phase"] == "search").sum() == 3


@pytest.mark.parametrize("changed", [True, False])
def test_labels_of_stop_rows_decide(changed):
    """With the labels of the stop rows drawn by chance, a single leaf is better than a deep tree."""
    sample = sample_of(1500)
    drawn = np.random.default_rng(0).permutation(sample["label"])
    sample = sample.assign(label=np.where(sample["stop"] & changed, drawn, sample["label"]))
    model = fitted(sample, depth=4, leaf=5, search={"leaf": [5, 10**6]})
    assert model.settings["leaf"] == (10**6 if changed else 5)
