"""Networks and estimators learn from the rows, weights and labels that they are given."""

import numpy as np
import pytest
from conftest import model_options, trained
from network_samples import NETWORK

from stillhouse.learning.fitting import fit


def test_rows_without_a_teacher_learn_from_their_label_alone(imbalanced):
    sample = imbalanced.assign(stop=imbalanced["row"] % 5 == 0)
    unsure, nothing = (np.full((len(sample), 2), value) for value in (0.5, np.nan))
    alone, label_free_features, taught = (
        trained(sample, {**NETWORK, "epochs": 3, "alpha": alpha}, soft=soft)[0].predict(sample)
        for alpha, soft in ((1.0, unsure), (0.3, nothing), (0.3, unsure))
    )
    assert label_free_features == pytest.approx(alone, abs=1e-5)
    assert np.abs(taught - alone).max() > 0.01


def test_a_network_moves_with_the_weights_of_its_rows(imbalanced):
    sample = imbalanced.assign(stop=imbalanced["row"] % 5 == 0)
    heavy = sample.assign(weight=np.where(sample["label"] == 1, 20.0, 1.0))
    plain, moved_up = (trained(rows, NETWORK, seed=3)[0].predict(sample)[:, 1].mean() for rows in (sample, heavy))
    assert moved_up > plain + 0.2


def test_the_same_seed_trains_the_same_network_and_another_seed_another(imbalanced):
    sample = imbalanced.assign(stop=imbalanced["row"] % 5 == 0)
    first, again, other = (trained(sample, NETWORK, seed=seed)[0].predict(sample) for seed in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def test_a_network_keeps_the_weights_of_its_best_epoch(imbalanced):
    sample = imbalanced.assign(stop=imbalanced["row"] % 5 == 0)
    model, history = trained(sample, NETWORK, seed=3)
    stop = sample[sample["stop"]]
    p = model.predict(stop)[np.arange(len(stop)), stop["label"].astype(int)]
    assert np.average(-np.log(p), weights=stop["weight"]) == pytest.approx(history["stop_loss"].min(), rel=1e-4)


def test_methods_without_early_stopping_leave_the_stop_rows_aside(imbalanced):
    stop = imbalanced["row"] % 5 == 0
    options = model_options("tree", depth=3, leaf=2)
    models = [
        fit(rows, options, 2, threads=1, seed=1)
        for rows in (imbalanced.assign(stop=stop), imbalanced[~stop].assign(stop=False))
    ]
    assert (models[0].predict(imbalanced) == models[1].predict(imbalanced)).all()


def test_a_sample_of_one_class_gives_a_model_that_says_so(imbalanced):
    scores = fit(imbalanced.assign(label=1.0), model_options("logistic"), 3, threads=1, seed=1).predict(imbalanced)
    assert (scores == [0, 1, 0]).all()
