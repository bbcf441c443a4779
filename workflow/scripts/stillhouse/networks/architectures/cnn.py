"""Convolutions over the pictures of a row (LeCun et al. 1998), and hidden layers that see its other columns too."""

from functools import partial

from stillhouse.networks.pictures import convolution, network_of


def make(inputs, n_outputs, kernel, norm, activation, **options):
    """Return the network."""
    stage = partial(convolution, kernel=kernel, norm=norm, activation=activation)
    return network_of(inputs, n_outputs, stage, activation=activation, **options)
