"""Columns of pictures: what their encoders learn, from which rows, and what is kept of them."""

import numpy as np
import pandas as pd
import pytest
from chain import Chain, intake
from picture_samples import COLUMNS, column, content, shapes, typed_shapes
from prepared_samples import prepared_by
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from stillhouse.errors import UserError
from stillhouse.evaluation.slicing import columns_of
from stillhouse.intake import pictures
from stillhouse.preparation.picture_columns import PictureColumn, with_pictures, without_pictures
from stillhouse.preparation.picture_encoders.components import make as components
from stillhouse.preparation.picture_encoders.gradients import Gradients
from stillhouse.preparation.sample import with_features
from stillhouse.preparation.transfer_rows import synthetic_rows


def test_components_are_those_of_scikit_learn_and_alike_in_scale():
    pixels = np.stack(shapes(150)[0])[:, None]
    found = components(seed=1, size=8, rows=1000, unlabelled=False).fit(pixels).transform(pixels)
    expected = PCA(8, svd_solver="full").fit_transform(pixels.reshape(150, -1) / 255)
    for own, other in zip(found.T, expected.T, strict=True):
        assert abs(np.corrcoef(own, other)[0, 1]) > 0.999
    assert np.allclose(found.mean(axis=0), 0, atol=1e-9)
    assert np.allclose(found.std(axis=0), 1)


def test_components_are_learned_of_a_sample_where_there_are_many_pictures():
    pixels = np.stack(shapes(150)[0])[:, None]
    few, other = (components(seed=seed, size=4, rows=40, unlabelled=False).fit(pixels) for seed in (1, 2))
    assert few.transform(pixels).shape == (150, 4)
    assert not np.allclose(few.components_, other.components_)
    assert np.allclose(few.components_, components(seed=1, size=4, rows=40, unlabelled=False).fit(pixels).components_)


def test_gradients_tell_where_light_rises_and_in_which_direction():
    """An edge between a dark left and a light right half rises to the right, in the fields of the middle alone."""
    edge = np.zeros((1, 1, 8, 8), dtype=np.uint8)
    edge[..., 4:] = 200
    read = Gradients(directions=4, fields=3, colours=0)
    found = read(edge).reshape(4, 3, 3)
    assert found[0].sum() > 0
    assert np.allclose(found[1:], 0, atol=1e-6)
    assert np.allclose(found[0][:, [0, 2]], 0)
    assert np.allclose(found[0][:, 1], found[0][0, 1])
    assert np.linalg.norm(found) == pytest.approx(1)
    turned = read(np.rot90(edge, 1, (2, 3)).copy()).reshape(4, 3, 3)
    assert turned[3].sum() == pytest.approx(found[0].sum())


def test_gradients_do_not_depend_on_the_light_and_a_blank_picture_has_none():
    pixels = np.stack(shapes(20)[0])[:, None] // 2
    read = Gradients(directions=8, fields=4, colours=8)
    assert np.allclose(read(pixels), read(pixels + 60), atol=1e-6)
    assert np.allclose(read(pixels), read(2 * pixels), atol=1e-6)
    assert (read(np.full((3, 1, 8, 8), 90, dtype=np.uint8)) == 0).all()


def test_colours_are_the_shares_of_each_channel_from_dark_to_light():
    """Two pixels: one black in red, one halfway between the third and the fourth of four bins; all white in green and blue."""
    pixels = np.full((1, 3, 1, 2), 255, dtype=np.uint8)
    pixels[0, 0] = [[0, 212]]
    shares = Gradients(directions=4, fields=1, colours=4).shares(pixels).reshape(4, 3)
    light = 212 * 3 / 255 - 2
    expected = np.array([[0.5, 0, 0], [0, 0, 0], [(1 - light) / 2, 0, 0], [light / 2, 1, 1]])
    assert shares == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)


def test_colours_tell_what_shapes_and_light_do_not():
    rng, channels = np.random.default_rng(0), column(channels=3)
    noise, label = rng.integers(90, 110, (200, 3, 12, 12)), rng.integers(0, 2, 200)
    noise[np.arange(200), 2 * label] += 60
    table = pd.DataFrame({"row": range(200), "scan": [one.astype(np.uint8).tobytes() for one in noise]})
    scored = []
    for colours in (0, 8):
        made = prepared_by([channels], "median", pictures={"method": "gradients", "colours": colours}).fit(table[:100])
        X = made.transform(table).drop(columns="row")
        scored.append(LogisticRegression(max_iter=1000).fit(X[:100], label[:100]).score(X[100:], label[100:]))
    assert scored[0] < 0.7
    assert scored[1] > 0.98


