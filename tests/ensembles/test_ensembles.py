"""Ensembles: boosting equals scikit-learn's, a bag judges itself by rows it did not draw, and pools say what they learn."""

import numpy as np
import pandas as pd
import pytest
from conftest import SCHEMA, model_options, network_options
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from stillhouse.columns import HISTORY
from stillhouse.ensembles.adaboost import boosted
from stillhouse.ensembles.out_of_bag import out_of_bag
from stillhouse.errors import UserError
from stillhouse.learning.fitting import fit, history_of, member_predictions
from stillhouse.learning.job import HISTORY_TYPES
from stillhouse.methods import build
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.predictions.predictions import logits
from stillhouse.tables import read_split, split_writer

TABLES = {"breast cancer": load_breast_cancer, "wine": load_wine}


def sample_of(table, stop=0):
    X, y = TABLES[table](return_X_y=True)
    features = {f"n{place}:x{place}": column.astype("float32") for place, column in enumerate(X.T)}
    rng = np.random.default_rng(0)
    rows = {"row": np.arange(len(y)), "fold": 1, "label": y.astype(float), "weight": rng.uniform(0.5, 1.5, len(y))}
    return pd.DataFrame({**rows, "stop": np.arange(len(y)) < stop, **features})


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("depth", [1, 2])
def test_boosting_equals_that_of_scikit_learn(table, depth):
    sample = sample_of(table)
    X, y = sample.filter(regex="^n").to_numpy(), sample["label"].to_numpy(int)
    n_classes = y.max() + 1
    ours = fit(sample, model_options("tree", depth=depth, leaf=1, boost=20, vote_rate=0.5), n_classes, threads=1, seed=3)
    theirs = AdaBoostClassifier(DecisionTreeClassifier(max_depth=depth, random_state=0), n_estimators=20, learning_rate=0.5)
    theirs.fit(X, y, sample_weight=sample["weight"].to_numpy())
    assert len(ours.models) == len(theirs.estimators_) > 5
    assert ours.votes == pytest.approx(theirs.estimator_weights_, rel=1e-6)
    assert ours.predict(sample) == pytest.approx(theirs.predict_proba(X), abs=1e-9)


class Fixed:
    """A model that says what it was made with."""

    def __init__(self, said):
        self.said = said

    def predict(self, rows):
        return np.eye(2)[self.said[: len(rows)]]


def test_boosting_is_the_rule_worked_by_hand():
    """Four rows, one wrong: error 1/4, vote log 3, and the wrong row then weighs half of all."""
    sample = pd.DataFrame({"label": [0.0, 0, 1, 1], "weight": 1.0, "stop": False})
    seen = []

    def fit_all(places, samples, number):
        seen.append(samples[0]["weight"].tolist())
        return [Fixed([0, 0, 1, 0] if number == 0 else [0, 1, 1, 1])]

    found = boosted([sample], fit_all, 2, 1.0, 2)[0]
    assert seen == [[1, 1, 1, 1], pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])]
    assert found.votes == pytest.approx([np.log(3), np.log(5)])


def test_boosting_ends_where_a_model_errs_nowhere_and_refuses_what_only_guesses():
    sample = pd.DataFrame({"label": [0.0, 0, 1, 1], "weight": 1.0, "stop": False})
    perfect = boosted([sample], lambda *_: [Fixed([0, 0, 1, 1])], 5, 1.0, 2)[0]
    assert (len(perfect.models), perfect.votes) == (1, [1.0])
    with pytest.raises(UserError, match="no better than guessing"):
        boosted([sample], lambda *_: [Fixed([1, 1, 0, 0])], 5, 1.0, 2)


def test_a_boosted_model_that_follows_another_has_as_many_models_at_most():
    sample = pd.DataFrame({"label": [0.0, 0, 1, 1], "weight": 1.0, "stop": False})
    rounds = [
        {0: Fixed([0, 0, 1, 0]), 1: Fixed([0, 0, 1, 0])},
        {0: Fixed([1, 1, 0, 0]), 1: Fixed([0, 1, 1, 1])},
    ]
    found = boosted([sample, sample], lambda going, _, number: [rounds[number][i] for i in going], 2, 1.0, 2, followed={1: 0})
    assert [len(one.models) for one in found] == [1, 1]
    guessing = [{0: Fixed([0, 0, 1, 0]), 1: None}]
    one, none = boosted([sample, sample], lambda going, *_: [guessing[0][i] for i in going], 1, 1.0, 2, followed={1: 0})
    assert (len(one.models), none) == (1, None)


def test_boosted_networks_are_trained_for_all_splits_and_are_those_of_each_split_alone():
    options = network_options(width=4, epochs=3, numbers="none", heads=1, boost=3, vote_rate=0.5)
    samples = [sample_of("breast cancer", stop=80), sample_of("breast cancer", stop=100)[:500]]
    both = train([TrainingSet(sample, None, options, 2, seed=1) for sample in samples])
    alone = train([TrainingSet(samples[1], None, options, 2, seed=1)])
    assert len(both[1][0].models) == len(alone[0][0].models) > 1
    assert (both[1][0].predict(samples[1]) == alone[0][0].predict(samples[1])).all()
    assert both[0][0].predict(samples[0]).sum(axis=1) == pytest.approx(1)


