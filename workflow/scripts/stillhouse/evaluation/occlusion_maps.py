"""What parts of a picture carry a prediction: how it falls when they are covered in turn (Zeiler & Fergus 2014)."""

from itertools import product

import numpy as np
import pandas as pd

from stillhouse.columns import DEPLOY, FOLD, LABEL, PART, ROW
from stillhouse.intake import kinds
from stillhouse.intake.kinds import feature_columns
from stillhouse.intake.pictures import arrays
from stillhouse.predictions.predictions import columns_of

COLUMNS = ("row", "of", "predicted", "top", "left", "side", "drop")
# The part of a picture's shorter side that a field covers; fields overlap by half.
PART_OF_SIDE = 5
# The first classes have a picture each.
MOST_CLASSES = 12


def occlusion_maps(models, rows, table, schema):
    """Return for a typical picture of each class, of the first column of pictures, how each field carries the prediction.

    A line has the row, its class (``of``) with the probability ``predicted`` of it, the corner of the field (``top``, ``left``)
    and its ``side`` in pixels, and by how much the probability drops when the field is covered by the mean of the picture.
    ``rows`` are scored rows with predictions; ``models`` maps a fold to the pipeline that held it out.
    """
    columns = [column for column in feature_columns(schema) if column["kind"] == kinds.IMAGE]
    if not columns:
        return pd.DataFrame(columns=COLUMNS)
    name, lines = columns[0]["name"], []
    rows = rows[rows[ROW].isin(table.loc[table[name].notna(), ROW])]
    for code, place in typical_rows(rows, schema["classes"]).items():
        row = rows.loc[place]
        own = table[table[ROW] == row[ROW]]
        corners, side, pixels = covered(arrays(own[name], columns[0])[0])
        variants = own.iloc[np.zeros(len(pixels), dtype=int)].reset_index(drop=True)
        variants[name] = pd.Series([picture.tobytes() for picture in pixels], dtype=object)
        predicted = models[row[FOLD]].predict(variants)[:, code]
        facts = int(row[ROW]), schema["classes"][code], predicted[0]
        drops = zip(corners, predicted[0] - predicted[1:], strict=True)
        lines += [(*facts, *corner, side, drop) for corner, drop in drops]
    return pd.DataFrame(lines, columns=COLUMNS)


def typical_rows(rows, classes):
    """Return the place of a typical held-out row of each class: of those rightly predicted, the one that is as sure as most."""
    found, held_out = {}, rows[rows[PART] != DEPLOY]
    scores = held_out[columns_of(classes)].to_numpy() if classes else np.zeros((0, 0))
    for code in range(min(len(classes or []), MOST_CLASSES)):
        right = np.flatnonzero((held_out[LABEL].to_numpy() == code) & (scores.argmax(axis=1) == code))
        if len(right):
            found[code] = held_out.index[right[np.argsort(scores[right, code], kind="stable")[len(right) // 2]]]
    return found


def covered(pixels):
    """Return the corners of fields, their side, and a picture as it is and with each field covered by its mean colour.

    ``pixels`` has the shape (channels, height, width), the pictures (1 + fields, channels, height, width).
    """
    _, height, width = pixels.shape
    side = max(1, round(min(height, width) / PART_OF_SIDE))
    tops, lefts = (sorted({*range(0, length - side, max(1, side // 2)), length - side}) for length in (height, width))
    corners, mean = list(product(tops, lefts)), pixels.mean(axis=(1, 2)).round().astype(pixels.dtype)
    pictures = np.repeat(pixels[None], 1 + len(corners), axis=0)
    for picture, (top, left) in zip(pictures[1:], corners, strict=True):
        picture[:, top : top + side, left : left + side] = mean[:, None, None]
    return corners, side, pictures


def as_map(fields, height, width):
    """Return the mean drop of the fields that cover each pixel; shape (height, width). ``fields`` are lines of one picture."""
    total, count = np.zeros((2, height, width))
    for top, left, side, drop in fields[["top", "left", "side", "drop"]].itertuples(index=False):
        where = slice(int(top), int(top + side)), slice(int(left), int(left + side))
        total[where] += drop
        count[where] += 1
    return total / np.maximum(count, 1)
