"""A network that somebody else trained, as an encoder of pictures."""

import pickle

import numpy as np
import pytest
from picture_samples import COLUMNS, SIZE, network_file, shapes, typed_shapes
from prepared_samples import prepared_by
from sklearn.decomposition import PCA

from stillhouse.errors import UserError
from stillhouse.preparation.picture_encoders.frozen import Frozen, make


def fields_of(pixels):
    """What the network of the samples makes of pictures."""
    means = (pixels[:, 0] / 255).reshape(len(pixels), SIZE // 3, 3, SIZE // 3, 3).mean(axis=(2, 4)).reshape(len(pixels), -1)
    return np.hstack([means, np.sqrt(means)])


def pixels_of(rows):
    return np.stack(shapes(rows)[0])[:, None]


def test_features_are_components_of_what_the_network_makes_of_pictures(tmp_path):
    pixels, network = pixels_of(100), network_file(tmp_path / "net.onnx")
    encoder = make(1, str(network), mean=0, deviation=1, size=6, rows=1000, unlabelled=False).fit(pixels)
    assert encoder.read(pixels) == pytest.approx(fields_of(pixels), abs=1e-6)
    expected = PCA(6, svd_solver="full").fit_transform(fields_of(pixels))
    for own, other in zip(encoder.transform(pixels).T, expected.T, strict=True):
        assert abs(np.corrcoef(own, other)[0, 1]) > 0.999


def test_pixels_are_centred_and_scaled_by_channel_before(tmp_path):
    network = network_file(tmp_path / "net.onnx", channels=3)
    pixels = np.random.default_rng(0).integers(120, 255, (4, 3, SIZE, SIZE)).astype(np.uint8)
    found = Frozen(str(network), mean=[0.1, 0.2, 0.3], deviation=[1, 2, 0.5])(pixels).reshape(4, 6, 4, 4)
    mean, deviation = (np.reshape(part, (1, 3, 1, 1)) for part in ([0.1, 0.2, 0.3], [1, 2, 0.5]))
    scaled = ((pixels / 255 - mean) / deviation).reshape(4, 3, 4, 3, 4, 3).mean(axis=(3, 5))
    assert found[:, :3] == pytest.approx(scaled, abs=1e-6)


@pytest.mark.parametrize("rows", [0, 1, 3, 7])
def test_a_network_that_takes_a_fixed_number_of_pictures_gets_as_many(tmp_path, rows):
    pixels, network = pixels_of(7), network_file(tmp_path / "net.onnx", rows=3)
    found = Frozen(str(network), 0, 1)(pixels[:rows])
    assert found == pytest.approx(fields_of(pixels)[:rows], abs=1e-6)
    assert found.shape == (rows, 32)


def test_a_kept_preparation_makes_the_same_features_and_notices_another_file(tmp_path):
    table, network = typed_shapes(60), network_file(tmp_path / "net.onnx")
    made = prepared_by(COLUMNS, "median", pictures={"method": "frozen", "file": str(network), "size": 4}).fit(table)
    kept = pickle.loads(pickle.dumps(made))
    assert kept.transform(table).equals(made.transform(table))
    kept = pickle.loads(pickle.dumps(made))
    network.write_bytes(network.read_bytes() + b" ")
    with pytest.raises(UserError, match=r"net\.onnx is another file than the one that this preparation was fitted with"):
        kept.transform(table)


def test_files_that_are_no_fitting_networks_are_refused_in_one_message(tmp_path):
    pixels = pixels_of(5)
    with pytest.raises(UserError, match=r"pictures\.file: .*gone\.onnx cannot be read: No such file"):
        Frozen(str(tmp_path / "gone.onnx"), 0, 1)
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(UserError, match=r"text\.onnx is no network that onnxruntime can run"):
        Frozen(str(tmp_path / "text.onnx"), 0, 1)(pixels)
    with pytest.raises(UserError, match=r"large\.onnx cannot read pictures of 1 x 12 x 12 \(channels, height, width\); `size`"):
        Frozen(str(network_file(tmp_path / "large.onnx", side=30)), 0, 1)(pixels)
    with pytest.raises(UserError, match=r"pictures\.mean: 2 numbers for pictures of 1 channels"):
        Frozen(str(network_file(tmp_path / "net.onnx")), mean=[0.1, 0.2], deviation=1)(pixels)
    with pytest.raises(UserError, match="does not make finite numbers of each picture"):
        Frozen(str(network_file(tmp_path / "roots.onnx")), mean=2, deviation=1)(pixels)