def test_a_bag_is_judged_by_the_members_that_did_not_draw_a_row():
    """With all members' draws known, the score is that of scikit-learn's forest, which is a bag of its trees."""
    sample = sample_of("wine").assign(weight=1.0)
    X, y = sample.filter(regex="^n").to_numpy(), sample["label"].to_numpy(int)
    forest = RandomForestClassifier(40, oob_score=True, random_state=0).fit(X, y)
    drawn = np.stack([np.bincount(rows, minlength=len(X)) > 0 for rows in forest.estimators_samples_])
    line = out_of_bag([tree.predict_proba(X) for tree in forest.estimators_], drawn, sample, 3).iloc[0]
    known = np.isfinite(forest.oob_decision_function_[:, 0]) & (forest.oob_decision_function_.sum(axis=1) > 0)
    p = forest.oob_decision_function_[known]
    assert line["rows"] == known.sum()
    assert line["score"] == pytest.approx(roc_auc_score(y[known], p, multi_class="ovr"))
    assert line["loss"] == pytest.approx(log_loss(y[known], np.maximum(p, 1e-7)), rel=1e-3)


@pytest.mark.parametrize("method", ["over", "smote", "balanced"])
def test_a_bag_of_rows_that_were_drawn_again_or_are_weighted_has_no_out_of_bag_score(method):
    """Of pure noise it would be .97 by copies on both sides, or .3 by rows that few members left out."""
    rng = np.random.default_rng(0)
    sample = sample_of("breast cancer", stop=80)
    noise = sample.assign(label=(rng.random(len(sample)) < 0.1).astype(float))
    settings = {"neighbors": 3} if method == "smote" else {}
    resampled = build("resamplers", {"method": method, **settings})(noise[~noise["stop"]].reset_index(drop=True), rng)
    model = fit(resampled, model_options("tree", bag=30, depth=20, leaf=1), 2, threads=1, seed=1)
    assert history_of(model, resampled, 2).empty


def test_a_boosted_model_says_how_many_rounds_it_had_and_one_of_one_round_keeps_its_probabilities():
    sample = sample_of("breast cancer", stop=80)
    deep = fit(sample, model_options("tree", boost=20, depth=30, leaf=1), 2, threads=1, seed=1)
    flat = fit(sample, model_options("tree", boost=5, depth=1), 2, threads=1, seed=1)
    assert [int(history_of(model, sample, 2)["rows"].iloc[0]) for model in (deep, flat)] == [1, 5]
    alone = fit(sample, model_options("forest", boost=20, trees=30), 2, threads=1, seed=1)
    assert len(np.unique(alone.predict(sample)[:, 1])) > 5


def test_a_bagged_model_has_an_out_of_bag_score_that_is_no_score_of_the_rows_it_learned():
    sample = sample_of("breast cancer", stop=80)
    labels = np.random.default_rng(1).integers(0, 2, len(sample)).astype(float)
    guessing = sample.assign(label=labels, weight=1.0)
    model = fit(guessing, model_options("tree", bag=30, depth=20, leaf=1), 2, threads=1, seed=1)
    fitted = guessing[~guessing["stop"]]
    assert roc_auc_score(fitted["label"], model.predict(fitted)[:, 1]) > 0.95
    assert abs(history_of(model, guessing, 2)["score"].iloc[0] - 0.5) < 0.1
    assert member_predictions(fit(guessing, model_options("tree"), 2, threads=1, seed=1), fitted, 2) is None


def test_bagged_networks_have_one_too():
    sample = sample_of("breast cancer", stop=80)
    options = network_options(width=4, epochs=3, numbers="none", seeds=4, bag=True)
    _, history = train([TrainingSet(sample, None, options, 2, seed=1)])[0]
    line = history[history["phase"] == "out of bag"].iloc[0]
    assert 300 < line["rows"] < 489
    assert 0.5 < line["score"] <= 1


FEW = {"boosting": {"rounds": 5, "leaves": 2, "rate": 0.5}, "catboost": {"rounds": 5, "depth": 1, "rate": 0.5}}


