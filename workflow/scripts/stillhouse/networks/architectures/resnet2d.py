"""Residual blocks of convolutions over the pictures of a row (He, Zhang, Ren & Sun 2016), and hidden layers."""

from stillhouse.networks.pictures import Residual, network_of


def make(inputs, n_outputs, blocks, kernel, norm, activation, **options):
    """Return the network."""

    def stage(before, count):
        return [Residual(size, count, kernel, norm, activation) for size in [before, *[count] * (blocks - 1)]]

    return network_of(inputs, n_outputs, stage, activation=activation, **options)
