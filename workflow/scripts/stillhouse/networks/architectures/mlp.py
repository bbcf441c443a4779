"""A multilayer perceptron."""

from itertools import pairwise

from torch import nn

from stillhouse.networks.architecture import ACTIVATIONS, NORMS, Network, Vector, per_layer


def make(inputs, n_outputs, heads, width, depth, dropout, activation, norm, **entry):
    """Return a network of ``depth`` hidden layers, each with norm, activation and dropout."""
    vector = Vector(inputs, **entry)
    sizes = [*vector.shape, *[width] * depth]
    layers = [
        nn.Sequential(nn.Linear(*pair), NORMS[norm](width), ACTIVATIONS[activation](), nn.Dropout(share))
        for pair, share in zip(pairwise(sizes), per_layer(dropout, depth), strict=True)
    ]
    return Network(vector, nn.Sequential(*layers), sizes[-1], n_outputs, heads)
