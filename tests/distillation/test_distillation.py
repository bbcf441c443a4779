"""Students: what they are told and by whom, what they make of it, and what is chosen on stop rows alone."""

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import SCHEMA, model_options, network_options, trained
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from stillhouse.columns import CHOICE, PHASE
from stillhouse.config.completion import complete_options, shared_options
from stillhouse.distillation.hints import HINT_COMPONENTS, hidden_layer, hints, without_hints
from stillhouse.distillation.soft_targets import (
    Teaching,
    candidates,
    chosen_candidate,
    pooled_teachers,
    soft_targets,
    student_sample,
)
from stillhouse.evaluation.comparison import Comparison, compare_students, fidelity
from stillhouse.evaluation.protocol import Protocol
from stillhouse.intake.folds import with_synthetic_rows
from stillhouse.intake.task import Task
from stillhouse.learning.fitting import fit, fit_student, with_shares
from stillhouse.networks.losses import distillation
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.predictions.predictions import on_learned_prior, rows_to_predict
from stillhouse.preparation.ledger import Ledger
from stillhouse.splits import Split
from stillhouse.tables import split_writer

CLASSES = ["a", "b"]


def student_options(method="logistic", **given):
    shared = {name: part for name, part in shared_options(SCHEMA, "distill", "estimators").items() if name != "teacher"}
    return complete_options(SCHEMA, "estimators", {"method": method, **given}, where=(), shared=shared)


