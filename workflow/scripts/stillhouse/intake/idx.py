"""Pictures in IDX files, as MNIST has them: a file of pictures and, beside it, one of labels."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd

from stillhouse.errors import UserError
from stillhouse.intake.text import CHUNK

PICTURE, LABEL = "picture", "label"
# What a file begins with: two zeros, the type of its numbers (unsigned bytes), and how many dimensions it has.
BEGINNING = b"\0\0\x08"


def idx_in(content, path, dialect, notes):
    """Yield the rows of an IDX file: each picture as the content of a PGM file and, where they lie beside it, the labels."""
    pixels, labels = array_of(content.read(), 3, path), labels_beside(path)
    if labels is not None and len(labels) != len(pixels):
        raise UserError(f"{path}: has {len(pixels):,} pictures, and the file beside it {len(labels):,} labels; are both whole?")
    header = b"P5 %d %d 255\n" % pixels.shape[:0:-1]
    for start in range(0, len(pixels), CHUNK):
        part = slice(start, start + CHUNK)
        columns = {PICTURE: pd.Series([header + one.tobytes() for one in pixels[part]], dtype="object")}
        if labels is not None:
            columns[LABEL] = pd.Series(labels[part].astype("str"), dtype="str")
        yield pd.DataFrame(columns)


def labels_beside(path):
    """Return the labels of a file of pictures, or None where there are none: that of train-images-idx3 is train-labels-idx1."""
    name = path.name.replace("image", "label").replace("idx3", "idx1")
    for file, opener in ((Path(path).with_name(name), open), (Path(path).with_name(f"{name}.gz"), gzip.open)):
        if file.is_file():
            with opener(file, "rb") as content:
                return array_of(content.read(), 1, file)
    return None


def array_of(content, dimensions, path):
    """Return the array in an IDX file; raises ``UserError`` for one of other numbers or dimensions, or that is cut."""
    start = 4 + 4 * dimensions
    if content[:4] != BEGINNING + bytes([dimensions]) or len(content) < start:
        raise UserError(f"{path}: is no IDX file of bytes in {dimensions} dimensions")
    shape = np.frombuffer(content[4:start], dtype=">u4").astype(int)
    if len(content) - start != shape.prod():
        there, stated = len(content) - start, shape.prod()
        raise UserError(f"{path}: is cut, or has more than it says: {there:,} bytes, and {stated:,} are stated")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
