"""What networks read of rows: their numbers and, behind them, the pixels of whole pictures."""

import numpy as np
import torch

from stillhouse.columns import divided, picture_shape

# Rows whose values are counted at once, as each is eight bytes then.
AT_ONCE = 1024


def tensors_of(table, names):
    """Return the features of these names as two tensors: float32 numbers (rows, numbers), and pixels or None.

    Pixels are uint8 of shape (rows, pixels), one picture after the other, and become numbers in batches alone.
    """
    numbers, held = divided(names)
    features = torch.tensor(table[numbers].to_numpy(np.float32))
    if not held:
        return features, None
    blocks = [np.frombuffer(b"".join(table[name]), dtype=np.uint8).reshape(len(table), -1) for name in held]
    return features, torch.from_numpy(np.hstack(blocks))


def joined(features, pixels):
    """Return what networks read of rows: numbers, and pixels behind them where there are any; (…, numbers + pixels)."""
    return features if pixels is None else torch.cat([features, pixels.to(features.dtype)], dim=-1)


def blocks(features, pixels, size):
    """Yield what networks read of rows, ``size`` rows at a time."""
    for start in range(0, max(1, len(features)), size):
        part = slice(start, start + size)
        yield joined(features[part], None if pixels is None else pixels[part])


def bytes_of_pictures(names):
    """Return the bytes that the pixels of a row take, for features of these names."""
    return sum(int(np.prod(picture_shape(name))) for name in divided(names)[1])


def counts_of_values(pixels):
    """Return how often each value is in each channel of pixels (rows, channels, pixels); shape (channels, 256)."""
    return np.stack([np.bincount(pixels[:, channel].ravel(), minlength=256) for channel in range(pixels.shape[1])])


def scale_of(pixels, names):
    """Return the shape, the means and the deviations by channel of each picture among pixels (rows, pixels); a tuple.

    A channel that does not vary has deviation 1, in steps of 255.
    """
    found, start = [], 0
    for name in divided(names)[1]:
        shape = picture_shape(name)
        block = pixels[:, start : start + int(np.prod(shape))].reshape(len(pixels), shape[0], -1)
        # By counts of the 256 values, as a copy in floating point would be four times as large.
        counts = sum(counts_of_values(block[row : row + AT_ONCE]) for row in range(0, len(block), AT_ONCE))
        share, values = counts / counts.sum(axis=1, keepdims=True), np.arange(256)
        means = share @ values
        deviations = np.sqrt(np.maximum(share @ values**2 - means**2, 0))
        found.append((shape, tuple(means), tuple(np.where(deviations > 0, deviations, 1))))
        start += int(np.prod(shape))
    return tuple(found)