def test_gradients_tell_shapes_that_lie_anywhere_better_than_pixels_do():
    train, unseen = typed_shapes(300, gaps=False), typed_shapes(200, seed=7, gaps=False)
    scored = {}
    for method in ("components", "gradients"):
        made = prepared_by(COLUMNS[:1], "median", pictures={"method": method, "size": 30}).fit(train)
        X, Z = (made.transform(table).drop(columns="row") for table in (train, unseen))
        model = LogisticRegression(max_iter=1000).fit(X, train["label"])
        scored[method] = model.score(Z, unseen["label"])
    assert scored["gradients"] > scored["components"]
    assert scored["gradients"] > 0.9


@pytest.mark.parametrize("method", ["components", "gradients"])
@pytest.mark.parametrize("shade", [0, 90])
def test_pictures_that_do_not_differ_have_no_features(shade, method):
    blank = pd.DataFrame({"row": range(9), "scan": [bytes([shade] * 144)] * 9})
    made = prepared_by(COLUMNS[:1], "median", pictures={"method": method}).fit(blank)
    assert made.names() == []
    assert list(made.transform(blank)) == ["row"]


def test_a_preparation_learns_from_the_rows_that_it_is_fitted_on_alone():
    table = typed_shapes(200)
    made = prepared_by(COLUMNS, "median").fit(table[:120])
    other = pd.concat([table[:120], typed_shapes(80, seed=5).assign(row=range(120, 200))])
    again = prepared_by(COLUMNS, "median").fit(other[:120])
    pd.testing.assert_frame_equal(made.transform(table[:120]), again.transform(other[:120]))


def shapes_config(tmp_path):
    """The configuration of two models on pictures alone, written as a table of contents."""
    arrays, label = shapes(160)
    table = pd.DataFrame({"scan": [content(array) for array in arrays], "label": np.where(label, "disc", "cross")})
    table.to_parquet(tmp_path / "cells.parquet")
    dataset = {"train": str(tmp_path / "cells.parquet"), "target": "label", "positive": "disc"}
    small = {"method": "cnn", "channels": [6, 8], "width": 8, "epochs": 12, "rate": 0.02, "heads": 1}
    models = {
        "linear": {"fit": {"method": "logistic"}},
        "network": {"prepare": {"impute": "whole"}, "train": small},
        "student": {"prepare": {"impute": "whole"}, "distill": {**small, "teacher": "linear", "alpha": 0.3, "epochs": 3}},
    }
    whole = {"method": "median", "pictures": {"method": "pixels"}}
    return {"datasets": {"cells": dataset}, "folds": {"k": 3}, "models": models, "imputers": {"whole": whole}}


def turned(table, is_out):
    """A table in which the pictures of some rows are others."""
    other = [bytes(255 - pixel for pixel in cell) for cell in table["scan"]]
    return table.assign(scan=table["scan"].where(~is_out, pd.Series(other, dtype="object")))


def unseen_pictures_change(tmp_path, model, imputer):
    """Whether what a model of split 0 predicts of one held-out row depends on the pictures of the other held-out rows."""
    config = shapes_config(tmp_path)
    table, schema, folds = intake(config)
    held_out = np.flatnonzero(folds["fold"] == 0)
    is_out = pd.Series(np.isin(np.arange(len(table)), held_out[1:]))
    rows = (table, turned(table, is_out))
    honest, changed = (Chain(tmp_path / str(place), config, one, schema, folds) for place, one in enumerate(rows))
    one, other = (chain.predictions(model, "0").set_index("row").loc[held_out[0]] for chain in (honest, changed))
    return not one.equals(other)


MODELS = [("linear", "median"), ("network", "whole"), ("student", "whole")]


@pytest.mark.parametrize(("model", "imputer"), MODELS)
def test_a_split_does_not_see_the_pictures_that_it_holds_out(model, imputer, tmp_path):
    assert not unseen_pictures_change(tmp_path, model, imputer)


@pytest.mark.parametrize("method", ["components", "gradients"])
def test_pictures_without_labels_are_learned_from_unless_the_encoder_may_not(method):
    table, more = typed_shapes(60), typed_shapes(100, seed=4)
    by = {}
    for unlabelled in (True, False):
        made = prepared_by(COLUMNS[:1], "median", pictures={"method": method, "size": 5, "unlabelled": unlabelled})
        by[unlabelled] = made.fit(table, unlabelled=more).transform(table)
    alone = prepared_by(COLUMNS[:1], "median", pictures={"method": method, "size": 5}).fit(table).transform(table)
    pd.testing.assert_frame_equal(by[False], alone)
    assert not np.allclose(by[True].drop(columns="row"), alone.drop(columns="row"))


