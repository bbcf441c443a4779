"""The leading principal components of pixels (Turk & Pentland 1991)."""

import numpy as np
from sklearn.utils.extmath import randomized_svd

# A component that hardly varies, as a share of the first, is nothing but rounding.
LEAST_DEVIATION = 1e-3
WHITE = 255
# Rows that are encoded at once.
ROWS_AT_ONCE = 4096


class Components:
    """The leading components of what is read of pictures, each with mean 0 and deviation 1 over those that were fitted on.

    ``read(pixels)`` returns numbers (rows, read). ``components_`` has shape (size, read), ``centre_`` and ``scale_`` (size,).
    ``unlabelled`` says whether a preparation has it learn from pictures without labels, too.
    """

    def __init__(self, size, rows, seed, read, unlabelled=False):
        self.size, self.rows, self.seed, self.read, self.unlabelled = size, rows, seed, read, unlabelled

    def fit(self, pixels, more=None):
        """Learn components of pictures, of a sample where there are many, and of ``more`` pictures as far as there is room.

        They are scaled by ``pixels`` alone.
        """
        rows = np.arange(len(pixels))
        if len(rows) > self.rows:
            rows = np.sort(np.random.default_rng(self.seed).choice(rows, self.rows, replace=False))
        own = X = np.vstack([self.read(part) for part in parts(pixels[rows])])
        if more is not None and len(own) < self.rows:
            X = np.vstack([own, *(self.read(part) for part in parts(more[: self.rows - len(own)]))])
        centred, size = X - X.mean(axis=0), min(self.size, len(X) - 1, X.shape[1])
        found = randomized_svd(centred, size, random_state=self.seed)[2] if size > 0 else np.zeros((0, X.shape[1]))
        # In half precision, as shipped files carry them.
        self.components_ = found.astype("float16").astype("float64")
        projected = own @ self.components_.T
        deviation = projected.std(axis=0)
        kept = deviation > LEAST_DEVIATION * deviation.max(initial=LEAST_DEVIATION)
        self.components_, self.size_ = self.components_[kept], int(kept.sum())
        self.centre_, self.scale_ = projected.mean(axis=0)[kept], deviation[kept]
        return self

    def transform(self, pixels):
        """Return the components of pictures; shape (rows, size)."""
        return np.vstack([(self.read(part) @ self.components_.T - self.centre_) / self.scale_ for part in parts(pixels)])


def parts(pixels):
    """Return pictures some thousands at a time, at least one part."""
    return [pixels[start : start + ROWS_AT_ONCE] for start in range(0, max(1, len(pixels)), ROWS_AT_ONCE)]


def flat(pixels):
    """Return pictures as rows of numbers from 0 to 1, double precision; shape (rows, pixels)."""
    return pixels.reshape(len(pixels), -1) / WHITE


def make(seed, size, rows, unlabelled):
    """Return the encoder."""
    return Components(size, rows, seed, flat, unlabelled)
