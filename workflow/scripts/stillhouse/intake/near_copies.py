"""Near copies: texts that differ in next to nothing, and pictures that hardly differ, as they are told from different cases."""

import re

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from stillhouse.intake.kinds import IMAGE, TEXT, plain_texts
from stillhouse.intake.pictures import arrays

# The mean difference of pixels up to which two pictures are one, as a share of the first one's contrast: the mean distance of
# its pixels from their mean.
SAME = 0.05
# The fields of a picture, down and across, and how many of their components tell which pictures are near each other.
FIELDS, COMPARED = 8, 6
# Each picture is compared with so many of the nearest.
NEIGHBOURS = 20
# Pictures, and pairs of them, that are looked at at once.
AT_ONCE = 4096


def with_near_copies_equal(table, columns):
    """Return a typed table whose texts are equal where they differ in nothing but digits, punctuation, spaces or case.

    So copies of one message with another telephone number are told as copies. Pictures are replaced by numbers, equal for those
    that are nearly the same. ``columns`` are descriptions of columns.
    """
    texts = [column["name"] for column in columns if column["kind"] == TEXT]
    spelled = {name: [_spelling(text) for text in plain_texts(table[name])] for name in texts}
    images = [column for column in columns if column["kind"] == IMAGE]
    numbered = {column["name"]: numbers_of_copies(table[column["name"]], column) for column in images}
    return table.assign(**spelled, **numbered)


def _spelling(text):
    words = re.sub(r"\d+", "0", "".join(letter if letter.isalnum() else " " for letter in text)).split()
    return " ".join(words) or text


def numbers_of_copies(values, column):
    """Return a number for each picture of a typed column, equal for pictures that are the same or nearly so; shape (rows,).

    Pictures are compared pixel by pixel with those that are nearest by the leading components of the light of their fields.
    """
    equal, _ = pd.factorize(values, use_na_sentinel=False)
    first = np.unique(equal, return_index=True)[1]
    pixels = arrays(values.iloc[first], column)
    places = leading(np.vstack([fields(part) for part in blocks(pixels)]) if len(pixels) else np.zeros((0, FIELDS**2)))
    count = min(1 + NEIGHBOURS, len(pixels))
    _, near = cKDTree(places).query(places, k=range(1, 1 + count), distance_upper_bound=FIELDS * SAME) if count else (0, [])
    one, other = np.repeat(np.arange(len(pixels)), count), np.ravel(near).astype(int)
    # The place after the last one stands for none.
    is_pair = (one < other) & (other < len(pixels))
    pairs = np.column_stack([one[is_pair], other[is_pair]])
    alike = np.vstack([np.zeros((0, 2), dtype=int), *(part[are_alike(part, pixels)] for part in blocks(pairs))])
    graph = coo_matrix((np.ones(len(alike)), alike.T), shape=(len(pixels), len(pixels)))
    return connected_components(graph, directed=False)[1][equal]


def blocks(rows):
    """Yield rows, some thousands at a time."""
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


def are_alike(pairs, pixels):
    """Return whether the pixels of pairs of positions hardly differ, beside the contrast of the first; shape (pairs,)."""
    one, other = (pixels[places].reshape(len(pairs), -1).astype("float32") for places in pairs.T)
    return np.abs(one - other).mean(axis=1) <= SAME * contrasts(one)


def contrasts(x):
    """Return the mean distance of each row's numbers from their mean, at least 1; shape (rows,)."""
    return np.maximum(np.abs(x - x.mean(axis=1, keepdims=True)).mean(axis=1), 1)


def fields(pixels):
    """Return the light of 8 x 8 fields of pictures (rows, channels, height, width), in units of contrast: (rows, 64)."""
    found = pixels.mean(axis=1, dtype="float32")
    for axis in (1, 2):
        edges = np.linspace(0, pixels.shape[axis + 1], FIELDS, endpoint=False).astype(int)
        sizes = np.diff([*edges, pixels.shape[axis + 1]]).clip(1).reshape([-1 if place == axis else 1 for place in range(3)])
        found = np.add.reduceat(found, edges, axis=axis) / sizes
    flat = found.reshape(len(pixels), -1)
    return (flat - flat.mean(axis=1, keepdims=True)) / contrasts(flat)[:, None]


def leading(x):
    """Return the leading principal components of rows; shape (rows, components)."""
    centred = x - x.mean(axis=0) if len(x) else x
    return centred @ np.linalg.eigh(centred.T @ centred)[1][:, -COMPARED:]
