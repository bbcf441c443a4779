"""The layers of networks that read pictures, as nodes of an ONNX graph."""

import numpy as np
from torch import nn

from stillhouse.networks.pictures import Residual


def layers(graph, x, module, add_module):
    """Add layers one after the other; a norm after a convolution is made part of it. ``add_module`` adds any other layer."""
    remaining = list(module)
    while remaining:
        layer = remaining.pop(0)
        if isinstance(layer, nn.Conv2d):
            norm = remaining.pop(0) if remaining and isinstance(remaining[0], nn.BatchNorm2d) else None
            x = convolution(graph, x, layer, norm)
        elif isinstance(layer, Residual):
            shortcut = x if isinstance(layer.shortcut, nn.Identity) else convolution(graph, x, layer.shortcut, None)
            x = add_module(graph, graph.add("Add", shortcut, layers(graph, x, layer.layers, add_module)), layer.activation)
        elif isinstance(layer, (nn.MaxPool2d, nn.AvgPool2d)):
            side = [layer.kernel_size] * 2
            x = graph.add("MaxPool" if isinstance(layer, nn.MaxPool2d) else "AveragePool", x, kernel_shape=side, strides=side)
        elif isinstance(layer, nn.Flatten):
            x = graph.add("Flatten", x, axis=1)
        else:
            x = add_module(graph, x, layer)
    return x


def convolution(graph, x, layer, norm):
    """Add a convolution whose weights have the scale of its norm, and whose bias has the shift."""
    weight = layer.weight.detach().double().numpy()
    bias = np.zeros(len(weight)) if layer.bias is None else layer.bias.detach().double().numpy()
    if norm is not None:
        mean, variance, scale, shift = (
            part.detach().double().numpy() for part in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
        )
        factor = scale / np.sqrt(variance + norm.eps)
        weight, bias = weight * factor[:, None, None, None], (bias - mean) * factor + shift
    around = list(layer.padding) * 2
    constants = (graph.constant(part.astype("float32")) for part in (weight, bias))
    return graph.add("Conv", x, *constants, kernel_shape=list(layer.kernel_size), pads=around)
