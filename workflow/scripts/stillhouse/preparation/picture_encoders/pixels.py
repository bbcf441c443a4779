"""Whole pictures, for networks that read them."""

import numpy as np

from stillhouse.columns import PIXELS


class Pixels:
    """One feature: the bytes of a picture, as the typed table has them. Networks learn by themselves how to scale them."""

    kind, size_ = PIXELS, 1

    def fit(self, pixels):
        """Learn nothing."""
        return self

    def transform(self, pixels):
        """Return the bytes of pictures; shape (rows, 1)."""
        found = np.empty((len(pixels), 1), dtype=object)
        found[:, 0] = [picture.tobytes() for picture in pixels]
        return found


def make(seed):
    """Return the encoder."""
    return Pixels()
