"""A multilayer perceptron."""

from stillhouse.networks.architecture import FlatInputs, perceptron


def make(inputs, n_outputs, heads, width, depth, dropout, activation, norm, **entry_options):
    """Return a network of ``depth`` hidden layers, each with norm, activation and dropout."""
    return perceptron(FlatInputs(inputs, **entry_options), n_outputs, heads, width, depth, dropout, activation, norm)
