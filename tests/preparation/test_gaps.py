"""Gaps and words become numbers by what the training rows say, and by nothing else."""

import numpy as np
import pandas as pd
import pytest
from conftest import SCHEMA
from prepared_samples import imputer_options, prepared_by

from stillhouse.config.completion import ConfigError, complete_options, with_imputers
from stillhouse.errors import UserError
from stillhouse.methods import build
from stillhouse.preparation.features import Recipe, prepared
from stillhouse.preparation.target_means import TargetMeans, as_targets, cross_fitted
from stillhouse.preparation.weights import weighed
from stillhouse.seeds import uniforms
from stillhouse.splits import Split


def filled(method, train, rows, seed=1, **given):
    return build("imputers", own(imputer_options(method, **given)), seed=seed).fit(train).transform(rows)


def own(options):
    shared = SCHEMA["$defs"]["methods"]["imputers"]["any"]
    return {key: value for key, value in options.items() if key not in shared}


TWO_SITES = pd.DataFrame(
    {
        "site": ["a", "a", "a", "b", "b", "b", None],
        "dose": [1.0, 3.0, 2.0, 10.0, 30.0, np.nan, 7.0],
        "age": [20.0, 22.0, np.nan, 60.0, 62.0, 64.0, 40.0],
    }
)


def test_a_group_is_filled_by_its_own_median_and_an_unknown_one_by_all():
    rows = pd.DataFrame({"site": ["a", "b", "c", None], "dose": [np.nan] * 4, "age": [np.nan] * 4})
    found = filled("group", TWO_SITES, rows)
    assert found.tolist() == [[2, 21], [20, 62], [5, 50], [5, 50]]


def test_a_group_by_an_unknown_column_is_refused_with_the_nearest_one():
    with pytest.raises(UserError, match="'sites' is not a feature here; did you mean 'site'"):
        build("imputers", {"method": "group", "by": "sites"}, seed=1).fit(TWO_SITES)


def test_a_hot_deck_gives_values_of_one_real_row_that_is_like_the_row():
    rng = np.random.default_rng(0)
    train = pd.DataFrame({"site": np.repeat(["a", "b"], 50), "age": rng.normal(50, 10, 100)})
    train["dose"], train["days"] = np.arange(100.0) + 1000, np.arange(100.0)
    rows = pd.DataFrame({"site": ["a", "b"], "age": train["age"].iloc[[7, 70]].to_numpy(), "dose": np.nan, "days": np.nan})
    _, dose, days = filled("hotdeck", train, rows, neighbors=3).T
    assert (dose == days + 1000).all()
    assert days[0] < 50 <= days[1]
    assert filled("hotdeck", train, rows, neighbors=1)[:, 2].tolist() == [7, 70]


def gappy_normals(rows=4000):
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    table = pd.DataFrame({"x": x, "y": 0.6 * x + 0.8 * rng.normal(size=rows)})
    return table.where(np.c_[np.ones(rows, bool), rng.random(rows) > 0.4])


def test_draws_keep_the_spread_that_means_lose_and_differ_by_seed():
    table = gappy_normals()
    gap = table["y"].isna().to_numpy()
    means, drawn, other = (filled("iterative", table, table, seed, draw=draw)[gap, 1] for draw, seed in
                           ((False, 1), (True, 1), (True, 2)))  # fmt: skip
    assert means.std() == pytest.approx(0.6, abs=0.05)
    assert drawn.std() == pytest.approx(1, abs=0.05)
    assert np.corrcoef(table["x"][gap], drawn)[0, 1] == pytest.approx(0.6, abs=0.05)
    assert np.corrcoef(drawn - means, other - means)[0, 1] == pytest.approx(0, abs=0.06)


@pytest.mark.parametrize(("method", "given"), [("iterative", {"draw": True}), ("hotdeck", {})])
def test_a_rows_draws_do_not_depend_on_the_rows_beside_it(method, given):
    table = gappy_normals(400)
    imputer = build("imputers", own(imputer_options(method, **given)), seed=1).fit(table[:300])
    alone, together = imputer.transform(table[350:]), imputer.transform(table[::-1])
    assert (alone == together[:50][::-1]).all()


def test_uniform_draws_are_uniform_and_of_each_row_its_own():
    drawn = uniforms(5, np.arange(20000), 3)
    assert drawn.min() > 0
    assert drawn.max() < 1
    assert np.histogram(drawn, bins=10)[0] == pytest.approx(np.full(10, 6000), rel=0.05)
    assert np.abs(np.corrcoef(np.c_[drawn, np.roll(drawn, 1, axis=0)].T) - np.eye(6)).max() < 0.03


def test_each_column_is_filled_by_the_imputer_chosen_for_it(gappy):
    table, _ = gappy
    table = table.assign(dose=table["dose"].where(table.index % 4 > 0)).set_index("row")
    mixed = filled("columns", table, table)
    assert (mixed[:, 1] == filled("knn", table, table)[:, 1]).all()
    assert (mixed[:, [0, 2]] == filled("median", table, table)[:, [0, 2]]).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"each": {"age": "mediann"}},
            "imputers.mixed.each.age: no choice or method is called 'mediann'; did you mean 'median'?",
        ),
        ({"each": {"age": "drop"}}, "imputers.mixed.each.age: drop fills no single column"),
        ({"each": {"age": "mean"}, "rest": "none"}, "imputers.mixed.rest: none fills no single column"),
    ],
)
def test_a_column_cannot_be_given_to_what_fills_none(given, said):
    options = complete_options(SCHEMA, "imputers", {"method": "columns", **given}, where=("imputers", "mixed"))
    with pytest.raises(ConfigError) as error:
        with_imputers({"imputers": {}}, SCHEMA, options, where="imputers.mixed")
    assert said in str(error.value)


