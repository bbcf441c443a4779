"""Draws that are pure functions of a member's seed and a count, on any device: who else is in the stack moves none of them."""

import numpy as np
import torch

from stillhouse.seeds import derive


def _signed(word):
    return word - (1 << 64) if word >> 63 else word


_FIRST, _SECOND = _signed(0xBF58476D1CE4E5B9), _signed(0x94D049BB133111EB)


def salt(count):
    """Return a word to add to a state for the ``count``-th of several draws from it."""
    return _signed(count * 0x9E3779B97F4A7C15 % (1 << 64))


def hashed(state):
    """Return the output function of SplitMix64 (Steele, Lea & Flood 2014) of int64 states."""
    state = (state ^ _shifted(state, 30)) * _FIRST
    state = (state ^ _shifted(state, 27)) * _SECOND
    return state ^ _shifted(state, 31)


def _shifted(state, bits):
    # A shift of int64 drags the sign along, SplitMix64 is about unsigned words.
    return (state >> bits) & ((1 << (64 - bits)) - 1)


def random_bytes(keys, count):
    """Return ``count`` random bytes a member from its int64 key; shape (members, count)."""
    words = torch.arange(1, -(-count // 8) + 1, device=keys.device) * salt(1)
    return hashed(keys[:, None] + words).view(torch.uint8)[:, :count]


def shuffled_passes(seed, rows, start, count):
    """Return ``count`` rows from ``start`` on of an endless stream: pass after pass over all rows, each in its own order."""
    first, last = start // len(rows), -(-(start + count) // len(rows))
    orders = [np.random.default_rng(derive(seed, "pass", number)).permutation(len(rows)) for number in range(first, last)]
    begin = start - first * len(rows)
    return rows[np.concatenate(orders)[begin : begin + count]]


def mixing_shares(seed, epoch, steps, concentration):
    """Return the share of the own row in mixup, one a step: Beta draws (Zhang et al. 2018), at least a half."""
    shares = np.random.default_rng(derive(seed, "mixup", epoch)).beta(concentration, concentration, steps)
    return np.maximum(shares, 1 - shares)
