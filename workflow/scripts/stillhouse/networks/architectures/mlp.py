"""A multilayer perceptron."""

from stillhouse.networks.architecture import FlatInputs, Network, hidden_layers


def make(inputs, n_outputs, heads, width, depth, dropout, activation, norm, **entry_options):
    """Return a network of ``depth`` hidden layers, each with norm, activation and dropout."""
    entry_layer = FlatInputs(inputs, **entry_options)
    sizes = [*entry_layer.shape, *[width] * depth]
    return Network(entry_layer, hidden_layers(sizes, dropout, activation, norm), sizes[-1], n_outputs, heads)