def blobs(rows=240, seed=0):
    """A sample of two overlapping classes, and their true probabilities."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 2)).astype(np.float32)
    p = 1 / (1 + np.exp(-2 * X[:, 0]))
    sample = pd.DataFrame({"row": range(rows), "n0:x": X[:, 0], "n1:y": X[:, 1], "fold": np.arange(rows) % 3})
    sample = sample.assign(label=(rng.random(rows) < p).astype(float), weight=1.0, stop=np.arange(rows) % 6 == 0)
    return sample, np.column_stack([1 - p, p])


# The loss


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_the_gradient_of_the_loss_is_its_closed_form_in_double_precision(alpha, temperature):
    rng = np.random.default_rng(1)
    values, soft = rng.normal(size=(50, 4)), softmax(rng.normal(size=(50, 4)), axis=1)
    label = np.eye(4)[rng.integers(0, 4, 50)]
    logits = torch.tensor(values, requires_grad=True)
    T = torch.tensor([temperature], dtype=torch.float64)
    distillation(logits, torch.tensor(label), torch.tensor(soft), alpha, T).sum().backward()
    tempered = softmax(np.log(soft) / temperature, axis=1)
    by_hand = alpha * (softmax(values, axis=1) - label)
    by_hand += (1 - alpha) * temperature * (softmax(values / temperature, axis=1) - tempered)
    assert logits.grad.numpy() == pytest.approx(by_hand, abs=1e-10)


def test_a_row_of_double_weight_counts_as_two():
    sample, soft = blobs()
    twice = np.r_[np.arange(len(sample)), np.flatnonzero(sample["row"] < 60)]
    heavy = sample.assign(weight=np.where(sample["row"] < 60, 2.0, 1.0))
    options = student_options(alpha=0.3)
    once, again = (
        fit_student(rows, target, options, 2, 1, seed=1)[0].estimator.coef_
        for rows, target in ((heavy, soft), (sample.iloc[twice], soft[twice]))
    )
    assert once == pytest.approx(again, abs=1e-4)


# What students are told


FOLDS = pd.DataFrame({"row": range(10), "fold": [0, 0, 1, 1, 2, 2, -1, -1, -3, -2]})
SPLIT = Split("0", [1, 2], [0], {"1": "0+1", "2": "0+2"}, synthetic=True)


def spoken(folder, by_split):
    """Predictions of one teacher: a probability of b for each split, the same for all rows that it predicts."""
    path = folder / "split-all" / "predictions.parquet"
    path.parent.mkdir(parents=True)
    synthetic = pd.DataFrame({"row": [10, 11], "parents": [1, 0]})
    folds = with_synthetic_rows(FOLDS, synthetic)
    with split_writer(path) as write:
        for name, p in by_split.items():
            held_out = [int(fold) for fold in name.split("+")]
            trained = [fold for fold in range(3) if fold not in held_out]
            rows = rows_to_predict(folds, Split(name, trained, held_out, {}, synthetic=name == "0"))
            write(name, pd.DataFrame({"row": rows, "p_a": 1 - p, "p_b": p}))
    return path, folds


def sample_of(rows):
    fold = FOLDS.set_index("row")["fold"]
    facts = {"label": 1.0, "weight": 1.0, "stop": False}
    return pd.DataFrame({"row": rows, "n0:x": np.array(rows, dtype=np.float32), "fold": fold[rows].to_numpy(), **facts})


def told(tmp_path, transfer=(), ledger=None, **more):
    path, folds = spoken(tmp_path / "teacher", {"0": 0.5, "0+1": 0.1, "0+2": 0.2})
    features = pd.DataFrame({"row": range(12), "n0:x": np.arange(12, dtype=np.float32)})
    options = student_options(transfer=list(transfer), transfer_weight=0.5)
    return student_sample(
        sample_of([2, 3, 4, 5]), features, SPLIT, ledger, Teaching({"t": path, **more}, folds, CLASSES, options)
    )


def test_without_transfer_rows_a_student_learns_from_its_sample_alone(tmp_path):
    sample, soft = told(tmp_path)
    assert sample["row"].tolist() == [2, 3, 4, 5]
    assert soft[:, 1].tolist() == [0.1, 0.1, 0.2, 0.2]


def test_deploy_and_unlabelled_rows_take_the_splits_own_teacher(tmp_path):
    sample, soft = told(tmp_path, ["deploy", "unlabelled"])
    assert sample["row"].tolist()[4:] == [6, 7, 8]
    assert soft[4:, 1].tolist() == [0.5] * 3
    assert sample["label"][4:].isna().all()
    assert sample["weight"].tolist() == [1.0] * 4 + [0.5] * 3
    assert not sample["stop"].any()


def test_a_synthetic_row_takes_the_splits_own_teacher_and_none_whose_parents_are_held_out_is_used(tmp_path):
    sample, soft = told(tmp_path, ["synthetic"])
    assert sample["row"].tolist()[4:] == [10]
    assert soft[4, 1] == 0.5


def test_soft_targets_are_moved_to_the_prior_that_the_student_learns(tmp_path):
    ledger = Ledger([0.8, 0.2], [0.5, 0.5], resampled=True)
    _, soft = told(tmp_path, ["deploy"], ledger)
    plain = np.array([[0.9, 0.1]] * 2 + [[0.8, 0.2]] * 2 + [[0.5, 0.5]] * 2)
    assert soft == pytest.approx(on_learned_prior(plain, ledger))


def test_several_teachers_are_averaged_in_probabilities_or_in_logits():
    first, second = np.array([[0.9, 0.1]]), np.array([[0.5, 0.5]])
    assert pooled_teachers(np.stack([first, second]), CLASSES, "probabilities") == pytest.approx(np.array([[0.7, 0.3]]))
    # The mean logit of 9 and 1 to one is 3 to one.
    assert pooled_teachers(np.stack([first, second]), CLASSES, "logits") == pytest.approx(np.array([[0.75, 0.25]]))
    assert pooled_teachers(np.array([[[1.0]], [[4.0]]]), None, "logits").tolist() == [[2.5]]


def test_of_two_teachers_each_speaks_of_the_same_rows(tmp_path):
    other, _ = spoken(tmp_path / "other", {"0": 0.9, "0+1": 0.3, "0+2": 0.6})
    _, soft = told(tmp_path, ["deploy"], other=other)
    assert soft[:, 1] == pytest.approx([0.2, 0.2, 0.4, 0.4, 0.7, 0.7])


# What students make of it


def test_a_network_learns_from_rows_without_a_label():
    sample, soft = blobs()
    settings_ = {"alpha": 0.3, "epochs": 25, "rate": 0.01, "width": 8, "depth": 1, "numbers": "none", "patience": 25}
    known = sample["row"] < 60
    hidden_labels = sample.assign(label=sample["label"].where(known | sample["stop"]))
    few, more = (
        trained(rows, network_options(**settings_), soft=target)[0].predict(sample)
        for rows, target in ((sample[known | sample["stop"]], soft[known | sample["stop"]]), (hidden_labels, soft))
    )
    assert np.abs(more - soft).mean() < np.abs(few - soft).mean()


def test_a_linear_student_of_alpha_zero_is_the_regression_on_probabilities():
    sample, soft = blobs()
    student, history, _ = fit_student(sample, soft, student_options(alpha=0.0, penalty=1e-6), 2, 1, seed=1)
    assert not len(history)
    # The true probabilities are those of a slope of 2 and no intercept, which a student that sees them finds.
    assert student.estimator.coef_[0] == pytest.approx([2, 0], abs=0.02)


def test_with_alpha_one_a_student_is_its_twin():
    sample, soft = blobs()
    for method in ("logistic", "tree", "boosting"):
        options = student_options(method, alpha=1.0)
        settings = model_options(method)
        student, twin = fit_student(sample, soft, options, 2, 1, seed=1)[0], fit(sample, settings, 2, 1, seed=1)
        assert student.predict(sample) == pytest.approx(twin.predict(sample))


def test_soft_labels_are_rows_weighted_by_their_shares_and_a_row_without_teacher_keeps_its_label():
    sample, soft = blobs(12)
    soft[3] = np.nan
    shared = with_shares(sample, soft, 0.25, 2)
    fitted = shared[~shared["stop"]]
    for row in (1, 3):
        share = fitted[fitted["row"] == row].set_index("label")["weight"]
        label = sample["label"][row]
        assert share.sum() == pytest.approx(1)
        assert share[label] == pytest.approx(1 if row == 3 else 0.25 + 0.75 * soft[row, int(label)])
    pd.testing.assert_frame_equal(shared[shared["stop"]].reset_index(drop=True), sample[sample["stop"]].reset_index(drop=True))


def test_a_regression_student_learns_the_mean_of_label_and_teacher():
    sample, _ = blobs(12)
    soft = np.full((12, 1), 10.0)
    assert with_shares(sample, soft, 0.25, 0)["label"][:10].tolist() == pytest.approx(
        (0.25 * sample["label"] + 7.5)[~sample["stop"]].tolist()
    )


# What is chosen


def test_auto_tries_every_pair_and_labels_alone_once():
    every = {"alpha": "auto", "auto_rows": 100}
    pairs = candidates({"temperature": "auto", **every}, 100)
    assert len(pairs) == len(set(pairs)) == 10
    assert sum(alpha == 1 for _, alpha in pairs) == 1
    assert candidates({"temperature": 3, **every}, 100) == [(3, 0.0), (3, 0.3), (3, 0.6), (3, 1.0)]
    assert candidates({"temperature": 3, "alpha": 0.2, "auto_rows": 100}, 100) == [(3, 0.2)]


def test_auto_tries_the_usual_share_and_labels_alone_of_many_rows():
    assert candidates({"temperature": 3, "alpha": "auto", "auto_rows": 100}, 101) == [(3, 0.3), (3, 1.0)]
    assert candidates({"temperature": 3, "alpha": 0.2, "auto_rows": 100}, 101) == [(3, 0.2)]


@pytest.mark.parametrize("kind", ["network", "logistic"])
def test_a_teacher_that_knows_is_followed_and_one_that_errs_is_not(kind):
    sample, soft = blobs(600)
    chosen = []
    for target in (soft, soft[:, ::-1].copy()):
        if kind == "network":
            options = network_options(alpha="auto", temperature=1, epochs=20, rate=0.01, width=8, depth=1)
            _, history = trained(sample, options, soft=target)
        else:
            _, history, _ = fit_student(sample, target, student_options(alpha="auto"), 2, 1, seed=1)
        choice = history[history[PHASE] == CHOICE]
        assert choice["kept"].sum() == 1
        chosen.append(choice.loc[choice["kept"].astype(bool), "alpha"].item())
    assert chosen[0] < 1
    assert chosen[1] == 1


class Says:
    """A model that gives all rows the same probability of their label."""

    def __init__(self, *p):
        self.p = np.array(p)

    def predict(self, table):
        p = np.resize(self.p, len(table))
        return np.column_stack([1 - p, p])


def test_the_usual_share_is_kept_unless_another_is_better_by_more_than_chance():
    stop = pd.DataFrame({"label": np.ones(40), "weight": 1.0})
    pairs = [(1.0, 0.0), (1.0, 0.3), (1.0, 1.0)]

    def chosen(*models):
        place, table = chosen_candidate(pairs, models, stop, 2)
        assert table["kept"].tolist() == [place == other for other in range(3)]
        return pairs[place][1]

    usual = Says(0.6, 0.8)
    assert chosen(Says(0.5), usual, Says(0.9)) == 1.0
    # Better in the mean, and as often worse as better: that may be luck.
    assert chosen(Says(0.5), usual, Says(0.98, 0.5)) == 0.3
    assert chosen(None, usual, None) == 0.3
    assert chosen(Says(0.5), None, None) == 0.0
    assert chosen_candidate(pairs, [usual, usual, usual], stop[:0], 2)[0] == 1


def test_the_history_of_a_chosen_network_is_its_own():
    sample, soft = blobs()
    options = network_options(alpha="auto", temperature="auto", epochs=3, width=4, depth=1, seeds=2)
    model, history = trained(sample, options, soft=soft)
    assert len(model.members) == 2
    assert sorted(history.loc[history[PHASE] != CHOICE, "network"].unique()) == [0, 1]
    assert (history[PHASE] == CHOICE).sum() == 10


# Hints


def hinted_sample():
    """A teacher, the student's sample, and what its further outputs are to be."""
    sample, soft = blobs()
    teacher, _ = trained(sample, network_options(width=24, depth=1, epochs=15, rate=0.01))
    folds = sample[["row", "fold"]]
    wanted = hints(sample, folds, {"1": "0+1", "2": "0+2"}, lambda _: teacher, lambda _: sample)
    return sample, soft, teacher, wanted


