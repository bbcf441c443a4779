"""Which parts of a picture carry a prediction."""

import numpy as np
import pandas as pd
import pytest
from picture_samples import COLUMNS, SIZE

from stillhouse.columns import DEPLOY
from stillhouse.evaluation.occlusion_maps import as_map, covered, occlusion_maps, typical_rows
from stillhouse.intake.pictures import arrays

SCHEMA = {"classes": ["dark", "light"], "columns": COLUMNS, "target": "y"}


class CornerModel:
    """A model for which a picture is light where its upper left corner is, and whose folds differ in how sure they are."""

    def __init__(self, sure):
        self.sure = sure

    def predict(self, rows):
        p = 0.5 + self.sure * (arrays(rows["scan"], COLUMNS[0])[:, 0, :3, :3].mean(axis=(1, 2)) / 255 - 0.5)
        return np.column_stack([1 - p, p])


def case():
    """Dark and light corners on black pictures, with predictions of both folds."""
    rng = np.random.default_rng(0)
    pictures = np.zeros((20, SIZE, SIZE), dtype=np.uint8)
    pictures[10:, :3, :3] = rng.integers(200, 255, 10)[:, None, None]
    table = pd.DataFrame({"row": range(100, 120), "scan": [one.tobytes() for one in pictures], "age": 1.0})
    models, fold = {0: CornerModel(0.8), 1: CornerModel(0.6)}, np.arange(20) % 2
    p = np.stack([models[fold[row]].predict(table.iloc[[row]])[0] for row in range(20)])
    rows = pd.DataFrame({"row": table["row"], "fold": fold, "part": "train", "label": np.arange(20) // 10 * 1.0})
    return models, rows.assign(p_dark=p[:, 0], p_light=p[:, 1]), table


def test_the_fields_that_carry_a_prediction_are_found():
    models, rows, table = case()
    found = occlusion_maps(models, rows, table, SCHEMA)
    light = found[found["of"] == "light"]
    assert light["row"].nunique() == 1
    chance = rows.set_index("row").loc[light["row"].iloc[0], "p_light"]
    assert light["predicted"].to_numpy() == pytest.approx(chance)
    assert sorted(light["top"].unique()) == sorted(light["left"].unique()) == list(range(11))
    heat = as_map(light, SIZE, SIZE)
    assert heat[:3, :3].min() > 0.05
    assert heat[5:].max() == heat[:, 5:].max() == 0
    # The whole of the corner is never covered by one field of two by two; four ninths of it are.
    picture = arrays(table.loc[table["row"] == light["row"].iloc[0], "scan"], COLUMNS[0])[0, 0].astype(float)
    lost = 4 / 9 * (picture[0, 0] - round(picture.mean())) / 255
    sure = models[rows.set_index("row").loc[light["row"].iloc[0], "fold"]].sure
    assert light.loc[(light["top"] == 0) & (light["left"] == 0), "drop"].item() == pytest.approx(sure * lost)


def test_a_picture_is_typical_that_is_as_sure_as_most_that_are_right_and_held_out():
    p = np.array([0.9, 0.8, 0.6, 0.3, 0.99, 0.1])
    rows = pd.DataFrame({"p_dark": 1 - p, "p_light": p, "label": [1.0, 1, 1, 1, 1, 1]}, index=list("abcdef"))
    assert typical_rows(rows.assign(part=["train"] * 4 + [DEPLOY, "train"]), ["dark", "light"]) == {1: "b"}


def test_fields_cover_every_pixel_and_keep_the_colours_apart():
    pixels = np.random.default_rng(0).integers(0, 255, (3, 10, 13)).astype(np.uint8)
    corners, side, pictures = covered(pixels)
    assert (side, len(pictures)) == (2, 1 + len(corners))
    assert (pictures[0] == pixels).all()
    changed = [picture != pixels for picture in pictures[1:]]
    assert np.any(changed, axis=(0, 1))[:, :].all()
    assert (pictures[1][:, 0, 0] == pixels.mean(axis=(1, 2)).round()).all()
    one = covered(pixels[:, :1, :1])
    assert one[0] == [(0, 0)]


def test_tables_without_pictures_or_classes_have_no_maps():
    models, rows, table = case()
    assert not len(occlusion_maps(models, rows, table, {**SCHEMA, "columns": COLUMNS[1:]}))
    assert not len(occlusion_maps(models, rows[:0], table, SCHEMA))
    values = rows.drop(columns=["p_dark", "p_light"]).assign(prediction=1.0)
    assert not len(occlusion_maps(models, values, table, {**SCHEMA, "classes": None}))


def test_gaps_have_no_map_and_another_row_of_the_class_is_shown():
    models, rows, table = case()
    assert not len(occlusion_maps(models, rows, table.assign(scan=None), SCHEMA))
    shown = occlusion_maps(models, rows, table, SCHEMA).groupby("of")["row"].first()
    table["scan"] = table["scan"].where(~table["row"].isin(shown))
    others = occlusion_maps(models, rows, table, SCHEMA).groupby("of")["row"].first()
    assert set(others.index) == {"dark", "light"}
    assert not set(others) & set(shown)
