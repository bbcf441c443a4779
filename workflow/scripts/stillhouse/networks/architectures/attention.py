"""Attention between the words of a text (Vaswani et al. 2017), and hidden layers."""

from stillhouse.networks.architecture import first, perceptron
from stillhouse.networks.texts import Attended, TextInputs


def make(
    inputs,
    n_outputs,
    heads,
    word_width,
    layers,
    attention_heads,
    factor,
    places,
    width,
    depth,
    dropout,
    activation,
    norm,
    **entry,
):
    """Return the network."""

    def reader(length):
        return Attended(length, word_width, layers, attention_heads, factor, places, first(dropout), activation)

    entry_layer = TextInputs(inputs, reader, word_width, first(dropout), **entry)
    return perceptron(entry_layer, n_outputs, heads, width, depth, dropout, activation, norm)
