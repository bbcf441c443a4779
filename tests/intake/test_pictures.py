"""Pictures as they come: any format, mode and size becomes one array, and what cannot be read is named."""

import gzip
import io
import struct

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import SCHEMA
from picture_samples import SIZE, column, content, drawn, shapes
from PIL import Image

from stillhouse.config.checks.configuration import checked
from stillhouse.config.completion import ConfigError, fill
from stillhouse.errors import UserError
from stillhouse.fields import is_idx
from stillhouse.intake import kinds, pictures
from stillhouse.intake.folds import make_folds
from stillhouse.intake.load import load
from stillhouse.intake.near_copies import numbers_of_copies, with_near_copies_equal
from stillhouse.intake.presets import PRESETS, preset_of
from stillhouse.intake.starter import Starter

GREY = np.arange(36, dtype=np.uint8).reshape(6, 6) * 7
RGB = np.stack([GREY, GREY[::-1], GREY.T], axis=2)
USUAL = {"size": "auto", "mode": "auto", "fit": "pad", "damaged": "stop"}
FACTS = {"size": [6, 6], "channels": 1, "shift": 8, "fit": "pad", "damaged": "stop"}


def loaded(**dataset):
    return load(fill(dataset, SCHEMA["$defs"]["dataset"], SCHEMA), np.random.default_rng(0))


