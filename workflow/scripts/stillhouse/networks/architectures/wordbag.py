"""Hidden layers over the mean of a text's word vectors (Joulin, Grave, Bojanowski & Mikolov 2017)."""

from stillhouse.networks.architecture import first, perceptron
from stillhouse.networks.texts import Bag, TextInputs


def make(inputs, n_outputs, heads, word_width, width, depth, dropout, activation, norm, **entry_options):
    """Return the network."""
    entry_layer = TextInputs(inputs, lambda length: Bag(word_width), word_width, first(dropout), **entry_options)
    return perceptron(entry_layer, n_outputs, heads, width, depth, dropout, activation, norm)