def test_hints_of_a_row_are_those_of_the_teacher_that_held_its_fold_out():
    sample, _, teacher, wanted = hinted_sample()
    assert hidden_layer(teacher, sample).shape == (len(sample), 24)
    assert wanted.shape == (len(sample), 2 * HINT_COMPONENTS)
    known = ~np.isnan(wanted)
    assert known[(sample["fold"] == 1).to_numpy()].all(axis=0).tolist() == [True] * HINT_COMPONENTS + [False] * HINT_COMPONENTS
    assert known[(sample["fold"] == 2).to_numpy()].all(axis=0).tolist() == [False] * HINT_COMPONENTS + [True] * HINT_COMPONENTS
    assert not known[(sample["fold"] == 0).to_numpy()].any()


@pytest.mark.parametrize("heads", [1, 4])
def test_a_hinted_student_can_be_mapped_onto_its_teacher_better_and_keeps_no_map(heads):
    sample, soft, _, wanted = hinted_sample()
    options = network_options(width=12, depth=1, epochs=20, rate=0.01, heads=heads, dropout=0, patience=20, alpha=0.3)
    found = {}
    for weight in (0.0, 3.0):
        sets = [TrainingSet(sample, soft, {**options, "hints": weight}, 2, seed=1, hints=wanted)]
        student, _ = train(sets)[0]
        assert student.predict(sample).shape == (len(sample), 2)
        layer, own = hidden_layer(student, sample), (sample["fold"] == 1).to_numpy()
        design = np.column_stack([layer[own], np.ones(own.sum())])
        target = wanted[own, :HINT_COMPONENTS]
        found[weight] = ((target - design @ np.linalg.lstsq(design, target, rcond=None)[0]) ** 2).sum()
    assert found[3.0] < found[0.0]


