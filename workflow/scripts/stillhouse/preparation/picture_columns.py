"""A column of pictures in a preparation, and pictures beside prepared features, which files of features do not repeat."""

import numpy as np

from stillhouse.columns import ENCODED, PIXELS, ROW, feature_kind, feature_name, source_position
from stillhouse.intake import kinds, pictures
from stillhouse.tables import positions_of


class PictureColumn:
    """A column of pictures and its encoder; it has no scores."""

    scores = None

    def __init__(self, column, encoder):
        self.column, self.encoder = column, encoder

    def fit(self, table, labels):
        """Learn the encoder, without labels; return the pixels of the rows."""
        pixels = self.read(table)
        self.encoder.fit(pixels)
        return pixels

    def read(self, table):
        """Return the pixels of a table's pictures, uint8 of shape (rows, channels, height, width)."""
        return pictures.arrays(table[self.column["name"]], self.column)

    @property
    def kind(self):
        """The kind of the encoder's features: numbers, or whole pictures."""
        return getattr(self.encoder, "kind", ENCODED)

    def encoded(self, pixels):
        """Return the encoder's features; shape (rows, size)."""
        return self.encoder.transform(pixels)

    def names(self):
        """Return the names of the encoder's features; that of a whole picture has its shape, such as ``p3:scan 1x28x28``."""
        if self.kind == PIXELS:
            return [picture_name(self.column)]
        return [
            feature_name(self.kind, self.column, f"{self.column['name']} {place:03d}") for place in range(self.encoder.size_)
        ]


def picture_name(column):
    """Return the name of the feature that is a whole picture, with its channels, height and width."""
    shape = "x".join(map(str, pictures.shape_of(column)))
    return feature_name(PIXELS, column, f"{column['name']} {shape}")


def without_pictures(features):
    """Return prepared features for a file, a zero for each picture: it stands in the table that they were prepared from."""
    held = [name for name in features if feature_kind(name) == PIXELS]
    return features.assign(**dict.fromkeys(held, np.float32(0)))


def with_pictures(features, table, columns):
    """Return prepared features of a file with the pictures of their rows, from the typed rows of the table.

    ``columns`` are the descriptions of the table's columns; ``table`` has ``row`` and the pictures.
    """
    held = [name for name in features if feature_kind(name) == PIXELS]
    if not held:
        return features
    described = {column["position"]: column for column in columns if column["kind"] == kinds.IMAGE}
    places = positions_of(features[ROW], table)
    found = {}
    for name in held:
        column = described[source_position(name)]
        black = bytes(int(np.prod(pictures.shape_of(column))))
        cells = table[column["name"]].to_numpy()[places]
        found[name] = [black if cell is None else cell for cell in cells]
    return features.assign(**found)
