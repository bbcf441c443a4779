"""One seed, handed down: every random draw has a seed hashed from the run's seed and what is drawn."""

import hashlib

import numpy as np


def derive(seed, *parts):
    """Return a seed in 0 … 2**32 - 1, a pure function of the run's seed and the words that say what is drawn."""
    text = "\x1f".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


def generator(seed, *parts):
    """Return a NumPy generator under the derived seed."""
    return np.random.default_rng(derive(seed, *parts))