def test_cutting_the_map_off_changes_no_prediction():
    sample, _ = blobs()
    network = trained(sample, network_options(width=4, depth=1, epochs=2), n_classes=3)[0].networks[0]
    x = torch.tensor(sample[["n0:x", "n1:y"]].to_numpy())
    whole = network(x).detach()
    assert without_hints(network, 2)(x).detach().numpy() == pytest.approx(whole[..., :2].numpy())


# What is said of students


def predictions(p, seed=0):
    rows = pd.DataFrame({"row": range(len(p)), "part": "train", "p_a": 1 - p, "p_b": p})
    return rows.sample(frac=1, random_state=seed)


def test_fidelity_is_agreement_and_divergence_from_the_other():
    p, q = np.array([0.9, 0.4, 0.2]), np.array([0.8, 0.6, 0.2])
    found = fidelity(predictions(p), predictions(q, seed=1), CLASSES)
    by_hand = np.mean(q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p)))
    assert found["agreement"] == pytest.approx(2 / 3)
    assert found["divergence"] == pytest.approx(by_hand)


def test_a_student_is_better_or_worse_only_where_the_interval_leaves_out_nothing():
    schema = {"task": "binary", "classes": CLASSES, "costs": None}
    p = np.linspace(0.1, 0.9, 50)
    rows = {name: predictions(p) for name in ("s", "t", "stwin")}
    metrics = {
        name: [{"held_out": {"ratio": 0.25, "units": 50, "metrics": {"auc": {"value": value, "folds": folds}}}}]
        for name, value, folds in (
            ("s", 0.8, {"0": 0.79, "1": 0.8, "2": 0.81}),
            ("t", 0.9, {"0": 0.89, "1": 0.905, "2": 0.905}),
            ("stwin", 0.79, {"0": 0.80, "1": 0.79, "2": 0.78}),
        )
    }
    rng = np.random.default_rng(0)
    drawn = {"s": 0.8 + rng.normal(0, 0.01, 500), "t": 0.9 + rng.normal(0, 0.01, 500), "stwin": 0.79 + rng.normal(0, 0.01, 500)}
    students = {"s": {"t": "teacher", "stwin": "twin"}}
    contest = Comparison(metrics, drawn, Protocol(Task.of(schema), {"level": 0.95, "margin": 0}))
    found = compare_students(contest, students, rows).set_index("other")
    assert found["worse"].to_dict() == {"t": True, "stwin": False}
    assert found["better"].to_dict() == {"t": False, "stwin": False}
    assert found.loc["t", "gap"] == pytest.approx(-0.1)