def test_columns_and_rows_are_left_out_by_their_gaps_in_training_rows(gappy):
    """A column that has too many gaps is gone before rows are looked at, and drops none of them."""
    table, columns = gappy
    table = table.assign(dose=table["dose"].where(table.index % 2 == 0), smoker=1.0, site="a")
    folds = pd.DataFrame({"row": table["row"], "fold": table.index % 3})
    options = imputer_options("drop", columns_above=0.4)
    _, features = prepared(table, None, folds, Split("0", [1, 2], [0], {}), Recipe(columns, options, None), seed=1)
    assert [name for name in features if name.startswith("n")] == ["n0:age", "n2:smoker"]
    assert features["dropped"].tolist() == (table["age"].isna() & (folds["fold"] > 0)).tolist()
    assert features["dropped"].any()
    names = [column["name"] for column in columns]
    some = build("imputers", {"method": "drop", "above": 0.25}, seed=1).drops(table[names])
    assert (some == (table[names].isna().sum(axis=1) > 1)).all()


def test_mean_labels_make_no_shift_where_there_is_none():
    """Training rows carry cross-fitted means and others not, which a density ratio must not take for a difference."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"row": range(1500), "job": rng.integers(0, 60, 1500).astype(str), "x": rng.normal(size=1500)})
    columns = [{"name": "job", "position": 0, "kind": "categorical"}, {"name": "x", "position": 1, "kind": "numeric"}]
    folds = pd.DataFrame({"row": table["row"], "fold": np.r_[np.arange(1000) % 4, np.full(500, -1)]})
    labels = pd.DataFrame({"row": table["row"], "label": rng.integers(0, 2, 1500).astype(float)})
    options, split = imputer_options("median", encode="target", categories=5), Split("0", [1, 2, 3], [0], {})
    _, features = prepared(table, labels, folds, split, Recipe(columns, options, ["no", "yes"]), seed=1)
    _, facts = weighed(features, folds, split, complete_options(SCHEMA, "weighers", {"method": "boosted"}, where=()), seed=1)
    assert facts["domain_auc"] < 0.6
    assert facts["share"] > 0.9


def test_a_split_of_all_rows_may_have_mean_labels(gappy):
    table, columns = gappy
    folds = pd.DataFrame({"row": table["row"], "fold": 0, "group": table["row"] // 4})
    labels = pd.DataFrame({"row": table["row"], "label": (table.index % 2).astype(float)})
    options = imputer_options("median", encode="target", categories=2)
    _, features = prepared(table, labels, folds, Split("1", [0], [1], {}), Recipe(columns, options, ["no", "yes"]), seed=1)
    assert len(features) == 60
    assert features["t3:site, mean of yes"].nunique() > 3


@pytest.mark.parametrize("kind", [["numeric", "boolean"], ["categorical"]])
@pytest.mark.parametrize("given", [{}, {"encode": "target", "categories": 2}])
def test_a_table_may_have_numbers_alone_or_words_alone(gappy, kind, given):
    table, columns = gappy
    columns = [column for column in columns if column["kind"] in kind]
    fitted = prepared_by(columns, "median", **given).fit(table, (table["dose"] > 2).to_numpy()[:, None], table["row"] % 3)
    features = fitted.transform(table)
    assert len(features.columns) > 1
    assert features.notna().all().all()


def test_a_word_is_its_mean_label_drawn_towards_that_of_all():
    words, labels = np.array(["a"] * 30 + ["b"] * 10), np.r_[np.ones(30), np.zeros(10)][:, None]
    means = TargetMeans().fit(words, labels).transform(np.array(["a", "b", "new"]))[:, 0]
    assert means == pytest.approx([(30 + 10 * 0.75) / 40, (10 * 0.75) / 20, 0.75])


def test_no_training_row_meets_its_own_label_in_a_mean():
    """Words that tell nothing tell nothing, however many there are; a plain mean would seem to know the labels."""
    rng = np.random.default_rng(0)
    words, labels, parts = rng.integers(0, 400, 2000).astype(str), rng.integers(0, 2, 2000)[:, None], np.arange(2000) % 5
    naive = TargetMeans().fit(words, labels).transform(words)
    assert np.corrcoef(naive[:, 0], labels[:, 0])[0, 1] > 0.3
    assert abs(np.corrcoef(cross_fitted(TargetMeans, words, labels, parts)[:, 0], labels[:, 0])[0, 1]) < 0.06
    flipped = labels.copy()
    flipped[7] = 1 - flipped[7]
    assert cross_fitted(TargetMeans, words, labels, parts)[7] == cross_fitted(TargetMeans, words, flipped, parts)[7]


def test_mean_labels_have_a_column_for_each_of_many_classes():
    assert as_targets([0, 2], ["a", "b", "c"]).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert as_targets([0, 1], ["a", "b"]).tolist() == [[0], [1]]


def test_labels_of_held_out_rows_do_not_reach_mean_labels(gappy):
    table, columns = gappy
    table = table.assign(site=[f"s{n % 9}" for n in range(60)])
    folds = pd.DataFrame({"row": table["row"], "fold": table.index // 20})
    labels = pd.DataFrame({"row": table["row"], "label": (table.index % 2).astype(float)})
    options = imputer_options("median", categories=4, encode="target")
    recipe = Recipe(columns, options, ["no", "yes"])
    turned = labels.assign(label=labels["label"].where(folds["fold"] > 0, 1 - labels["label"]))
    (_, honest), (_, other) = (
        prepared(table, given, folds, Split("0", [1, 2], [0], {}), recipe, seed=1) for given in (labels, turned)
    )
    pd.testing.assert_frame_equal(honest, other)
    assert "t3:site, mean of yes" in honest
    assert honest["t3:site, mean of yes"].nunique() > 2