@pytest.mark.parametrize("method", FEW)
@pytest.mark.parametrize("n_classes", [0, 2])
def test_boosting_divides_words_by_sets_where_it_is_asked_to(n_classes, method):
    """Of sixty words every other one tells; one split by a set says so, where one word after the other takes many."""
    rng = np.random.default_rng(0)
    words, rows = rng.integers(0, 60, 4000), np.arange(4000)
    truth = (words % 2).astype(float)
    sample = pd.DataFrame({"row": rows, "fold": 1, "weight": 1.0, "stop": rows % 5 == 0, "n0:x": rng.normal(size=4000)})
    sample["label"] = np.where(rng.random(4000) < 0.1, 1 - truth, truth)
    one_hot = pd.DataFrame(np.eye(60, dtype="float32")[words], columns=[f"c1:word={place}" for place in range(60)])
    sample = pd.concat([sample, one_hot], axis=1)
    native, plain = (
        fit(sample, model_options(method, native=value, **FEW[method]), n_classes, 1, 1) for value in (True, False)
    )
    aucs = [roc_auc_score(truth, model.predict(sample)[:, -1]) for model in (native, plain)]
    assert aucs[0] > 0.99 > 0.8 > aucs[1]
    unseen = sample.assign(**dict.fromkeys(one_hot, 0.0))
    assert np.isfinite(native.predict(unseen)).all()


def pool(method, **given):
    options = {**SCHEMA["$defs"]["methods"]["stackers"][method].get("options", {})}
    settings = {name: part.get("default") for name, part in options.items()} | given
    return build("stackers", {"method": method, **settings})


def members(rows=2000):
    """Logits of two members of like worth and of one that guesses, and labels."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, rows)
    signal = np.where(labels == 1, 1.0, -1.0)
    scores = [signal + 1.5 * rng.normal(size=rows), signal + 1.5 * rng.normal(size=rows), 3 * rng.normal(size=rows)]
    return np.stack([np.c_[-score / 2, score / 2] for score in scores]), labels.astype(float)


def test_greedy_selection_takes_what_helps_and_leaves_a_guesser_out():
    scores, labels = members()
    found = pool("greedy", rounds=20).fit(scores, labels, 2)
    assert found.weights.sum() == pytest.approx(1)
    assert found.weights[2] < 0.06
    assert found.weights[:2] == pytest.approx([0.5, 0.5], abs=0.1)
    losses = [log_loss(labels, one.pooled(scores, 2)) for one in (found, pool("mean").fit(scores, labels, 2))]
    assert losses[0] < losses[1]


def test_greedy_selection_is_never_worse_than_the_best_member_on_the_rows_it_chooses_by():
    scores, labels = members(60)
    for rounds in (1, 2, 7):
        found = log_loss(labels, pool("greedy", rounds=rounds).fit(scores, labels, 2).pooled(scores, 2))
        alone = min(log_loss(labels, pool("mean").fit(member[None], labels, 2).pooled(member[None], 2)) for member in scores)
        assert found <= alone + 1e-12


@pytest.mark.parametrize("n_classes", [0, 2])
def test_no_weight_is_negative_where_none_may_be(n_classes):
    scores, labels = members()
    scores[2] = -0.5 * scores[0] + np.random.default_rng(1).normal(size=scores[0].shape)
    scores, wanted = (scores, labels) if n_classes else (scores[:, :, 1:], labels)
    free, bound = (
        pool("linear", penalty=0.1, nonnegative=value).fit(scores, wanted, n_classes).weights for value in (False, True)
    )
    assert free.min() < -0.01
    assert bound.min() >= 0


def test_the_confidence_weighted_mean_follows_the_surer_member():
    p = np.array([[[0.5, 0.5]], [[0.01, 0.99]]])
    found = pool("confidence").fit(logits(p.reshape(-1, 2)).reshape(p.shape), np.array([1.0]), 2)
    assert found.pooled(logits(p.reshape(-1, 2)).reshape(p.shape), 2)[0, 1] == pytest.approx(0.99, abs=1e-6)


@pytest.mark.parametrize("method", ["temperature", "platt", "isotonic"])
def test_calibration_mends_probabilities_that_are_too_sure_and_is_learned_on_other_rows(method):
    rng = np.random.default_rng(0)
    logit = 1.5 * rng.normal(size=6000)
    labels = (rng.random(6000) < 1 / (1 + np.exp(-logit))).astype(float)
    sure = (3 * logit)[:, None] * np.array([[-0.5, 0.5]])
    stacker = pool(method).fit(sure[None, :3000], labels[:3000], 2)
    after, before = (
        log_loss(labels[3000:], one.pooled(sure[None, 3000:], 2)) for one in (stacker, pool("mean").fit(sure[None], labels, 2))
    )
    truth = log_loss(labels[3000:], 1 / (1 + np.exp(-logit[3000:])))
    assert after < truth + 0.01 < before - 0.1


def test_a_history_may_be_empty_in_one_split_and_not_in_another(tmp_path):
    """A bag has a score where rows are not weighted, as they are in the split whose weights were not refused."""
    line = pd.DataFrame([{"phase": "out of bag", "loss": 0.3, "score": 0.8, "rows": 90, "kept": True}])
    (tmp_path / "split-all").mkdir()
    path = tmp_path / "split-all" / "history.parquet"
    with split_writer(path) as write:
        for split, history in (("0", line), ("1", pd.DataFrame()), ("2", line)):
            write(split, history.reindex(columns=HISTORY).astype(HISTORY_TYPES))
    assert read_split(path, "2")["score"].tolist() == [0.8]
    assert read_split(path, "1").empty
