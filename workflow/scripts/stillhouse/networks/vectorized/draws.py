"""Random draws that depend on a member's seed and a count alone, on any device and whatever other members there are."""

import numpy as np
import torch

from stillhouse.seeds import derive


def _signed(value):
    return value - (1 << 64) if value >> 63 else value


_FIRST, _SECOND = _signed(0xBF58476D1CE4E5B9), _signed(0x94D049BB133111EB)


def salt(count):
    """Return the integer to add to a state for the ``count``-th of several draws from it."""
    return _signed(count * 0x9E3779B97F4A7C15 % (1 << 64))


def salts(counts):
    """Return ``salt`` of each of several counts, a tensor of int64, which wraps around."""
    return counts * salt(1)


def hashed(state):
    """Return the outputs of SplitMix64 (Steele, Lea & Flood 2014) for int64 states."""
    state = (state ^ _shifted(state, 30)) * _FIRST
    state = (state ^ _shifted(state, 27)) * _SECOND
    return state ^ _shifted(state, 31)


def _shifted(state, bits):
    # Right shifts of int64 keep the sign, and SplitMix64 is defined on unsigned integers.
    return (state >> bits) & ((1 << (64 - bits)) - 1)


def random_bytes(keys, count):
    """Return ``count`` random bytes for each member from its int64 key; shape (members, count)."""
    states = salts(torch.arange(1, -(-count // 8) + 1, device=keys.device))
    return hashed(keys[:, None] + states).view(torch.uint8)[:, :count]


def shuffled_passes(seed, rows, start, count):
    """Return ``count`` rows, from ``start`` on, of an endless stream of passes over all rows, each in a random order."""
    first, last = start // len(rows), -(-(start + count) // len(rows))
    orders = [np.random.default_rng(derive(seed, "pass", number)).permutation(len(rows)) for number in range(first, last)]
    begin = start - first * len(rows)
    return rows[np.concatenate(orders)[begin : begin + count]]


def mixing_shares(seed, epoch, steps, concentration):
    """Return the mixup coefficient (lambda) of each step: Beta draws (Zhang et al. 2018), at least 0.5; shape (steps,)."""
    shares = np.random.default_rng(derive(seed, "mixup", epoch)).beta(concentration, concentration, steps)
    return np.maximum(shares, 1 - shares)
