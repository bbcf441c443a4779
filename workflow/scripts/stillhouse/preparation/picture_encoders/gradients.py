"""Histograms of gradients, by direction and by field of a picture, and their leading components (after Dalal & Triggs 2005).

Of coloured pictures there are histograms of colours, too (Swain & Ballard 1991). Their bins overlap, so that a picture that is
a little lighter has nearly the same.
"""

import numpy as np

from stillhouse.preparation.picture_encoders.components import WHITE, Components

# What a picture without gradients is divided by.
LEAST_LENGTH = 1e-6


class Gradients:
    """How much the light of pictures rises in each direction, on average over each field, as one vector of length 1.

    Colours are read as grey. A rise in a direction is the part of the gradient along it, where that is above 0. By ``colours``
    a coloured picture has a second vector of length 1: the share of each channel in so many bins, from dark to light; a pixel
    between two bins is divided between them.
    """

    def __init__(self, directions, fields, colours):
        self.directions, self.fields, self.colours = directions, fields, colours

    def __call__(self, pixels):
        """Return what is read of pictures (rows, channels, height, width); shape (rows, read), float64."""
        rises = self.rises(pixels)
        return np.hstack([rises, self.shares(pixels)]) if self.reads_colours(pixels.shape[1]) else rises

    def reads_colours(self, channels):
        """Return whether pictures of so many channels have histograms of colours."""
        return bool(self.colours) and channels > 1

    def shares(self, pixels):
        """Return the share of each channel in each bin, of length 1; shape (rows, bins x channels), float64."""
        light = pixels.astype("float32") * self.scale()
        bins = [np.maximum(1 - np.abs(light - np.float32(bin)), 0).mean(axis=(2, 3)) for bin in range(self.colours)]
        return of_length_one(np.hstack(bins))

    def scale(self):
        """Return what takes a pixel from 0 to 255 to its place among the bins, single precision."""
        return np.float32((self.colours - 1) / WHITE)

    def rises(self, pixels):
        """Return the rises of light by direction and field, of length 1; shape (rows, directions x fields), float64."""
        light = pixels.mean(axis=1, dtype="float32") / np.float32(WHITE)
        across, down = light[:, 1:-1, 2:] - light[:, 1:-1, :-2], light[:, 2:, 1:-1] - light[:, :-2, 1:-1]
        angles = self.angles()
        rises = np.stack([np.maximum(across * cos + down * sin, 0) for cos, sin in angles], axis=1)
        found = rises.reshape(len(pixels), len(angles), -1) @ self.means(*pixels.shape[2:])
        return of_length_one(found.reshape(len(pixels), -1))

    def angles(self):
        """Return the cosine and the sine of each direction; shape (directions, 2), single precision."""
        turns = 2 * np.pi * np.arange(self.directions) / self.directions
        return np.column_stack([np.cos(turns), np.sin(turns)]).astype("float32")

    def means(self, height, width):
        """Return the matrix that takes the places within a picture's edge to means over fields, single precision."""
        places = [np.arange(side - 2) * min(self.fields, side - 2) // (side - 2) for side in (height, width)]
        field = places[0][:, None] * (places[1].max(initial=0) + 1) + places[1][None]
        is_in = field.reshape(-1, 1) == np.arange(field.max(initial=-1) + 1)
        return (is_in / np.maximum(is_in.sum(axis=0), 1)).astype("float32")


def of_length_one(found):
    """Return rows divided by their length, in double precision."""
    found = found.astype("float64")
    return found / np.maximum(np.sqrt((found**2).sum(axis=1, keepdims=True)), LEAST_LENGTH)


def make(seed, size, rows, directions, fields, colours, unlabelled):
    """Return the encoder."""
    return Components(size, rows, seed, Gradients(directions, fields, colours), unlabelled)
