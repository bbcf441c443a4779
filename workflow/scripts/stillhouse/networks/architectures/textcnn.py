"""Convolutions over the words of a text (Kim 2014), and hidden layers."""

from stillhouse.networks.architecture import first, perceptron
from stillhouse.networks.texts import Convolutions, TextInputs


def make(inputs, n_outputs, heads, word_width, kernels, channels, width, depth, dropout, activation, norm, **entry_options):
    """Return the network."""
    entry_layer = TextInputs(
        inputs, lambda length: Convolutions(word_width, kernels, channels), word_width, first(dropout), **entry_options
    )
    return perceptron(entry_layer, n_outputs, heads, width, depth, dropout, activation, norm)
