"""Networks as nodes of an ONNX graph, by type of layer; layers that only matter in training add no node."""

import math

import numpy as np
from onnx import TensorProto
from torch import nn

from stillhouse.networks.architecture import (
    FlatInputs,
    LinearEach,
    Network,
    Periodic,
    PiecewiseLinearEncoding,
    ScaleEnsemble,
    Single,
)
from stillhouse.networks.architectures.resnet import Block
from stillhouse.networks.vectorized.layers import BatchNorm


def network_outputs(graph, prepared, model, function=None):
    """Add the networks; return the names of their outputs in double precision, after a function, averaged over heads."""
    outputs = [graph.add("Cast", add_module(graph, prepared, network), to=TensorProto.DOUBLE) for network in model.networks]
    if function:
        outputs = [graph.add(function, output, axis=-1) for output in outputs]
    has_heads = not isinstance(model.networks[0].head, nn.Linear)
    return [graph.add("ReduceMean", output, axes=[1], keepdims=0) for output in outputs] if has_heads else outputs


def add_module(graph, x, module):
    """Add a module to a graph; ``x`` is the name of its input, and the name of its output is returned."""
    if type(module) not in LAYER_NODES:
        raise TypeError(f"a layer of type {type(module).__name__} cannot be written as ONNX nodes yet")
    return LAYER_NODES[type(module)](graph, x, module)


def _array(tensor):
    return tensor.detach().numpy()


def _single(value):
    return np.float32(value)


def network(graph, x, module):
    """Add the three parts of a network."""
    return add_module(graph, add_module(graph, add_module(graph, x, module.inputs), module.body), module.head)


def sequential(graph, x, module):
    """Add layers one after the other."""
    for layer in module:
        x = add_module(graph, x, layer)
    return x


def nothing(graph, x, module):
    """Add no node."""
    return x


def linear(graph, x, module):
    """Add a product with weights, and a bias where there is one."""
    product = graph.add("MatMul", x, graph.constant(_array(module.weight).T.copy()))
    return product if module.bias is None else graph.add("Add", product, graph.constant(_array(module.bias)))


def linear_each(graph, x, module):
    """Add a product for each position; (rows, positions, in) to (rows, positions, out)."""
    positions = graph.add("Transpose", x, perm=[1, 0, 2])
    product = graph.add("MatMul", positions, graph.constant(_array(module.weight)))
    product = graph.add("Transpose", product, perm=[1, 0, 2])
    return graph.add("Add", product, graph.constant(_array(module.bias)))


def vector(graph, x, module):
    """Add the vector of all features: numbers, flags, categories."""
    inputs, blocks, start = module.inputs, [], 0
    sizes = [inputs.numbers, inputs.flags, *inputs.categories]
    for index, size in enumerate(sizes):
        if size:
            block = graph.add("Gather", x, graph.constant(np.arange(start, start + size)), axis=1)
            blocks.append(_entered(graph, block, module, index))
        start += size
    return graph.add("Concat", *blocks, axis=1)


def _entered(graph, block, module, index):
    if index == 0 and module.is_embedded:
        block = sequential(graph, block, (module.encode, module.embed, module.activation))
        return graph.add("Flatten", block, axis=1)
    if index > 1 and module.categories:
        weight, _ = module.categories.layers()[index - 2]
        return graph.add("MatMul", block, graph.constant(_array(weight)))
    return block


def single(graph, x, module):
    """Add an axis of length one."""
    return graph.add("Unsqueeze", x, graph.constant(np.array([2])))


def piecewise(graph, x, module):
    """Add the piecewise linear encoding; (rows, numbers) to (rows, numbers, bins)."""
    above = graph.add("Sub", single(graph, x, module), graph.constant(_array(module.start)))
    through = graph.add("Mul", above, graph.constant(_array(module.slope)))
    return graph.add("Clip", through, graph.constant(_single(0)), graph.constant(_single(1)))


def periodic(graph, x, module):
    """Add sines and cosines; (rows, numbers) to (rows, numbers, 2 x frequencies)."""
    turned = graph.add("Mul", single(graph, x, module), graph.constant(_single(2 * math.pi)))
    angle = graph.add("Mul", turned, graph.constant(_array(module.frequency)))
    return graph.add("Concat", graph.add("Cos", angle), graph.add("Sin", angle), axis=2)


def scales(graph, x, module):
    """Add a scaled copy for each head; (rows, width) to (rows, heads, width)."""
    return graph.add("Mul", graph.add("Unsqueeze", x, graph.constant(np.array([1]))), graph.constant(_array(module.scale)))


def block(graph, x, module):
    """Add a residual block."""
    return graph.add("Add", x, add_module(graph, add_module(graph, x, module.norm), module.layers))


def batch_norm(graph, x, module):
    """Add a batch norm by its running statistics, as a scale and a shift."""
    mean, var, weight, bias = map(_array, (module.running_mean, module.running_var, module.weight, module.bias))
    scale = weight / np.sqrt(var + np.float32(module.eps))
    return graph.add("Add", graph.add("Mul", x, graph.constant(scale)), graph.constant(bias - mean * scale))


def layer_norm(graph, x, module):
    """Add a norm over the units of each row."""
    weight, bias = (graph.constant(_array(part)) for part in (module.weight, module.bias))
    return graph.add("LayerNormalization", x, weight, bias, axis=-1, epsilon=module.eps)


def gelu(graph, x, module):
    """Add ``x Phi(x)`` through the error function."""
    inner = graph.add("Erf", graph.add("Mul", x, graph.constant(_single(math.sqrt(0.5)))))
    share = graph.add("Mul", graph.add("Add", inner, graph.constant(_single(1))), graph.constant(_single(0.5)))
    return graph.add("Mul", x, share)


def plain(operation, **attributes):
    """Return a function that adds an operation without parameters."""
    return lambda graph, x, module: graph.add(operation, x, **attributes)


LAYER_NODES = {
    Network: network,
    nn.Sequential: sequential,
    nn.Dropout: nothing,
    nn.Identity: nothing,
    nn.Linear: linear,
    LinearEach: linear_each,
    FlatInputs: vector,
    Single: single,
    PiecewiseLinearEncoding: piecewise,
    Periodic: periodic,
    ScaleEnsemble: scales,
    Block: block,
    BatchNorm: batch_norm,
    nn.LayerNorm: layer_norm,
    nn.ReLU: plain("Relu"),
    nn.LeakyReLU: plain("LeakyRelu", alpha=0.01),
    nn.Sigmoid: plain("Sigmoid"),
    nn.Tanh: plain("Tanh"),
    nn.GELU: gelu,
}
