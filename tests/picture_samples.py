"""Pictures that tell a label: crosses and discs with noise, and the descriptions of columns that hold them."""

import io

import numpy as np
import pandas as pd
from onnx import helper
from PIL import Image

from stillhouse.intake import kinds

SIZE = 12
SHAPES = ("cross", "disc")


def drawn(shape, rng, colour=False):
    """A picture of a shape somewhere, as uint8 (height, width) or (height, width, 3)."""
    down, across = np.mgrid[:SIZE, :SIZE] - rng.integers(4, SIZE - 4, (2, 1, 1))
    size = rng.integers(2, 4)
    inside = (abs(down) < 1) | (abs(across) < 1) if shape == "cross" else down**2 + across**2 <= size**2
    inside &= (abs(down) <= size + 1) & (abs(across) <= size + 1)
    grey = np.where(inside, 200, 40) + rng.normal(0, 12, (SIZE, SIZE))
    whole = grey[..., None] * np.array([1.0, 0.6, 0.3]) if colour else grey
    return whole.clip(0, 255).astype(np.uint8)


def shapes(rows=240, seed=0, colour=False):
    """Arrays of pictures, and the label of each: 0 for a cross, 1 for a disc."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, rows)
    return [drawn(SHAPES[code], rng, colour) for code in label], label


def content(array, form="png", **options):
    """The content of a file with a picture."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, form, **options)
    return file.getvalue()


def column(name="scan", channels=1, size=(SIZE, SIZE), position=0, **given):
    """The description of a column of pictures."""
    facts = {"size": list(size), "channels": channels, "shift": 8, "fit": "pad", "damaged": "stop", **given}
    return {"name": name, "source": name, "position": position, "kind": kinds.IMAGE, **facts}


def typed_shapes(rows=240, seed=0, gaps=True, colour=False):
    """A typed table of pictures, of which some are gaps, with a number and a label."""
    arrays, label = shapes(rows, seed, colour)
    if colour:
        arrays = [np.moveaxis(array, 2, 0) for array in arrays]
    cells = [None if gaps and place % 17 == 0 else array.tobytes() for place, array in enumerate(arrays)]
    age = np.random.default_rng(seed + 1).normal(50, 9, rows)
    table = pd.DataFrame({"row": np.arange(rows), "scan": pd.Series(cells, dtype="object"), "age": age})
    return table.assign(label=label.astype(float))


def network_file(path, side=SIZE, channels=1, kind=1, rows=None):
    """Write a network that somebody else trained: the means of fields of three by three, and their square roots."""
    x = helper.make_tensor_value_info("x", kind, [rows, channels, side, side])
    y = helper.make_tensor_value_info("y", kind, None)
    nodes = [
        helper.make_node("AveragePool", ["x"], ["fields"], kernel_shape=[3, 3], strides=[3, 3]),
        helper.make_node("Sqrt", ["fields"], ["roots"]),
        helper.make_node("Concat", ["fields", "roots"], ["y"], axis=1),
    ]
    graph = helper.make_graph(nodes, "net", [x], [y])
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9).SerializeToString())
    return path


COLUMNS = [column(), {"name": "age", "source": "age", "position": 1, "kind": kinds.NUMERIC}]
