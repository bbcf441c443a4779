"""Weights, priors, soft targets and stacks: each acts once, in its place."""

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import SCHEMA, model_options, network_options, trained
from scipy.special import softmax

from stillhouse.columns import features
from stillhouse.config.completion import complete_options
from stillhouse.distillation.soft_targets import Teaching, soft_targets, teacher_predictions
from stillhouse.ensembles.stackers.linear import LinearPool
from stillhouse.errors import UserError
from stillhouse.learning.fitting import fit
from stillhouse.methods import build
from stillhouse.networks.losses import Loss, distillation
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.predictions.predictions import moved, on_learned_prior, on_original_prior, unseen_predictions
from stillhouse.preparation.density_ratio import CrossFitted
from stillhouse.preparation.ledger import Ledger
from stillhouse.preparation.resamplers.over import oversampled
from stillhouse.preparation.sample import balanced_sample, check_classes_left, prior, stop_rows
from stillhouse.preparation.weights import effective_sample_size, weighed
from stillhouse.splits import Split
from stillhouse.tables import read_split, split_writer


def gaussians(n_train=3000, n_deploy=2000, move=1.0):
    rng = np.random.default_rng(5)
    X = np.vstack([rng.normal(0, 1, (n_train, 3)), rng.normal([move, 0, 0], 1, (n_deploy, 3))]).astype(np.float32)
    table = pd.DataFrame(X, columns=["n0:a", "n1:b", "n2:c"])
    table.insert(0, "row", range(len(table)))
    folds = pd.DataFrame({"row": table["row"], "fold": np.r_[np.arange(n_train) % 5, np.full(n_deploy, -1)]})
    return table, folds


LOGISTIC = complete_options(SCHEMA, "weighers", {"method": "logistic"}, where=())
WITHOUT_FOLD_0 = Split("", [1, 2, 3, 4], [0], {})


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


def test_a_prior_moved_there_and_back_is_the_same():
    probabilities = np.array([[0.2, 0.5, 0.3], [0.9, 0.05, 0.05]])
    ledger = Ledger([0.7, 0.2, 0.1], [1 / 3, 1 / 3, 1 / 3], resampled=True)
    there = on_learned_prior(probabilities, ledger)
    assert there[0, 0] < probabilities[0, 0]
    assert on_original_prior(there, ledger) == pytest.approx(probabilities)


def test_undoing_a_changed_prior_restores_calibrated_probabilities():
    # Two Gaussians with prior .9 and .1; a model that learned from balanced rows states p(y|x) at prior .5.
    x = np.linspace(-3, 3, 50)
    density = np.exp(-0.5 * (x[:, None] - np.array([0.0, 1.0])) ** 2)
    balanced = density / density.sum(axis=1, keepdims=True)
    truth = density * [0.9, 0.1]
    assert moved(balanced, np.array([0.9, 0.1]), np.array([0.5, 0.5])) == pytest.approx(
        truth / truth.sum(axis=1, keepdims=True)
    )


def test_over_sampling_leaves_the_largest_class_alone(imbalanced):
    sample = oversampled(imbalanced, np.random.default_rng(0))
    assert sorted(sample.loc[sample["label"] == 0, "row"]) == list(range(40))
    assert (sample["label"] == 1).sum() == 40


DRAWING = {"smote": {"neighbors": 3}, "borderline": {"neighbors": 3}, "adasyn": {"neighbors": 3}, "mixture": {"components": 2}}


@pytest.mark.parametrize("method", DRAWING)
def test_synthetic_rows_are_whole_rows_with_weight_and_fold_of_a_parent(imbalanced, method):
    sample = build("resamplers", {"method": method, **DRAWING[method]})(imbalanced, np.random.default_rng(0))
    pd.testing.assert_frame_equal(sample[:50], imbalanced)
    synthetic, parents = sample[50:], imbalanced[imbalanced["label"] == 1]
    assert len(synthetic) >= 20
    assert (synthetic["row"] == -1).all()
    assert (synthetic["label"] == 1).all()
    assert set(zip(synthetic["weight"], synthetic["fold"], strict=True)) <= set(
        zip(parents["weight"], parents["fold"], strict=True)
    )
    assert (synthetic[["c2:site=a", "c2:site=b", "c2:site=c"]].sum(axis=1) == 1).all()


