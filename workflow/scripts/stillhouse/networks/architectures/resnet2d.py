"""Residual blocks of convolutions over the pictures of a row (He, Zhang, Ren & Sun 2016), and hidden layers."""

from functools import partial

from stillhouse.networks.architecture import first, perceptron
from stillhouse.networks.pictures import PictureInputs, Residual, stages


def make(
    inputs,
    n_outputs,
    heads,
    channels,
    blocks,
    kernel,
    pooling,
    grid,
    augment,
    width,
    depth,
    dropout,
    activation,
    norm,
    **entry_options,
):
    """Return the network."""

    def stage(before, count):
        return [Residual(size, count, kernel, norm, activation) for size in [before, *[count] * (blocks - 1)]]

    reader = partial(stages, channels=channels, pooling=pooling, grid=grid, stage=stage)
    entry_layer = PictureInputs(inputs, reader, augment, first(dropout), **entry_options)
    return perceptron(entry_layer, n_outputs, heads, width, depth, dropout, activation, "none")
