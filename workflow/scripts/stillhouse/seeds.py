"""One seed, handed down: every random draw has a seed hashed from the run's seed and what is drawn."""

import hashlib

import numpy as np


def derive(seed, *parts):
    """Return a seed in 0 … 2**32 - 1, a pure function of the run's seed and of the names that say what is drawn."""
    text = "\x1f".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")


def generator(seed, *parts):
    """Return a NumPy generator under the derived seed."""
    return np.random.default_rng(derive(seed, *parts))


def uniforms(seed, rows, count):
    """Return draws from (0, 1), ``count`` for each row number; shape (rows, count).

    A row's draws are a pure function of the seed and its number, so they do not depend on which other rows are there
    (SplitMix64, Steele, Lea & Flood 2014, over seed, row and draw).
    """
    rows = np.asarray(rows).astype(np.uint64)[:, None]
    with np.errstate(over="ignore"):
        state = _mixed(_mixed(rows + np.uint64(seed) * _GAMMA) + np.arange(1, count + 1, dtype=np.uint64) * _GAMMA)
    return ((state >> np.uint64(11)).astype("float64") + 0.5) / 2**53


_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def _mixed(state):
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