@pytest.mark.parametrize(("distance", "rare"), [(100, 10), (0, 38)], ids=["no neighbours of another class", "shares of no row"])
def test_adasyn_leaves_a_sample_alone_to_which_it_would_add_nothing(distance, rare):
    """Thirty-eight rows that all lie among forty others get a twentieth of the two rows that they lack."""
    rng = np.random.default_rng(0)
    label = np.repeat([0.0, 1.0], [40, rare])
    x = rng.normal(size=len(label)) + distance * label
    sample = pd.DataFrame({"row": range(len(label)), "n0:x": x, "fold": 1, "label": label, "weight": 1.0, "stop": False})
    found = build("resamplers", {"method": "adasyn", "neighbors": 5})(sample, np.random.default_rng(0))
    pd.testing.assert_frame_equal(found, sample)


def test_smote_rows_lie_between_their_parents(imbalanced):
    sample = build("resamplers", {"method": "smote", "neighbors": 3})(imbalanced, np.random.default_rng(0))
    synthetic, parents = sample[50:], imbalanced[imbalanced["label"] == 1]
    for name in ("n0:age", "n1:dose"):
        assert synthetic[name].between(parents[name].min() - 1e-6, parents[name].max() + 1e-6).all()


@pytest.mark.parametrize("method", ["tomek", "enn", "clusters", "under"])
def test_cleaning_keeps_real_rows_of_every_class(imbalanced, method):
    options = {"neighbors": 3} if method == "enn" else {}
    sample = build("resamplers", {"method": method, **options})(imbalanced, np.random.default_rng(0))
    kept = imbalanced[imbalanced["row"].isin(sample["row"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(sample, kept)
    assert (sample["label"] == 1).sum() == 10


def loss(logits, label, soft, alpha=0.0, temperature=1.0):
    logits, soft = (torch.tensor(values, dtype=torch.float64) for values in (logits, soft))
    return distillation(logits, torch.eye(3)[label], soft, alpha, torch.tensor([temperature]))


LOGITS = [[0.3, -1.2, 0.8], [2.0, 0.1, -0.4]]
SOFT = [[0.2, 0.5, 0.3], [0.7, 0.2, 0.1]]


def test_with_alpha_one_the_loss_is_the_cross_entropy_of_the_label():
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(LOGITS, dtype=torch.float64), torch.tensor([0, 2]), reduction="none"
    )
    assert loss(LOGITS, [0, 2], SOFT, alpha=1.0, temperature=3.0).tolist() == pytest.approx(expected.tolist())


def test_with_alpha_zero_the_loss_is_t_squared_times_the_divergence():
    T = 3.0
    teacher, student = softmax(np.log(SOFT) / T, axis=1), softmax(np.array(LOGITS) / T, axis=1)
    expected = T**2 * (teacher * (np.log(teacher) - np.log(student))).sum(axis=1)
    assert loss(LOGITS, [0, 2], SOFT, temperature=T).tolist() == pytest.approx(expected.tolist())


def test_at_high_temperature_the_gradient_is_that_of_matched_logits():
    # For T → ∞ the gradient tends to (z - v) / classes with centred logits z and v (Hinton et al. 2015, eq. 4).
    logits = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
    soft = torch.tensor(SOFT, dtype=torch.float64)
    distillation(logits, torch.eye(3)[[0, 0]], soft, 0.0, torch.tensor([1e4])).sum().backward()
    z, v = np.array(LOGITS), np.log(SOFT)
    expected = (z - z.mean(axis=1, keepdims=True) - v + v.mean(axis=1, keepdims=True)) / 3
    assert logits.grad.numpy() == pytest.approx(expected, abs=1e-3)


def test_rows_without_a_teacher_learn_from_their_label_alone(imbalanced):
    sample = imbalanced.assign(stop=imbalanced["row"] % 5 == 0)
    unsure, nothing = (np.full((len(sample), 2), value) for value in (0.5, np.nan))
    alone, label_free_features, taught = (
        trained(sample, {**NETWORK, "epochs": 3, "alpha": alpha}, soft=soft)[0].predict(sample)
        for alpha, soft in ((1.0, unsure), (0.3, nothing), (0.3, unsure))
    )
    assert label_free_features == pytest.approx(alone, abs=1e-5)
    assert np.abs(taught - alone).max() > 0.01


def test_a_regression_mixes_squared_distances_to_label_and_teacher():
    output, label, soft = (torch.tensor([[value]]) for value in (1.0, 0.0, 3.0))
    assert Loss("auto", 0)(output, label, soft, 0.25, None).tolist() == pytest.approx([0.25 * 1 + 0.75 * 4])


def test_splits_of_different_columns_come_back_as_they_were(tmp_path):
    narrow = pd.DataFrame({"row": [0, 1], "n0:x": np.float32([1, np.nan])})
    wide = narrow.assign(**{"c1:site=a": np.float32([0, 1])})
    path = tmp_path / "split-all" / "features.parquet"
    path.parent.mkdir()
    with split_writer(path) as write:
        write("0", narrow)
        write("0+1", wide)
    pd.testing.assert_frame_equal(read_split(path, "0"), narrow)
    pd.testing.assert_frame_equal(read_split(path, "0+1"), wide)


def test_soft_targets_come_from_the_split_that_held_the_row_out(tmp_path):
    folds = pd.DataFrame({"row": range(6), "fold": [0, 0, 1, 1, 2, 2]})
    split = Split("0", [1, 2], [0], {"1": "0+1", "2": "0+2"})

    def table(rows, p):
        return pd.DataFrame({"row": rows, "p_a": p, "p_b": 1 - p})

    path = tmp_path / "split-all" / "predictions.parquet"
    path.parent.mkdir()
    with split_writer(path) as write:
        write("0", table([0, 1], 0.5))
        write("0+1", table([0, 1, 2, 3], 0.1))
        write("0+2", table([0, 1, 4, 5], 0.2))
    unseen = unseen_predictions(path, folds, split, ["a", "b"])
    assert dict(zip(unseen["row"], unseen["p_a"], strict=True)) == {2: 0.1, 3: 0.1, 4: 0.2, 5: 0.2}
    told = teacher_predictions(split, Teaching({"teacher": path}, folds, ["a", "b"], {"transfer": [], "pool": "probabilities"}))
    soft = soft_targets(pd.DataFrame({"row": [5, -1, 2]}), told, ["a", "b"], None)
    assert soft[[0, 2], 0].tolist() == [0.2, 0.1]
    assert np.isnan(soft[1]).all()


def test_a_linear_pool_of_two_classes_is_a_logistic_regression_on_logits():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 500)
    half = rng.normal(size=(2, 500)) + labels * 0.8
    scores = np.stack([-half / 2, half / 2], axis=2)
    pool = LinearPool(penalty=1e-9, nonnegative=False).fit(scores, labels, 2)
    expected = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(half.T, labels)
    assert pool.weights == pytest.approx(expected.coef_[0], abs=1e-3)
    assert pool.intercept[1] - pool.intercept[0] == pytest.approx(expected.intercept_[0], abs=1e-3)


NETWORK = network_options(
    numbers="none", heads=1, categorical="onehot", width=8, depth=1, dropout=0.0, epochs=30, patience=5, rate=0.01, decay=0.0
)


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


@pytest.mark.parametrize("method", ["over", "balanced", "under"])
def test_a_network_states_the_true_prior_however_its_sample_was_balanced(method):
    rng = np.random.default_rng(0)
    label = (rng.random(6000) < 0.05).astype(float)
    sample = pd.DataFrame({"row": range(6000), "n0:x": (rng.normal(size=6000) + label).astype(np.float32), "label": label})
    sample = sample.assign(weight=1.0, fold=1)
    balanced, ledger = balanced_sample(sample, 2, 0.15, {"method": method}, seed=1)
    model, _ = trained(balanced, {**NETWORK, "rate": 0.003, "epochs": 20})
    stated = OnOriginalPrior(model, ledger, balanced[balanced["stop"]]).predict(sample)[:, 1].mean()
    assert stated == pytest.approx(label.mean(), rel=0.2)


@pytest.mark.parametrize("method", ["over", "balanced", "under"])
def test_a_forest_states_the_true_prior_however_its_sample_was_balanced(method):
    rng = np.random.default_rng(0)
    label = (rng.random(6000) < 0.05).astype(float)
    sample = pd.DataFrame({"row": range(6000), "n0:x": (rng.normal(size=6000) + label).astype(np.float32), "label": label})
    balanced, ledger = balanced_sample(sample.assign(weight=1.0, fold=1), 2, 0.15, {"method": method}, seed=1)
    model = fit(balanced, model_options("forest", trees=50, leaf=20), 2, threads=1, seed=1)
    unseen = np.random.default_rng(1)
    new_label = (unseen.random(6000) < 0.05).astype(float)
    new = pd.DataFrame({"n0:x": (unseen.normal(size=6000) + new_label).astype(np.float32)})
    stated = OnOriginalPrior(model, ledger, balanced[balanced["stop"]]).predict(new)[:, 1].mean()
    assert stated == pytest.approx(0.05, rel=0.2)


def test_a_model_on_rows_as_they_are_is_not_calibrated(imbalanced):
    sample, ledger = balanced_sample(imbalanced, 2, 0.2, {"method": "none"}, seed=1)
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


def test_the_order_of_features_does_not_depend_on_other_splits(tmp_path):
    path = tmp_path / "split-all" / "features.parquet"
    path.parent.mkdir()
    here = pd.DataFrame({"row": [0], "n0:x": [1.0], "c1:s=b": [1.0], "c1:s=d": [0.0]})
    first = {"other": pd.DataFrame({"row": [0], "c1:s=d": [0.0], "n0:x": [1.0]}), "no": None}
    found = []
    for other in first.values():
        with split_writer(path) as write:
            if other is not None:
                write("1", other)
            write("0", here)
        found.append(features(read_split(path, "0")))
    assert found[0] == found[1] == ["n0:x", "c1:s=b", "c1:s=d"]


@pytest.mark.parametrize("times", [1, 2, 3, 40])
def test_stop_rows_in_time_are_the_last_ones_and_never_all(imbalanced, times):
    sample = imbalanced.assign(time=(imbalanced["row"] * times // 50).astype(float))
    is_stop = stop_rows(sample, 2, 0.15, seed=1)
    assert 0 < is_stop.sum() < len(sample)
    if times > 1:
        assert sample["time"][is_stop].min() > sample["time"][~is_stop].max()


def test_no_stop_row_repeats_a_fitted_one(imbalanced):
    sample = pd.concat([imbalanced, imbalanced], ignore_index=True)
    is_stop = stop_rows(sample, 2, 0.2, seed=1)
    assert (is_stop[:50] == is_stop[50:]).all()
    assert is_stop.sum() == 20


def test_a_resampler_that_removes_a_class_is_refused(imbalanced):
    lone = imbalanced.assign(label=np.r_[np.zeros(40), 1.0, np.full(9, 2.0)])
    with pytest.raises(UserError, match="leaves no row of a class"):
        check_classes_left(prior(lone, 3), prior(lone[lone["label"] != 1], 3), "enn")


def test_a_pool_of_values_in_large_units_is_the_ridge_towards_equal_weights():
    rng = np.random.default_rng(0)
    truth = 2e5 + 1e5 * rng.normal(size=400)
    scores = np.stack([truth + 2e4 * rng.normal(size=400), truth + 8e4 * rng.normal(size=400)])[:, :, None]
    pool = LinearPool(penalty=1e-9, nonnegative=False).fit(scores, truth, 0)
    A = np.c_[scores[:, :, 0].T, np.ones(400)]
    assert [*pool.weights, *pool.intercept] == pytest.approx(np.linalg.lstsq(A, truth, rcond=None)[0], rel=1e-3)