def test_unlabelled_gaps_are_not_learned_from_and_features_are_scaled_by_labelled_pictures():
    table, gaps = typed_shapes(80, gaps=False), typed_shapes(40).assign(scan=None)
    options = {"method": "components", "size": 5}
    made = prepared_by(COLUMNS[:1], "median", pictures=options).fit(table, unlabelled=gaps)
    alone = prepared_by(COLUMNS[:1], "median", pictures=options).fit(table)
    assert made.transform(table).equals(alone.transform(table))
    light = typed_shapes(300, seed=3, gaps=False).assign(scan=[bytes([value % 256] * 144) for value in range(300)])
    found = (
        prepared_by(COLUMNS[:1], "median", pictures=options).fit(table, unlabelled=light).transform(table).drop(columns="row")
    )
    assert np.allclose(found.mean(), 0, atol=1e-6)
    assert np.allclose(found.std(ddof=0), 1, atol=1e-5)


def test_components_of_all_rows_would_be_caught(monkeypatch, tmp_path):
    fit, features = PictureColumn.fit, Chain.features

    def leaking(self, table, labels, unlabelled):
        fit(self, leaking.every_row, labels, unlabelled)
        return self.read(table)

    def remembering(self, *given):
        leaking.every_row = self.table
        return features(self, *given)

    monkeypatch.setattr(PictureColumn, "fit", leaking)
    monkeypatch.setattr(Chain, "features", remembering)
    assert unseen_pictures_change(tmp_path, "linear", "median")


@pytest.mark.parametrize(("model", "imputer"), MODELS)
def test_a_split_does_not_see_the_labels_of_pictures_that_it_holds_out(model, imputer, tmp_path):
    config = shapes_config(tmp_path)
    table, schema, folds = intake(config)
    is_out = (folds["fold"] == 0).to_numpy()
    flipped = table.assign(label=table["label"].where(~is_out, 1 - table["label"]))
    honest, changed = (Chain(tmp_path / name, config, rows, schema, folds) for name, rows in (("a", table), ("b", flipped)))
    pd.testing.assert_frame_equal(honest.predictions(model, "0"), changed.predictions(model, "0"))
    told = honest.predictions(model, "0").merge(table[["row", "label"]], on="row")
    assert ((told["p_disc"] > 0.5) == (told["label"] == 1)).mean() > (0.5 if model == "student" else 0.8)


def test_files_of_features_have_no_pictures_and_networks_get_them_from_the_table():
    table = typed_shapes(60)
    features = prepared_by(COLUMNS, "median", pictures={"method": "pixels"}).fit(table).transform(table)
    kept = without_pictures(features)
    (name,) = [name for name in features if name.startswith("p")]
    assert name == "p0:scan 1x12x12"
    assert (kept[name] == 0).all()
    back = with_pictures(kept, table[["row", "scan"]], COLUMNS)
    pd.testing.assert_frame_equal(back, features)
    # Rows that are drawn again refer to the same pictures.
    rows = pd.DataFrame({"row": [3, 3, 17, 0], "label": [1.0, 1.0, 0.0, 1.0]})
    drawn = with_features(rows, back)
    assert drawn[name].tolist() == [back[name][place] for place in (3, 3, 17, 0)]
    assert drawn[name][0] is back[name][3]


def test_pictures_are_sliced_by_their_light():
    table = typed_shapes(40)
    schema = {"columns": COLUMNS, "target": "label", "classes": ["cross", "disc"]}
    (title, values) = next(iter(columns_of(table, schema, "scan", table["label"]).items()))
    assert title == "scan, brightness,"
    assert values.isna().sum() == table["scan"].isna().sum()
    light = pictures.arrays(table["scan"], column()).mean(axis=(1, 2, 3)) / 255
    assert np.allclose(values.dropna(), light[values.notna()])


def test_synthetic_rows_of_pictures_are_refused():
    table = typed_shapes(30)
    folds = pd.DataFrame({"row": range(30), "fold": [0, 1, 2] * 10})
    with pytest.raises(UserError, match="texts and pictures cannot be drawn, and column 'scan' holds such"):
        synthetic_rows(table, folds, COLUMNS, {"method": "swap", "share": 1}, 1)