def test_unseen_soft_targets_make_a_better_student_than_in_sample_ones():
    """A teacher that has learned its rows by heart repeats their labels; what it says of other rows is worth more."""
    sample, truth = blobs(900, seed=4)
    fitted = ~sample["stop"]
    memory = np.where(sample["label"].to_numpy()[:, None] == [0, 1], 0.99, 0.01)
    new = pd.DataFrame({"n0:x": np.linspace(-2, 2, 200), "n1:y": 0.0})
    wanted = 1 / (1 + np.exp(-2 * new["n0:x"]))
    options = student_options("tree", alpha=0.0, depth=12, leaf=1)
    unseen, in_sample = (
        np.abs(fit_student(sample[fitted], target[fitted], options, 2, 1, seed=1)[0].predict(new)[:, 1] - wanted).mean()
        for target in (truth, memory)
    )
    assert unseen < in_sample / 2


def test_a_soft_label_of_a_class_that_no_row_has_is_learned():
    sample, _ = blobs(60)
    soft = np.column_stack([np.full((60, 2), 0.4), np.full(60, 0.2)])
    student, _, _ = fit_student(sample, soft, student_options(alpha=0.0), 3, 1, seed=1)
    assert isinstance(student.estimator, LogisticRegression)
    assert student.predict(sample)[:, 2].mean() == pytest.approx(0.2, abs=0.01)


def test_soft_targets_without_a_teacher_are_gaps():
    assert np.isnan(soft_targets(sample_of([2]), pd.DataFrame(columns=["row", "p_a", "p_b"]), CLASSES, None)).all()
