"""Networks that read pictures: their augmentation, their layers, and the file that they become."""

import io

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from conftest import network_options, trained
from picture_samples import COLUMNS, column, content, shapes, typed_shapes
from PIL import Image, ImageEnhance
from prepared_samples import prepared_by
from shipped_samples import AS_IT_WAS, READING
from sklearn.metrics import roc_auc_score

from stillhouse.ensembles.pipeline import SinglePipeline
from stillhouse.errors import UserError
from stillhouse.intake import pictures
from stillhouse.networks.pictures import DRAWS, changed, convolution, moved, stages
from stillhouse.networks.rows import scale_of
from stillhouse.networks.vectorized.layers import VectorizedEach
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.shipping.export import exported, largest_difference, metadata
from stillhouse.shipping.serving import Shipped, predict_file

NOTHING = dict.fromkeys(("turn", "zoom", "shear", "shift", "flip", "brightness", "contrast", "saturation", "hue", "grey"), 0)
SMALL = {"channels": [6, 8], "width": 8, "epochs": 20, "patience": 20, "rate": 0.02, "heads": 2}


def changed_by(x, **given):
    """Pictures changed by the draws that are given by place, as far as their settings go."""
    settings = {**NOTHING, **{key: value for key, value in given.items() if key in NOTHING}}
    drawn = torch.zeros(*x.shape[:-3], DRAWS, dtype=x.dtype)
    for place, value in given.get("draws", {}).items():
        drawn[..., place] = value
    return changed(x, drawn, settings)


