"""The sample that models are fitted on: resampled rows are whole rows, and stop rows stay apart."""

import numpy as np
import pandas as pd
import pytest
from conftest import resamplers_of_classes
from scipy.stats import gaussian_kde

from stillhouse.columns import features
from stillhouse.errors import UserError
from stillhouse.methods import build
from stillhouse.preparation.resamplers import clusters
from stillhouse.preparation.resamplers.over import oversampled
from stillhouse.preparation.resamplers.rare import relative_density
from stillhouse.preparation.sample import (
    balanced_sample,
    by_reference,
    check_classes_left,
    prior,
    stop_rows,
    with_features,
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


@pytest.mark.parametrize("times", [1, 4, 10, 40])
def test_stop_rows_in_time_are_the_last_ones_and_never_all(imbalanced, times):
    sample = imbalanced.assign(label=imbalanced["row"] % 2, time=(imbalanced["row"] * times // 50).astype(float))
    is_stop, _ = stop_rows(sample, 2, 0.15, seed=1)
    assert 0 < is_stop.sum() < len(sample)
    if times > 1:
        assert sample["time"][is_stop].min() > sample["time"][~is_stop].max()


def test_stop_rows_of_groups_in_time_are_whole_groups_that_begin_last(imbalanced):
    sample = imbalanced.assign(label=imbalanced["row"] % 2, time=np.arange(50.0), group=np.r_[np.arange(25), np.arange(25)])
    is_stop, note = stop_rows(sample, 2, 0.2, seed=1)
    assert note == ""
    assert sorted(set(sample["group"][is_stop])) == [20, 21, 22, 23, 24]
    assert not set(sample["group"][is_stop]) & set(sample["group"][~is_stop])


def test_no_stop_row_is_a_copy_of_a_fitted_one(imbalanced):
    sample = pd.concat([imbalanced, imbalanced], ignore_index=True).assign(copy=np.tile(np.arange(50), 2))
    is_stop, _ = stop_rows(sample, 2, 0.2, seed=1)
    assert (is_stop[:50] == is_stop[50:]).all()
    assert is_stop.sum() == 20


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("sizes", "whole"),
    [([25, 25], False), ([45, 5], True), ([47, 1, 1, 1], True), ([50], False), ([5] * 10, True), ([20, 20, 4, 3, 3], True)],
    ids=str,
)
def test_stop_groups_are_bounded_by_rows_and_never_swallow_the_data(imbalanced, sizes, whole, seed):
    """Where whole groups would be too many rows, a share of the rows is drawn, and that is said."""
    sample = imbalanced.assign(label=imbalanced["row"] % 2, group=np.repeat(range(len(sizes)), sizes))
    is_stop, note = stop_rows(sample, 2, 0.15, seed)
    assert 0 < is_stop.mean() <= 0.3
    assert (note == "") == whole
    if whole:
        assert not set(sample["group"][is_stop]) & set(sample["group"][~is_stop])
    else:
        assert "row by row, as whole groups would be too many rows" in note


def test_last_times_that_are_most_of_the_rows_are_no_stop_rows(imbalanced):
    is_stop, note = stop_rows(imbalanced.assign(time=np.r_[0.0, np.ones(49)]), 2, 0.15, seed=1)
    assert 0 < is_stop.mean() <= 0.3
    assert "the last times would be too many" in note


@pytest.mark.parametrize("key", ["group", "time"])
def test_a_class_that_is_in_one_group_or_in_the_last_times_alone_is_still_learned(imbalanced, key):
    sample = imbalanced.assign(**{key: np.r_[np.arange(40) // 4, np.full(10, 10)].astype(float)})
    for seed in range(10):
        rows, ledger, _ = balanced_sample(sample.drop(columns="stop"), 2, 0.15, {"method": "none"}, seed)
        assert set(rows.loc[~rows["stop"], "label"]) == {0, 1}
        assert ledger.after[1] > 0


def test_rows_left_out_for_their_gaps_count_in_the_prior_and_may_be_stop_rows(imbalanced):
    """Positive rows have more gaps: those that are learned from are fewer than those that are met."""
    dropped = np.r_[np.zeros(40, dtype=bool), np.tile([True, False], 5)]
    sample = imbalanced.drop(columns="stop").assign(dropped=dropped, weight=1.0)
    rows, ledger, _ = balanced_sample(sample, 2, 0.2, {"method": "none"}, seed=1)
    assert ledger.before == pytest.approx([0.8, 0.2])
    assert ledger.after[1] < 0.15
    assert ledger.resampled
    assert not set(rows.loc[~rows["stop"], "row"]) & set(sample.loc[dropped, "row"])


def test_a_resampler_that_removes_a_class_is_refused(imbalanced):
    lone = imbalanced.assign(label=np.r_[np.zeros(40), 1.0, np.full(9, 2.0)])
    with pytest.raises(UserError, match="leaves no row of a class"):
        check_classes_left(prior(lone, 3), prior(lone[lone["label"] != 1], 3), "enn")


def test_clusters_of_a_large_class_are_found_in_blocks(monkeypatch):
    """Time grows with rows times clusters, so that a large class is divided; what is kept still lies where its rows do."""
    monkeypatch.setattr(clusters, "BLOCK", 100)
    rng = np.random.default_rng(0)
    sample = pd.DataFrame({"row": range(1050), "n0:x": np.r_[rng.uniform(0, 10, 1000), np.zeros(50)]})
    sample = sample.assign(label=np.repeat([0, 1], [1000, 50]), weight=1.0, fold=1, stop=False)
    kept = clusters.near_centres(sample, rng)
    of_large = kept.loc[kept["label"] == 0, "n0:x"]
    assert 45 <= len(of_large) <= 50
    assert of_large.quantile([0.1, 0.5, 0.9]).to_numpy() == pytest.approx([1, 5, 9], abs=1)


@pytest.mark.parametrize("method", resamplers_of_classes())
def test_a_sample_that_refers_to_rows_of_the_table_is_read_as_it_was_drawn(method, imbalanced):
    rng = np.random.default_rng(0)
    settings = DRAWING.get(method, {"neighbors": 3} if method in ("smoteenn", "enn") else {})
    sample = build("resamplers", {"method": method, **settings})(imbalanced.assign(stop=False), rng)
    names = features(sample)
    prepared = imbalanced[["row", *names]].sample(frac=1, random_state=1)
    rows, drawn = by_reference(sample, prepared)
    assert not set(names) & set(rows)
    assert len(drawn) == (rows["row"] < 0).sum()
    again = with_features(rows, prepared, drawn)
    pd.testing.assert_frame_equal(again[list(sample)], sample.reset_index(drop=True))


def test_a_row_whose_features_a_resampler_has_changed_keeps_them_and_loses_its_number(imbalanced):
    sample = imbalanced.assign(stop=False)
    sample.loc[3, "n1:dose"] += 1
    rows, drawn = by_reference(sample, imbalanced)
    assert rows["row"].tolist() == [-1 if row == 3 else row for row in range(50)]
    assert with_features(rows, imbalanced, drawn)["n1:dose"].tolist() == sample["n1:dose"].tolist()


def skewed():
    """A sample of a regression whose values are rare above 3."""
    rng = np.random.default_rng(1)
    values = np.r_[rng.normal(size=270), rng.uniform(3, 10, 30)]
    return pd.DataFrame({"row": np.arange(300), "n0:x": values, "fold": 1, "label": values, "weight": rng.uniform(0.5, 2, 300)})


def test_rare_values_get_more_weight_and_the_sum_of_weights_stays():
    sample = skewed()
    drawn, ledger, _ = balanced_sample(sample, 0, 0.2, {"method": "rare", "strength": 0.9}, seed=1)
    assert ledger is None
    given = drawn.merge(sample[["row", "weight"]], on="row", suffixes=("", "_before"))
    given["factor"] = given["weight"] / given["weight_before"]
    for _, part in given.groupby("stop"):
        assert part["weight"].sum() == pytest.approx(part["weight_before"].sum())
        factors = part.loc[part["label"] > 4, "factor"].mean(), part.loc[part["label"].abs() < 0.5, "factor"].mean()
        assert factors[0] > 4 * factors[1]


def test_weights_by_value_are_learned_from_the_rows_that_are_fitted_alone():
    sample = skewed()
    told = {"method": "rare", "strength": 0.9}
    before = balanced_sample(sample, 0, 0.2, told, seed=1)[0]
    stop = before.loc[before["stop"], "row"]
    changed = sample.assign(label=sample["label"].where(~sample["row"].isin(stop), 99.0))
    after = balanced_sample(changed, 0, 0.2, told, seed=1)[0]
    fitted = [rows.loc[~rows["stop"], ["row", "weight"]].reset_index(drop=True) for rows in (before, after)]
    pd.testing.assert_frame_equal(*fitted)


def test_the_density_of_values_is_that_of_a_gaussian_kernel():
    values = np.random.default_rng(0).uniform(size=100)
    spread = min(values.std(), np.subtract(*np.quantile(values, [0.75, 0.25])) / 1.34)
    expected = gaussian_kde(values, 0.9 * spread * 100**-0.2 / values.std(ddof=1))(values)
    assert relative_density(values, np.ones(100)) == pytest.approx(expected / expected.max(), abs=0.01)


def test_values_that_are_all_equal_keep_their_weights():
    sample = skewed().assign(label=1.0)
    drawn = balanced_sample(sample, 0, 0.2, {"method": "rare", "strength": 0.9}, seed=1)[0]
    assert drawn.sort_values("row")["weight"].tolist() == pytest.approx(sample["weight"].tolist())
