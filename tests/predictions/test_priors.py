"""Probabilities are on the original class prior, however the sample was resampled."""

import numpy as np
import pandas as pd
import pytest
from conftest import model_options, trained
from network_samples import NETWORK

from stillhouse.learning.fitting import fit
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.predictions.decisions import decide
from stillhouse.predictions.predictions import moved, on_learned_prior, on_original_prior
from stillhouse.preparation.ledger import Ledger
from stillhouse.preparation.sample import balanced_sample


def test_a_prior_moved_there_and_back_is_the_same():
    probabilities = np.array([[0.2, 0.5, 0.3], [0.9, 0.05, 0.05]])
    ledger = Ledger([0.7, 0.2, 0.1], [1 / 3, 1 / 3, 1 / 3], resampled=True)
    there = on_learned_prior(probabilities, ledger)
    assert there[0, 0] < probabilities[0, 0]
    assert on_original_prior(there, ledger) == pytest.approx(probabilities)


@pytest.mark.parametrize("method", ["none", "over", "under", "balanced"])
@pytest.mark.parametrize("costs", [[1.0, 5.0], [5.0, 1.0]])
def test_decisions_under_costs_are_those_of_the_original_prior(method, costs):
    """However the sample was resampled, decisions cost at most a tenth more than those by the ratio of the costs."""
    rng = np.random.default_rng(0)
    label = (rng.random(20000) < 0.1).astype(float)
    table = pd.DataFrame({"row": range(20000), "n0:x": (rng.normal(size=20000) + 1.5 * label).astype(np.float32)})
    table = table.assign(label=label, weight=1.0, fold=1)
    sample, new = table[:10000], table[10000:]
    balanced, ledger, _ = balanced_sample(sample, 2, 0.3, {"method": method}, seed=1)
    model = OnOriginalPrior(
        fit(balanced, model_options("logistic"), 2, threads=1, seed=1), ledger, balanced[balanced["stop"]], costs
    )
    p, codes = model.predict(new), new["label"].to_numpy(int)

    def cost(factors):
        return np.mean((decide(p, factors) != codes) * np.array(costs)[codes])

    assert cost(model.factors) < 1.1 * cost(np.array(costs))


def test_undoing_a_changed_prior_restores_calibrated_probabilities():
    # Two Gaussians with prior .9 and .1; a model that learned from balanced rows states p(y|x) at prior .5.
    x = np.linspace(-3, 3, 50)
    density = np.exp(-0.5 * (x[:, None] - np.array([0.0, 1.0])) ** 2)
    balanced = density / density.sum(axis=1, keepdims=True)
    truth = density * [0.9, 0.1]
    assert moved(balanced, np.array([0.9, 0.1]), np.array([0.5, 0.5])) == pytest.approx(
        truth / truth.sum(axis=1, keepdims=True)
    )


@pytest.mark.parametrize("method", ["over", "balanced", "under"])
def test_a_network_states_the_true_prior_however_its_sample_was_balanced(method):
    rng = np.random.default_rng(0)
    label = (rng.random(6000) < 0.05).astype(float)
    sample = pd.DataFrame({"row": range(6000), "n0:x": (rng.normal(size=6000) + label).astype(np.float32), "label": label})
    sample = sample.assign(weight=1.0, fold=1)
    balanced, ledger, _ = balanced_sample(sample, 2, 0.15, {"method": method}, seed=1)
    model, _ = trained(balanced, {**NETWORK, "rate": 0.003, "epochs": 20})
    stated = OnOriginalPrior(model, ledger, balanced[balanced["stop"]]).predict(sample)[:, 1].mean()
    assert stated == pytest.approx(label.mean(), rel=0.2)


@pytest.mark.parametrize("method", ["over", "balanced", "under"])
def test_a_forest_states_the_true_prior_however_its_sample_was_balanced(method):
    rng = np.random.default_rng(0)
    label = (rng.random(6000) < 0.05).astype(float)
    sample = pd.DataFrame({"row": range(6000), "n0:x": (rng.normal(size=6000) + label).astype(np.float32), "label": label})
    balanced, ledger, _ = balanced_sample(sample.assign(weight=1.0, fold=1), 2, 0.15, {"method": method}, seed=1)
    model = fit(balanced, model_options("forest", trees=50, leaf=20), 2, threads=1, seed=1)
    unseen = np.random.default_rng(1)
    new_label = (unseen.random(6000) < 0.05).astype(float)
    new = pd.DataFrame({"n0:x": (unseen.normal(size=6000) + new_label).astype(np.float32)})
    stated = OnOriginalPrior(model, ledger, balanced[balanced["stop"]]).predict(new)[:, 1].mean()
    assert stated == pytest.approx(0.05, rel=0.2)


def test_a_model_on_rows_as_they_are_is_not_calibrated(imbalanced):
    sample, ledger, _ = balanced_sample(imbalanced, 2, 0.2, {"method": "none"}, seed=1)
    model = fit(sample, model_options("forest", trees=20), 2, threads=1, seed=1)
    stated = OnOriginalPrior(model, ledger, sample[sample["stop"]]).predict(imbalanced)
    assert stated == pytest.approx(on_original_prior(model.predict(imbalanced), ledger))


def test_calibration_undoes_what_the_ledger_cannot_know():
    """A resampled model whose log odds are twice too steep is brought back by its stop rows, on their natural mix."""

    class TooSteep:
        def predict(self, table):
            odds = 9 * np.exp(2 * (2 * table["x"].to_numpy() - 2 + np.log(1 / 9)))
            return np.c_[1 / (1 + odds), odds / (1 + odds)]

    rng = np.random.default_rng(0)
    label = (rng.random(20000) < 0.1).astype(float)
    table = pd.DataFrame({"x": 2 * label + rng.normal(size=20000), "label": label, "weight": np.where(label, 5.0, 5 / 9)})
    ledger = Ledger([0.9, 0.1], [0.5, 0.5], resampled=True)
    model = OnOriginalPrior(TooSteep(), ledger, table[:5000])
    odds = np.exp(2 * table["x"] - 2) / 9
    assert model.calibration.slope_ == pytest.approx(0.5, abs=0.05)
    assert model.predict(table)[:, 1] == pytest.approx(odds / (1 + odds), abs=0.05)