@pytest.fixture
def x():
    return torch.rand(3, 2, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 255


def test_without_a_draw_a_picture_stays_as_it_is(x):
    assert torch.allclose(changed_by(x, turn=30, zoom=0.2, shear=0.2, shift=0.2, brightness=0.2, contrast=0.2), x, atol=1e-9)


def test_turns_mirrors_and_shifts_are_those_of_torch(x):
    assert torch.allclose(changed_by(x, turn=90, draws={0: 1.0}), torch.rot90(x, 1, (2, 3)), atol=1e-9)
    assert torch.allclose(changed_by(x, turn=180, draws={0: -1.0}), x.flip(2, 3), atol=1e-9)
    assert torch.allclose(changed_by(x, flip=True, draws={7: -0.5}), x.flip(3), atol=1e-9)
    assert torch.allclose(changed_by(x, flip=True, draws={7: 0.5}), x, atol=1e-9)
    across = changed_by(x, shift=0.25, draws={3: 1.0})
    assert torch.allclose(across[..., :6], x[..., 2:], atol=1e-9)
    assert torch.allclose(across[..., 6:], x[..., -1:].expand(-1, -1, -1, 2), atol=1e-9)
    down = changed_by(x, shift=0.25, draws={4: -1.0})
    assert torch.allclose(down[..., 2:, :], x[..., :6, :], atol=1e-9)


def test_any_affine_map_is_that_of_torch(x):
    theta = torch.randn(3, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) * 0.7
    for shape in ((8, 8), (5, 9)):
        part = x[..., : shape[0], : shape[1]] if shape == (8, 8) else F.interpolate(x, shape)
        grid = F.affine_grid(theta, list(part.shape), align_corners=False)
        expected = F.grid_sample(part, grid, padding_mode="border", align_corners=False)
        assert torch.allclose(moved(part, theta), expected, atol=1e-9)


def test_a_turned_picture_that_is_no_square_keeps_its_proportions():
    """A round spot stays round: turned by 45 degrees, its light stays where it was."""
    down, across = np.mgrid[:20, :40]
    x = torch.tensor(255 * np.exp(-((down - 9.5) ** 2 + (across - 19.5) ** 2) / 12))[None, None]
    assert (changed_by(x, turn=45, draws={0: 1.0}) - x).abs().mean() < 1


def test_a_zoom_by_half_is_the_middle_of_the_picture_in_twice_the_size(x):
    expected = F.interpolate(x[..., 2:6, 2:6], (8, 8), mode="bilinear", align_corners=False)
    assert torch.allclose(changed_by(x, zoom=0.5, draws={1: -1.0})[..., 1:7, 1:7], expected[..., 1:7, 1:7], atol=1e-6)


def test_light_changes_as_in_pillow():
    array = np.random.default_rng(0).integers(60, 180, (8, 8)).astype(np.uint8)
    x = torch.tensor(array[None, None], dtype=torch.float64)
    lighter = changed_by(x, brightness=0.3, contrast=0.3, draws={5: 1.0, 6: 1.0})
    expected = ImageEnhance.Brightness(ImageEnhance.Contrast(Image.fromarray(array)).enhance(1.3 / 1.3)).enhance(1.3)
    assert np.abs(lighter[0, 0].numpy() - np.asarray(expected)).max() <= 1.5
    sharper = changed_by(x, contrast=0.5, draws={6: 1.0})
    expected = ImageEnhance.Contrast(Image.fromarray(array)).enhance(1.5)
    assert np.abs(sharper[0, 0].numpy() - np.asarray(expected)).max() <= 1.5
    assert changed_by(x * 2, brightness=1, draws={5: 1.0}).max() <= 255


def test_colours_change_as_in_pillow():
    array = np.random.default_rng(0).integers(60, 180, (8, 8, 3)).astype(np.uint8)
    x, picture = torch.tensor(np.moveaxis(array, 2, 0)[None], dtype=torch.float64), Image.fromarray(array)

    def differs(found, expected):
        return np.abs(np.moveaxis(found[0].numpy(), 0, 2) - np.asarray(expected)).max()

    assert differs(changed_by(x, saturation=0.5, draws={8: 1.0}), ImageEnhance.Color(picture).enhance(1.5)) <= 2
    assert differs(changed_by(x, saturation=0.5, draws={8: -1.0}), ImageEnhance.Color(picture).enhance(0.5)) <= 2
    assert differs(changed_by(x, grey=0.4, draws={10: -0.3}), picture.convert("L").convert("RGB")) <= 1
    assert differs(changed_by(x, grey=0.4, draws={10: -0.1}), picture) < 1e-9
    assert differs(changed_by(x, hue=90, saturation=1, draws={9: 0.0}), picture) < 1e-9


def test_turned_colours_keep_their_light_and_half_a_turn_is_the_opposite_colour():
    x = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 60 + 100
    light = x[:, :1] * 0.299 + x[:, 1:2] * 0.587 + x[:, 2:] * 0.114
    assert torch.allclose(changed_by(x, hue=180, draws={9: 1.0}), 2 * light - x, atol=0.2)
    turned = changed_by(x, hue=60, draws={9: 1.0})
    assert torch.allclose(turned[:, :1] * 0.299 + turned[:, 1:2] * 0.587 + turned[:, 2:] * 0.114, light, atol=0.2)
    assert torch.allclose(changed_by(turned, hue=60, draws={9: -1.0}), x, atol=1e-9)
    assert (turned - x).abs().mean() > 3


def test_coloured_pictures_change_the_same_in_company_and_alone():
    settings = {**dict.fromkeys(NOTHING, 0.3), "turn": 20, "hue": 40}
    x, drawn = torch.rand(5, 7, 3, 9, 8) * 255, torch.rand(5, 7, DRAWS) * 2 - 1
    together = changed(x, drawn, settings)
    for member in range(5):
        assert (changed(x[member : member + 1], drawn[member : member + 1], settings)[0] == together[member]).all()


def test_colours_of_grey_pictures_are_refused_by_name():
    with pytest.raises(UserError, match=r"augment: hue, grey would change colours, and these pictures are grey"):
        read_by("cnn", epochs=1, augment={"hue": 10, "grey": 0.1})


def test_members_at_once_are_what_they_are_one_by_one():
    torch.manual_seed(0)
    modules = [stages((2, 9, 7), [3, 4], "max", 1, lambda *pair: convolution(*pair, 3, "batch", "relu"))[0] for _ in range(3)]
    x, slopes = torch.randn(3, 5, 2, 9, 7, dtype=torch.float64), []
    for way in ("at_once", "one_by_one"):
        each = VectorizedEach([module.double() for module in modules], None).train()
        tensors = {**dict(each.named_parameters()), **dict(each.named_buffers())}
        found = getattr(each, way)(x, tensors)
        parameters = dict(each.named_parameters())
        slopes.append([found.detach(), *torch.autograd.grad((found**2).sum(), list(parameters.values())), *each.buffers()])
    for left, right in zip(*slopes, strict=True):
        assert torch.allclose(left, right, atol=1e-10)


def test_layers_end_in_as_many_fields_as_are_asked_for():
    for size, fields in (((1, 28, 28), 9), ((3, 64, 64), 16), ((1, 5, 5), 1), ((2, 1, 9), 1 * 9), ((3, 32, 16), 8)):
        layers, count = stages(size, [4, 4, 5], "average", 3, lambda *pair: convolution(*pair, 3, "batch", "relu"))
        assert layers(torch.zeros(2, *size)).shape == (2, count)
        assert count == 5 * fields


def test_pixels_are_scaled_by_the_mean_and_deviation_of_each_channel():
    pixels = np.random.default_rng(0).integers(0, 256, (50, 2 * 3 * 4 + 5)).astype(np.uint8)
    pixels[:, 24:] = 7
    (shape, means, deviations), (_, (mean,), (deviation,)) = scale_of(pixels, ["n0:x", "p1:scan 2x3x4", "p2:blank 1x1x5"])
    block = pixels[:, :24].reshape(50, 2, 12).astype(float)
    assert shape == (2, 3, 4)
    assert np.allclose(means, block.mean(axis=(0, 2)))
    assert np.allclose(deviations, block.std(axis=(0, 2)))
    assert (mean, deviation) == (7, 1)


def read_by(method, columns=COLUMNS, rows=360, **given):
    """A table of pictures, its preparation, a network fitted on it, and both as a pipeline."""
    table = typed_shapes(rows)
    imputer = prepared_by(columns, "median", pictures={"method": "pixels"}).fit(table)
    sample = imputer.transform(table).assign(label=table["label"], weight=1.0, stop=table["row"] % 5 == 0)
    model = trained(sample, network_options(method, **{**SMALL, **given}), 2)[0]
    return table, imputer, model, piped(imputer, model, sample)


def piped(imputer, model, sample):
    return SinglePipeline(imputer, OnOriginalPrior(model, AS_IT_WAS, sample[sample["stop"]]))


def shipped_to(path, whole, columns, table):
    """Write the file of a pipeline."""
    schema = {"task": "binary", "target": "label", "classes": ["no", "yes"], "columns": columns, "reading": READING}
    path.write_bytes(exported(whole, metadata(schema, whole, "d", "m", {}, table.assign(part="train"))))
    return path


@pytest.mark.parametrize("method", ["cnn", "resnet2d"])
def test_a_network_learns_what_pictures_show(method):
    _, imputer, model, _ = read_by(method)
    unseen = typed_shapes(300, seed=9, gaps=False)
    assert roc_auc_score(unseen["label"], model.predict(imputer.transform(unseen))[:, 1]) > 0.97


def test_a_gap_is_a_black_picture():
    table, imputer, model, _ = read_by("cnn", epochs=2)
    gap = table[:1].assign(scan=pd.Series([None], dtype="object"))
    black = table[:1].assign(scan=pd.Series([bytes(144)], dtype="object"))
    assert (model.predict(imputer.transform(gap)) == model.predict(imputer.transform(black))).all()


@pytest.mark.parametrize("columns", [COLUMNS, COLUMNS[:1]], ids=["beside a number", "alone"])
@pytest.mark.parametrize(
    ("method", "given"),
    [("cnn", {}), ("cnn", {"norm": "none", "pooling": "average", "kernel": 5, "heads": 1}), ("resnet2d", {"blocks": 2})],
)
def test_the_file_reads_pictures_as_the_workflow_does(tmp_path, method, given, columns):
    table, _, _, whole = read_by(method, columns, rows=120, **{"epochs": 3, **given})
    path = shipped_to(tmp_path / "m.onnx", whole, columns, table)
    noise = np.random.default_rng(0).integers(0, 256, (6, 144)).astype(np.uint8)
    odd = [None, bytes(144), bytes([255]) * 144, *(row.tobytes() for row in noise)]
    rows = pd.concat([table, table[: len(odd)].assign(scan=pd.Series(odd, dtype="object"))])
    assert largest_difference(path, rows, whole) < 1e-5


@pytest.mark.parametrize("colour", [False, True], ids=["grey", "coloured"])
@pytest.mark.parametrize("method", ["components", "gradients"])
def test_the_components_of_a_file_are_those_of_the_workflow(tmp_path, method, colour):
    table, columns = typed_shapes(200, colour=colour), [column(channels=3 if colour else 1), COLUMNS[1]]
    imputer = prepared_by(columns, "median", pictures={"method": method, "size": 20}).fit(table)
    sample = imputer.transform(table).assign(label=table["label"], weight=1.0, stop=table["row"] % 5 == 0)
    assert sum(name.startswith("e") for name in sample) == 20
    model = trained(sample, network_options("mlp", width=8, epochs=3), 2)[0]
    whole = piped(imputer, model, sample)
    assert largest_difference(shipped_to(tmp_path / "m.onnx", whole, columns, table), table, whole) < 1e-5


def test_a_folder_of_pictures_is_predicted_in_the_order_of_its_files(tmp_path):
    columns = [column("picture")]
    table = typed_shapes(120).rename(columns={"scan": "picture"})
    imputer = prepared_by(columns, "median", pictures={"method": "pixels"}).fit(table)
    sample = imputer.transform(table).assign(label=table["label"], weight=1.0, stop=table["row"] % 5 == 0)
    whole = piped(imputer, trained(sample, network_options("cnn", **SMALL), 2)[0], sample)
    path, folder = shipped_to(tmp_path / "m.onnx", whole, columns, table), tmp_path / "new"
    folder.mkdir()
    arrays, label = shapes(30, seed=4)
    for place, array in enumerate(arrays):
        (folder / f"{place:02d}.png").write_bytes(content(array))
    predict_file(path, folder, tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["picture"].tolist() == [str(folder / f"{place:02d}.png") for place in range(30)]
    assert roc_auc_score(label, found["p_yes"]) > 0.9
    pd.DataFrame({"picture": [f"new/{place:02d}.png" for place in range(30)]}).to_csv(tmp_path / "rows.csv", index=False)
    predict_file(path, tmp_path / "rows.csv", tmp_path / "again.csv")
    again = pd.read_csv(tmp_path / "again.csv")
    assert (again["p_yes"] == found["p_yes"]).all()
    assert again["picture"].tolist() == [f"new/{place:02d}.png" for place in range(30)]


def test_pillow_is_named_where_it_is_absent(monkeypatch):
    import builtins

    real = builtins.__import__

    def without(name, *rest):
        if name == "PIL":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Exception, match="install the package `pillow`"):
        pictures.pixels_of(b"", {"size": [2, 2], "channels": 1, "fit": "pad"})


def test_the_shipped_file_says_which_pictures_it_cannot_read(tmp_path):
    table, _, _, whole = read_by("cnn", rows=60, epochs=1)
    shipped = Shipped(shipped_to(tmp_path / "m.onnx", whole, COLUMNS, table))
    with pytest.raises(Exception, match=r"row 1: none\.png is not there"):
        shipped.predict(pd.DataFrame({"scan": ["none.png"], "age": [3.0]}))
    for one in shipped.columns:
        one["damaged"] = "gap"
    file = io.BytesIO()
    Image.fromarray(np.zeros((12, 12), np.uint8)).save(file, "png")
    rows = pd.DataFrame({"scan": pd.Series([b"no picture", file.getvalue()], dtype="object"), "age": [3.0, 3.0]})
    predicted = shipped.predict(rows)
    assert predicted["p_yes"].iloc[0] == predicted["p_yes"].iloc[1]
    assert "1 picture cannot be read" in shipped.notes[0]