def saved(image, form="png", **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def read(cell, **given):
    return pictures.pixels_of(cell, {**FACTS, **given})


def test_a_picture_keeps_its_pixels_in_every_format_that_loses_none():
    for form in ("png", "bmp", "tiff", "gif", "ppm"):
        assert (read(content(GREY, form))[0] == GREY).all()
    assert (read(content(RGB), channels=3) == np.moveaxis(RGB, 2, 0)).all()
    assert abs(read(content(GREY, "jpeg", quality=95)).astype(int) - GREY).max() < 12


ODD = {
    "black and white": (saved(Image.fromarray(GREY > 100)), np.where(GREY > 100, 255, 0)),
    "a palette": (saved(Image.fromarray(RGB).quantize(256).convert("P")), None),
    "16 bits": (saved(Image.fromarray(GREY.astype(np.uint16) * 257)), GREY),
    "32 bits": (saved(Image.fromarray(GREY.astype(np.int32) * 257), "tiff"), GREY),
    "colour read as grey": (content(np.repeat(GREY[..., None], 3, axis=2)), GREY),
    "CMYK": (saved(Image.fromarray(np.repeat(GREY[..., None], 3, axis=2)).convert("CMYK"), "tiff"), GREY),
    "nothing but transparency": (content(np.dstack([GREY] * 3 + [np.zeros_like(GREY)])), np.full((6, 6), 255)),
    "no transparency": (content(np.dstack([GREY] * 3 + [np.full_like(GREY, 255)])), GREY),
    "grey with transparency": (content(np.dstack([GREY, np.full_like(GREY, 255)])), GREY),
    "an animation": (
        saved(Image.fromarray(GREY), "gif", save_all=True, append_images=[Image.fromarray(255 - GREY)]),
        GREY,
    ),
    "one pixel": (content(np.full((1, 1), 9, np.uint8)), np.full((6, 6), 9)),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_pictures_become_grey_ones_of_eight_bits(name):
    cell, wanted = ODD[name]
    found = read(cell)
    assert found.shape == (1, 6, 6)
    assert found.dtype == np.uint8
    if wanted is not None:
        assert abs(found[0].astype(int) - wanted).max() <= 1


def test_a_camera_says_which_way_is_up():
    turned = Image.Exif()
    turned[0x0112] = 6
    cell = saved(Image.fromarray(GREY), "png", exif=turned)
    assert (read(cell)[0] == np.rot90(GREY, -1)).all()


def test_a_picture_of_other_proportions_is_padded_cropped_or_stretched():
    wide = np.full((2, 6), 200, np.uint8)
    assert (read(content(wide))[0] == np.pad(wide, ((2, 2), (0, 0)))).all()
    assert (read(content(wide), fit="crop") == 200).all()
    tall = np.vstack([np.zeros((3, 3)), np.full((3, 3), 90)]).astype(np.uint8)
    assert set(read(content(tall), size=[2, 2], fit="stretch")[0][:, 0]) <= set(range(91))


def test_size_and_colours_are_told_by_the_pictures(tmp_path):
    def described(*arrays, **given):
        column = pd.Series([content(array) for array in arrays], dtype="object", name="scan")
        return pictures.described(column, {**USUAL, **given})

    assert described(GREY, GREY) == {**FACTS, "shift": 0}
    assert described(RGB)["channels"] == 3
    assert described(np.repeat(GREY[..., None], 3, axis=2))["channels"] == 1
    assert described(np.zeros((300, 150), np.uint8))["size"] == [64, 32]
    assert described(GREY, size=9)["size"] == [9, 9]
    assert described(GREY, mode="rgb", size=[3, 4]) == {**FACTS, "size": [3, 4], "channels": 3, "shift": 0}
    # A class that comes late counts like those before it.
    late = described(*[GREY] * 300, *[RGB] * 300)
    assert late["channels"] == 3


@pytest.mark.parametrize(("largest", "shift"), [(245, 0), (4000, 4), (65_000, 8), (3_000_000, 14)])
def test_deep_pictures_keep_their_contrast_and_all_of_a_column_one_scale(largest, shift):
    form, kind = ("png", np.uint16) if largest < 1 << 16 else ("tiff", np.int32)
    deep = [(GREY.astype(np.int64) * largest // 245).astype(kind) for _ in range(2)]
    deep[1] = deep[1] // 2
    column = pd.Series([saved(Image.fromarray(array), form) for array in deep], dtype="object", name="scan")
    facts = pictures.described(column, USUAL)
    assert facts["shift"] == shift
    light, dark = (pictures.pixels_of(cell, facts)[0].astype(int) for cell in column)
    assert light.max() > 120
    assert np.abs(light - 2 * dark).max() <= 2


PNG = content(GREY)
DAMAGED = {
    "empty.png": (b"", "is empty"),
    "cut.png": (PNG[: len(PNG) // 2], "is cut or damaged"),
    "head.png": (PNG[:20], "is no picture that can be read"),
    "cut.jpg": (content(np.zeros((90, 90), np.uint8), "jpeg")[:400], "is cut or damaged"),
    "words.png": (b"this is no picture", "is no picture that can be read"),
    "page.jpg": (b"<html><body>404</body></html>", "is no picture that can be read"),
    "zeros.png": (bytes(1000), "is no picture that can be read"),
    "flipped.png": (PNG[:45] + bytes([PNG[45] ^ 255]) + PNG[46:], "is cut or damaged"),
    "floats.tif": (saved(Image.fromarray(GREY.astype(np.float32)), "tiff"), "holds floating-point numbers"),
    "name with spaces.png": (b"x", "name with spaces.png is no picture"),
    "Ünïcode 漢字.png": (b"x", "Ünïcode 漢字.png is no picture"),
}


def files(folder, count=30):
    """A table of the paths of pictures, with their labels."""
    arrays, label = shapes(count)
    (folder / "scans").mkdir()
    for place, array in enumerate(arrays):
        (folder / "scans" / f"{place}.png").write_bytes(content(array))
    table = pd.DataFrame({"scan": [f"scans/{place}.png" for place in range(count)], "age": range(count)})
    return table.assign(shape=np.where(label, "disc", "cross"))


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_picture_is_named_or_counts_as_a_gap(name, tmp_path):
    table = files(tmp_path)
    (tmp_path / "scans" / name).write_bytes(DAMAGED[name][0])
    table.loc[7, "scan"] = f"scans/{name}"
    table.to_csv(tmp_path / "cells.csv", index=False)
    options = {"train": str(tmp_path / "cells.csv"), "target": "shape"}
    with pytest.raises(UserError, match="column 'scan': row 8: ") as refused:
        loaded(**options)
    assert DAMAGED[name][1] in str(refused.value)
    assert "\n" not in str(refused.value)
    typed, schema = loaded(**options, pictures={"damaged": "gap"})
    assert typed["scan"].isna().tolist() == [place == 7 for place in range(30)]
    assert any("1 picture cannot be read and counts as a gap" in note and name in note for note in schema["notes"])


def test_a_picture_of_more_pixels_than_any_camera_has_is_not_decoded(monkeypatch):
    monkeypatch.setattr(pictures, "MOST_PIXELS", 30)
    with pytest.raises(pictures.UnreadablePictureError, match="has 6 x 6 pixels, more than 30 in all"):
        read(PNG)


def test_paths_that_are_not_there_are_named(tmp_path):
    table = files(tmp_path)
    table.loc[3, "scan"] = "scans/none.png"
    table.to_csv(tmp_path / "cells.csv", index=False)
    with pytest.raises(UserError, match=r"row 4: .*scans/none.png is not there"):
        loaded(train=str(tmp_path / "cells.csv"), target="shape")
    # Names of files that are nowhere are names; with `kinds` they are pictures all the same.
    table.assign(scan=[f"far/{place}.png" for place in range(30)]).to_csv(tmp_path / "cells.csv", index=False)
    _, schema = loaded(train=str(tmp_path / "cells.csv"), target="shape")
    assert schema["columns"][0]["kind"] != kinds.IMAGE
    with pytest.raises(UserError, match="column 'scan' holds no path of a picture that can be read"):
        loaded(train=str(tmp_path / "cells.csv"), target="shape", kinds={"scan": "image"})


def in_folders(folder, arrays, label):
    for place, (array, code) in enumerate(zip(arrays, label, strict=True)):
        own = folder / ("disc" if code else "cross")
        own.mkdir(parents=True, exist_ok=True)
        (own / f"{place:03d}.png").write_bytes(content(array))


def test_folders_paths_contents_and_idx_files_hold_the_same_pictures(tmp_path):
    arrays, label = shapes(40)
    order = np.argsort(label, kind="stable")
    arrays, label = [arrays[place] for place in order], label[order]
    in_folders(tmp_path / "train", arrays, label)
    (tmp_path / "train" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "train" / "disc" / ".hidden").write_bytes(b"x")
    of_folder, schema = loaded(train=f"folder:{tmp_path}/train", target="shape")
    assert {one["name"]: one["kind"] for one in schema["columns"]} == {"picture": "image"}
    rarer = "disc" if label.mean() < 0.5 else "cross"
    assert set(schema["classes"]) == {"cross", "disc"}
    assert schema["classes"][1] == rarer
    names = np.where(label, "disc", "cross")
    pd.DataFrame({"picture": [content(array) for array in arrays], "shape": names}).to_parquet(tmp_path / "cells.parquet")
    of_contents, _ = loaded(train=str(tmp_path / "cells.parquet"), target="shape")
    pixels = np.stack(arrays)
    for part, values in (("images-idx3", pixels), ("labels-idx1", label.astype(np.uint8))):
        header = struct.pack(f">{values.ndim + 1}I", 0x800 + values.ndim, *values.shape)
        (tmp_path / f"train-{part}-ubyte.gz").write_bytes(gzip.compress(header + values.tobytes()))
    of_idx, _ = loaded(train=str(tmp_path / "train-images-idx3-ubyte.gz"), target="label")
    for found in (of_folder, of_contents, of_idx):
        assert (pictures.arrays(found["picture"], column())[:, 0] == pixels).all()
    assert (of_folder["label"] == of_contents["label"]).all()


def test_texts_in_folders_are_read_like_pictures(tmp_path):
    for place in range(20):
        own = tmp_path / "train" / ("good" if place % 2 else "bad")
        own.mkdir(parents=True, exist_ok=True)
        (own / f"{place}.txt").write_text(f"it was {'fine' if place % 2 else 'poor'}, number {place}, naïve", encoding="utf-8")
    typed, schema = loaded(train=f"folder:{tmp_path}/train", target="label")
    assert {one["name"]: one["kind"] for one in schema["columns"]} == {"file": "identifier", "text": "text"}
    assert not typed["file"].str.contains("good|bad").any()
    assert typed["text"].str.contains("naïve").all()
    (tmp_path / "train" / "bad" / "0.txt").write_bytes("naïve".encode("latin-1"))
    with pytest.raises(UserError, match=r"0.txt: is not in utf-8"):
        loaded(train=f"folder:{tmp_path}/train", target="label")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "loose.png").write_bytes(PNG), "beside them the file 'loose.png'"),
        (lambda folder: (folder / "disc" / "notes.doc").write_bytes(b"x"), "notes.doc: is no picture, by its ending"),
        (lambda folder: (folder / "disc" / "inner").mkdir(), "is a folder in the folder of a class"),
        (lambda folder: (folder / "none").mkdir(), "none: has no files in it"),
    ],
)
def test_a_folder_that_holds_anything_else_is_refused_in_one_line(tmp_path, spoil, said):
    in_folders(tmp_path / "train", *shapes(12))
    spoil(tmp_path / "train")
    with pytest.raises(UserError) as refused:
        loaded(train=f"folder:{tmp_path}/train", target="shape")
    assert said in str(refused.value)


def test_contents_that_are_dropped_or_tell_rows_apart_are_no_pictures(tmp_path):
    arrays, label = shapes(40)
    table = pd.DataFrame({"scan": [content(array) for array in arrays], "age": range(40), "shape": label})
    table.to_parquet(tmp_path / "cells.parquet")
    for given, kind in (({"drop": ["scan"]}, "aside"), ({"kinds": {"scan": "identifier"}}, "identifier")):
        typed, schema = loaded(train=str(tmp_path / "cells.parquet"), target="shape", **given)
        assert {one["name"]: one["kind"] for one in schema["columns"]}["scan"] == kind
        assert typed["scan"].nunique() == 40
    with pytest.raises(UserError, match="kinds: column 'scan' holds contents of files"):
        loaded(train=str(tmp_path / "cells.parquet"), target="shape", kinds={"scan": "text"})


def test_names_of_pictures_that_are_categories_or_keys_stay_as_they_are(tmp_path):
    table = files(tmp_path)
    table.assign(icon=table["scan"].where(table["age"] % 2 == 0, "scans/0.png")).to_csv(tmp_path / "cells.csv", index=False)
    typed, _ = loaded(
        train=str(tmp_path / "cells.csv"), target="shape", kinds={"icon": "categorical"}, group="scan", pictures={"size": 6}
    )
    assert typed["icon"].str.startswith("scans/").all()
    assert typed["group"].str.startswith("scans/").all()


def test_a_picture_of_rows_that_differ_otherwise_is_told(tmp_path):
    table = files(tmp_path)
    table.loc[5:7, "scan"] = table["scan"][5]
    table.to_csv(tmp_path / "cells.csv", index=False)
    _, schema = loaded(train=str(tmp_path / "cells.csv"), target="shape")
    assert any("column 'scan': 3 rows have the picture of another row" in note for note in schema["notes"])
    _, schema = loaded(train=str(tmp_path / "cells.csv"), target="shape", drop=["age"])
    assert not any("have the picture of another row" in note for note in schema["notes"])
    assert any("3 rows have the same features as another" in note for note in schema["notes"])


@pytest.mark.parametrize(
    ("name", "is_it"),
    [("train-images-idx3-ubyte.gz", True), ("a.idx3-ubyte", True), ("fold_idx30.csv", False), ("idx3.parquet", False)],
)
def test_a_file_of_idx_is_known_by_its_name(name, is_it):
    assert is_idx(name) is is_it


def test_an_idx_file_that_is_cut_or_has_other_labels_is_refused(tmp_path):
    pixels = np.stack(shapes(6)[0])
    path = tmp_path / "images-idx3-ubyte"
    whole = struct.pack(">4I", 0x803, *pixels.shape) + pixels.tobytes()
    for spoiled, said in ((whole[:-5], "is cut"), (whole[:3], "is no IDX file"), (b"PK" + whole, "is no IDX file")):
        path.write_bytes(spoiled)
        with pytest.raises(UserError, match=said):
            loaded(train=str(path), target="label")
    path.write_bytes(whole)
    (tmp_path / "labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, 2) + b"\0\1")
    with pytest.raises(UserError, match="6 pictures, and the file beside it 2 labels"):
        loaded(train=str(path), target="label")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_first_configuration_has_a_network_that_reads_pictures(preset, tmp_path, schema, monkeypatch):
    in_folders(tmp_path / "cells", *shapes(60))
    in_folders(tmp_path / "given", *shapes(20, seed=3))
    files(tmp_path).assign(site=list("abc") * 10).to_csv(tmp_path / "cells.csv", index=False)
    monkeypatch.chdir(tmp_path)
    for table, test, others in (("folder:cells", "folder:given", set()), ("cells.csv", None, set(preset_of(preset).members))):
        config = checked(yaml.safe_load(Starter(table, "shape", None, test).text(preset, 2)), schema)
        (dataset,) = config["datasets"].values()
        assert "image" in dataset["kinds"].values()
        assert dataset.get("test") == test
        network, student = config["models"]["network"]["train"], config["models"]["student"]["distill"]
        assert (network["method"], student["method"]) == ("cnn", "cnn")
        assert network["epochs"] == PRESETS[preset].picture_epochs
        assert config["imputers"][config["models"]["student"]["prepare"]["impute"]]["pictures"]["method"] == "pixels"
        wanted = {"logistic" if name == "linear" else name for name in others - {"network"}} or {"logistic"}
        assert set(config["models"]) == {*wanted, "network", "stack", "student"}
        assert config["estimate"]["minutes"] > 0


def test_the_digits_of_mnist_are_read_as_they_are(shared_tables):
    typed, schema = loaded(
        train=str(shared_tables / "mnist-10k" / "t10k-images-idx3-ubyte.gz"), target="label", task="multiclass"
    )
    (picture,) = schema["columns"]
    assert (len(typed), picture["size"], picture["channels"], len(schema["classes"])) == (10_000, [28, 28], 1, 10)
    assert len(set(numbers_of_copies(typed["picture"], picture))) == 10_000


@pytest.mark.parametrize("part", ["train", "deploy"])
def test_a_folder_that_is_not_there_is_refused_before_anything_runs(tmp_path, schema, part):
    in_folders(tmp_path / "train", *shapes(12))
    dataset = {"train": f"folder:{tmp_path}/train", "target": "shape", part: f"folder:{tmp_path}/none"}
    config = {"datasets": {"d": dataset}, "models": {"m": {"fit": {"method": "tree"}}}}
    with pytest.raises(ConfigError, match=f"datasets.d.{part}: there is no folder"):
        checked(config, schema)
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "a.png").write_bytes(PNG)
    if part == "train":
        with pytest.raises(ConfigError, match="has no folders in it; put the files of a class"):
            checked(config, schema)
    else:
        checked(config, schema)


def test_copies_of_pictures_in_another_size_or_format_stay_in_one_fold():
    rng = np.random.default_rng(5)
    large = [np.asarray(Image.fromarray(drawn("disc" if place % 2 else "cross", rng)).resize((48, 48))) for place in range(40)]
    again = [
        content(np.asarray(Image.fromarray(one).resize((96, 96), Image.Resampling.BICUBIC)), "jpeg", quality=80)
        for one in large
    ]
    described = {**column(size=(32, 32)), "damaged": "stop"}
    cells = pd.Series([*map(content, large), *again], dtype="object", name="scan")
    typed = pictures.as_pixels(cells, described)
    numbers = numbers_of_copies(typed, described)
    assert (numbers[:40] == numbers[40:]).all()
    assert len(set(numbers)) == 40
    table = pd.DataFrame({"row": range(80), "part": "train", "label": [0.0, 1.0] * 40, "scan": typed})
    folds = make_folds(with_near_copies_equal(table, [described]), ["scan"], ["a", "b"], 4, seed=1)
    assert (folds["fold"].to_numpy()[:40] == folds["fold"].to_numpy()[40:]).all()


def test_pictures_that_are_blank_are_copies_only_where_they_are_equal():
    blank = np.repeat(np.arange(0, 90, 30, dtype=np.uint8), 300)
    typed = pd.Series([bytes([int(shade)] * SIZE * SIZE) for shade in blank], dtype="object")
    numbers = numbers_of_copies(typed, column())
    assert [len(set(numbers[start : start + 300])) for start in (0, 300, 600)] == [1, 1, 1]
    assert len(set(numbers)) == 3
