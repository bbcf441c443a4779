"""P-values that are adjusted for how many tests there are."""

import numpy as np


def holm(p):
    """Return p-values adjusted for how many there are (Holm 1979), in the order given."""
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    adjusted = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    result = np.empty(len(p))
    result[order] = np.minimum(adjusted, 1)
    return result
