"""No resampling."""


def make():
    """Return the identity."""
    return lambda sample, rng: sample
