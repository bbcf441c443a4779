"""A multilayer perceptron."""

from itertools import pairwise

from torch import nn

from stillhouse.networks.architecture import ACTIVATIONS, NORMS, FlatInputs, Network, per_layer


def make(inputs, n_outputs, heads, width, depth, dropout, activation, norm, **entry_options):
    """Return a network of ``depth`` hidden layers, each with norm, activation and dropout."""
    entry_layer = FlatInputs(inputs, **entry_options)
    sizes = [*entry_layer.shape, *[width] * depth]
    layers = [
        nn.Sequential(nn.Linear(*pair), NORMS[norm](width), ACTIVATIONS[activation](), nn.Dropout(share))
        for pair, share in zip(pairwise(sizes), per_layer(dropout, depth), strict=True)
    ]
    return Network(entry_layer, nn.Sequential(*layers), sizes[-1], n_outputs, heads)
