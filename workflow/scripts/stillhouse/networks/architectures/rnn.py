"""Cells that read a text word by word, and hidden layers."""

from stillhouse.networks.architecture import first, perceptron
from stillhouse.networks.texts import Recurrent, TextInputs


def make(inputs, n_outputs, heads, word_width, units, cell, both_ways, taken, width, depth, dropout, activation, norm, **entry):
    """Return the network."""

    def reader(length):
        return Recurrent(word_width, units, cell, both_ways, taken)

    entry_layer = TextInputs(inputs, reader, word_width, first(dropout), **entry)
    return perceptron(entry_layer, n_outputs, heads, width, depth, dropout, activation, norm)
