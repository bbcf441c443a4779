"""Networks and estimators learn from the rows, weights and labels that they are given."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, model_options, trained
from network_samples import NETWORK
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from stillhouse.columns import features
from stillhouse.errors import UserError
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


@pytest.mark.parametrize("method", ["forest", "extratrees"])
@pytest.mark.parametrize("bag", [0, 4])
def test_forests_predict_the_same_bits_on_any_number_of_cores_and_at_each_call(method, bag, imbalanced):
    options = model_options(method, trees=150, bag=bag)
    one, several = (fit(imbalanced, options, 2, threads=threads, seed=1) for threads in (1, 4))
    expected = one.predict(imbalanced)
    assert all((several.predict(imbalanced) == expected).all() for _ in range(20))


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


def test_boosted_trees_do_not_stop_by_the_chance_of_two_stop_rows():
    """Two positive stop rows that look negative would end boosting at once, and the model would be a constant."""
    rng = np.random.default_rng(3)
    label = np.repeat([0.0, 1.0], [220, 30])
    table = pd.DataFrame({f"n{place}:x": rng.normal(size=250) + label for place in range(4)})
    stop = np.zeros(250, dtype=bool)
    stop[:30], stop[220:222] = True, True
    table.loc[220:221] = -2.0
    sample = table.assign(row=range(250), label=label, weight=1.0, stop=stop, fold=rng.integers(0, 4, 250))
    model = fit(sample, model_options("boosting", leaf=5), 2, threads=1, seed=1)
    assert len(np.unique(model.predict(sample)[:, 1])) > 20
    assert roc_auc_score(label[~stop], model.predict(sample[~stop])[:, 1]) > 0.9


def test_a_job_has_one_thread_for_linear_algebra_so_that_its_last_bits_do_not_depend_on_the_machine(tmp_path):
    code = (
        "import numpy, scipy.linalg; from threadpoolctl import threadpool_info; from stillhouse.errors import log_to; "
        f"log_to({str(tmp_path / 'log')!r}); print({{one['num_threads'] for one in threadpool_info() if one['user_api'] == 'blas'}})"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "workflow" / "scripts")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{1}"


def test_a_method_whose_library_is_not_there_says_which_one_to_install(imbalanced, monkeypatch):
    monkeypatch.setitem(sys.modules, "catboost", None)
    with pytest.raises(UserError, match="needs the library of this name; install it"):
        fit(imbalanced, model_options("catboost"), 2, threads=1, seed=1)


def test_catboost_says_what_it_cannot_learn_from(imbalanced):
    constant = imbalanced.assign(**dict.fromkeys(features(imbalanced), 1.0))
    with pytest.raises(UserError, match="All features are either constant"):
        fit(constant, model_options("catboost"), 2, threads=1, seed=1)


def test_the_nearest_rows_are_those_of_scikit_learn_and_a_row_of_no_weight_is_not_among_them(imbalanced):
    names, sample = features(imbalanced), imbalanced.assign(weight=1.0)
    model = fit(sample, model_options("knn", neighbors=7), 2, threads=1, seed=1)
    reference = KNeighborsClassifier(7, weights="distance").fit(sample[names], sample["label"])
    shifted = sample.assign(**{"n0:age": sample["n0:age"] + 0.1})
    assert model.predict(shifted) == pytest.approx(reference.predict_proba(shifted[names]), abs=1e-6)
    nearest, third = model_options("knn", neighbors=1), sample[sample["row"] == 3]
    no_weight = sample.assign(weight=np.where(sample["row"] == 3, 0.0, 1.0))
    without, removed = (fit(rows, nearest, 2, threads=1, seed=1).predict(third) for rows in (no_weight, sample.drop(3)))
    assert without.tolist() == removed.tolist()
