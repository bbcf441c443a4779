"""Shift weights: known ratios are found, overstated ones calibrated, and few effective rows flattened or refused."""

import numpy as np
import pandas as pd
import pytest
from conftest import SCHEMA

from stillhouse.config.completion import complete_options
from stillhouse.preparation.density_ratio import CrossFitted
from stillhouse.preparation.weights import effective_sample_size, weighed
from stillhouse.splits import Split


def gaussians(n_train=3000, n_deploy=2000, move=1.0):
    rng = np.random.default_rng(5)
    X = np.vstack([rng.normal(0, 1, (n_train, 3)), rng.normal([move, 0, 0], 1, (n_deploy, 3))]).astype(np.float32)
    table = pd.DataFrame(X, columns=["n0:a", "n1:b", "n2:c"])
    table.insert(0, "row", range(len(table)))
    folds = pd.DataFrame({"row": table["row"], "fold": np.r_[np.arange(n_train) % 5, np.full(n_deploy, -1)]})
    return table, folds


WITHOUT_FOLD_0 = Split("", [1, 2, 3, 4], [0], {})
LOGISTIC = complete_options(SCHEMA, "weighers", {"method": "logistic"}, where=())


def test_shift_weights_find_a_known_density_ratio():
    table, folds = gaussians()
    weights, facts = weighed(table, folds, WITHOUT_FOLD_0, LOGISTIC, seed=1)
    x = table["n0:a"].iloc[weights.index]
    assert np.corrcoef(np.log(weights["weight"]), x - 0.5)[0, 1] > 0.95
    assert facts["share"] < 0.8


def five_dimensions(seed, move=(0.8, -0.6, 0, 0, 0), rows=2000):
    rng = np.random.default_rng(seed)
    X = np.vstack([rng.normal(size=(rows, 5)), rng.normal(size=(rows, 5)) + move])
    table = pd.DataFrame(X, columns=[f"n{place}:x" for place in range(5)]).assign(row=range(2 * rows))
    folds = pd.DataFrame({"row": table["row"], "fold": np.repeat([1, -1], rows)})
    return X[:rows], table, folds


@pytest.mark.parametrize("method", ["logistic", "boosted", "mixture"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_weigher_finds_the_ratio_of_gaussians_and_repairs_the_risk(method, seed):
    train, table, folds = five_dimensions(seed)
    options = complete_options(SCHEMA, "weighers", {"method": method}, where=())
    weights, _ = weighed(table, folds, Split("", [1], [], {}), options, seed=1)
    loss = (train[:, 0] + 0.5 * train[:, 1] - 1) ** 2
    true_risk = (0.8 - 0.5 * 0.6 - 1) ** 2 + 1 + 0.5**2
    assert np.corrcoef(np.log(weights["weight"]), train @ [0.8, -0.6, 0, 0, 0])[0, 1] >= 0.9
    assert abs(loss.mean() / true_risk - 1) > 0.2
    assert abs(np.average(loss, weights=weights["weight"]) / true_risk - 1) < 0.05


def shares(move, **given):
    _, table, folds = five_dimensions(0, move=(move, 0, 0, 0, 0))
    options = {**LOGISTIC, **given}
    return weighed(table, folds, Split("", [1], [], {}), options, seed=1)


def test_weights_that_rest_on_few_rows_are_flattened_and_on_hardly_any_refused_in_words():
    _, plain = shares(0.5)
    _, flattened = shares(1.7)
    weights, refused = shares(4.0)
    assert (plain["power"], plain["note"]) == (1, "")
    assert flattened["raw_share"] < 0.2
    assert flattened["share"] == pytest.approx(0.2, abs=1e-4)
    assert flattened["note"].startswith("Weights are raised to the power 0.")
    assert refused["note"].startswith("Weights are refused: their effective sample size would be ")
    assert (weights["weight"] == 1).all()


def test_flattened_weights_are_ratios_to_a_power():
    whole, half = (shares(0.5, flatten=power)[0]["weight"] for power in (1, 0.5))
    assert np.corrcoef(np.log(whole), np.log(half))[0, 1] == pytest.approx(1)
    assert np.log(half).std() == pytest.approx(np.log(whole).std() / 2)


class Boastful:
    """A ratio twice too steep on the log scale."""

    def fit(self, train, deploy):
        return self

    def log_ratio(self, X):
        return 2 * (X - X.mean(axis=0)) @ np.array([0.8, -0.6, 0, 0, 0])


def test_a_ratio_that_overstates_differences_is_calibrated():
    train, table, _ = five_dimensions(0)
    ratio = CrossFitted([Boastful], 5, seed=1).fit(train, table.to_numpy()[len(train) :, :5])
    assert ratio.slope_ == pytest.approx(0.5, abs=0.1)
    assert ratio.ratio_.mean() == pytest.approx(1, abs=0.15)


def test_shift_weights_have_mean_one_over_training_rows_and_reach_held_out_rows():
    table, folds = gaussians()
    weights, facts = weighed(table, folds, WITHOUT_FOLD_0, LOGISTIC, seed=1)
    is_training = (folds["fold"] > 0)[weights.index]
    assert weights.loc[is_training, "weight"].mean() == pytest.approx(1)
    assert len(weights) == 3000
    assert facts["rows"] == 2400


def test_without_shift_the_weights_hardly_differ():
    table, folds = gaussians(move=0.0)
    _, facts = weighed(table, folds, Split("", [0, 1, 2, 3, 4], [], {}), LOGISTIC, seed=1)
    assert facts["share"] > 0.95
    assert facts["domain_auc"] < 0.54


def test_the_effective_sample_size_of_equal_weights_is_their_number():
    assert effective_sample_size(np.full(20, 3.0)) == pytest.approx(20)
    assert effective_sample_size(np.r_[np.ones(10), np.zeros(10)]) == pytest.approx(10)


def test_the_ratio_of_a_large_table_is_estimated_on_a_sample_and_every_row_has_its_weight():
    table, folds = gaussians()
    whole, facts = weighed(table, folds, WITHOUT_FOLD_0, LOGISTIC, seed=1)
    found, of_sample = weighed(table, folds, WITHOUT_FOLD_0, {**LOGISTIC, "most_rows": 300}, seed=1)
    assert (found["row"] == whole["row"]).all()
    is_training = found["row"].isin(folds.loc[folds["fold"].isin(WITHOUT_FOLD_0.train), "row"])
    assert found.loc[is_training, "weight"].mean() == pytest.approx(1)
    assert np.corrcoef(np.log(found["weight"]), np.log(whole["weight"]))[0, 1] > 0.95
    assert of_sample["note"].startswith("The density ratio is estimated on 300 of ")
    assert "estimated on" not in facts["note"]
