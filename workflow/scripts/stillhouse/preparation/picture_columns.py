"""A column of pictures in a preparation, and pictures beside prepared features, which files of features do not repeat."""

import numpy as np

from stillhouse.columns import PIXELS, ROW, divided, feature_name, source_position
from stillhouse.intake import kinds, pictures
from stillhouse.preparation.encoded_column import EncodedColumn
from stillhouse.tables import positions_of


class PictureColumn(EncodedColumn):
    """A column of pictures and its encoder; it has no scores."""

    def fit(self, table, labels, unlabelled):
        """Learn the encoder, without labels, and from ``unlabelled`` rows if it does so; return the pixels of ``table``."""
        pixels, more = self.read(table), self.more(unlabelled)
        if len(more):
            self.encoder.fit(pixels, pictures.arrays(sampled(more, self.encoder.rows, self.encoder.seed), self.column))
        else:
            self.encoder.fit(pixels)
        return pixels

    def read(self, table):
        """Return the pixels of a table's pictures, uint8 of shape (rows, channels, height, width)."""
        return pictures.arrays(table[self.column["name"]], self.column)

    def encoded(self, pixels):
        """Return the encoder's features; shape (rows, size)."""
        return self.encoder.transform(pixels)

    def names(self):
        """Return the names of the encoder's features; that of a whole picture has its shape, such as ``p3:scan 1x28x28``."""
        return [picture_name(self.column)] if self.kind == PIXELS else super().names()


def sampled(cells, most, seed):
    """Return at most so many cells, drawn by chance, in their order."""
    if len(cells) <= most:
        return cells
    return cells.iloc[np.sort(np.random.default_rng(seed).choice(len(cells), most, replace=False))]


def picture_name(column):
    """Return the name of the feature that is a whole picture, with its channels, height and width."""
    shape = "x".join(map(str, pictures.shape_of(column)))
    return feature_name(PIXELS, column, f"{column['name']} {shape}")


def without_pictures(features):
    """Return prepared features for a file, a zero for each picture: it stands in the table that they were prepared from."""
    return features.assign(**dict.fromkeys(divided(features)[1], np.float32(0)))


def with_pictures(features, table, columns):
    """Return prepared features of a file with the pictures of their rows, from the typed rows of the table.

    ``columns`` are the descriptions of the table's columns; ``table`` has ``row`` and the pictures.
    """
    _, held = divided(features)
    if not held:
        return features
    described = {column["position"]: column for column in columns if column["kind"] == kinds.IMAGE}
    places = positions_of(features[ROW], table)
    found = {}
    for name in held:
        column = described[source_position(name)]
        found[name] = pictures.without_gaps(table[column["name"]].to_numpy()[places], column)
    return features.assign(**found)
