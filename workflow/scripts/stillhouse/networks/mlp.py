"""A multilayer perceptron."""

from itertools import pairwise

from torch import nn


def make(n_inputs, n_outputs, width, depth, dropout):
    """Return a network of ``depth`` hidden layers with ReLU; shape (rows, n_inputs) to (rows, n_outputs)."""
    sizes = [n_inputs, *[width] * depth]
    hidden = [
        layer
        for incoming, outgoing in pairwise(sizes)
        for layer in (nn.Linear(incoming, outgoing), nn.ReLU(), nn.Dropout(dropout))
    ]
    return nn.Sequential(*hidden, nn.Linear(sizes[-1], n_outputs))
