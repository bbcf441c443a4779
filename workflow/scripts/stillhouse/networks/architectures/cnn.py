"""Convolutions over the pictures of a row (LeCun et al. 1998), and hidden layers that see its other columns too."""

from functools import partial

from stillhouse.networks.architecture import first, perceptron
from stillhouse.networks.pictures import PictureInputs, convolution, stages


def make(
    inputs, n_outputs, heads, channels, kernel, pooling, grid, augment, width, depth, dropout, activation, norm, **entry_options
):
    """Return the network."""
    layers = partial(convolution, kernel=kernel, norm=norm, activation=activation)
    reader = partial(stages, channels=channels, pooling=pooling, grid=grid, stage=layers)
    entry_layer = PictureInputs(inputs, reader, augment, first(dropout), **entry_options)
    return perceptron(entry_layer, n_outputs, heads, width, depth, dropout, activation, "none")
