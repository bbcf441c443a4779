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
    Tokens,
)
from stillhouse.networks.architectures.resnet import Block
from stillhouse.networks.architectures.transformer import FirstToken
from stillhouse.networks.attention import Layer
from stillhouse.networks.pictures import PictureInputs
from stillhouse.networks.texts import TextInputs
from stillhouse.networks.vectorized.layers import BatchNorm
from stillhouse.shipping.onnx import attention, words
from stillhouse.shipping.onnx.pictures import layers
from stillhouse.shipping.onnx.preparation import Prepared, concatenated, one_hot

# The most numbers of a product with a block for each position.
MOST_IN_BLOCKS = 1 << 15


def network_outputs(graph, prepared, model, function=None):
    """Add the networks; return the names of their outputs in double precision, after a function, averaged over heads."""
    outputs = [graph.add("Cast", add_module(graph, prepared, network), to=TensorProto.DOUBLE) for network in model.networks]
    if function:
        outputs = [graph.add(function, output, axis=-1) for output in outputs]
    has_heads = not isinstance(model.networks[0].head, nn.Linear)
    return (
        [graph.add("ReduceMean", output, graph.constant(np.array([1])), keepdims=0) for output in outputs]
        if has_heads
        else outputs
    )


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
    layers = [*flattened(module.inputs), *flattened(module.body), module.head]
    while layers:
        layer = layers.pop(0)
        if isinstance(layer, ScaleEnsemble) and isinstance(layers[0], nn.Linear):
            x = scaled_linear(graph, x, layer, layers.pop(0))
        else:
            x = add_module(graph, x, layer)
    return x


def flattened(module):
    """Return the layers of nested sequences in one list."""
    return [layer for inner in module for layer in flattened(inner)] if isinstance(module, nn.Sequential) else [module]


def scaled_linear(graph, x, scales_of, module):
    """Add a linear layer of scaled inputs as one product with scaled weights; (rows, in) to (rows, heads, out).

    The file has scales and weights apart, as together they would be as many times as large as there are heads; what loads it
    multiplies them once.
    """
    scale, weight = _array(scales_of.scale), _array(module.weight).T
    heads, n_in = scale.shape
    factors = (graph.constant(np.ascontiguousarray(part)) for part in (scale.T[:, :, None], weight[:, None, :]))
    scaled = graph.add("Reshape", graph.add("Mul", *factors), graph.constant(np.array([n_in, -1])))
    product = graph.add("MatMul", x, scaled)
    product = graph.add("Reshape", product, graph.constant(np.array([-1, heads, weight.shape[1]])))
    return graph.add("Add", product, graph.constant(_array(module.bias)))


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
    """Add a product for each position; (rows, positions, in) to (rows, positions, out).

    Few small products are faster as one with a block for each position, and zeros elsewhere.
    """
    weight = _array(module.weight)
    count, n_in, n_out = weight.shape
    if count * count * n_in * n_out <= MOST_IN_BLOCKS:
        whole = np.zeros((count, n_in, count, n_out), dtype=weight.dtype)
        whole[np.arange(count), :, np.arange(count)] = weight
        flat = graph.add("Reshape", x, graph.constant(np.array([-1, count * n_in])))
        product = graph.add("MatMul", flat, graph.constant(whole.reshape(count * n_in, -1)))
        product = graph.add("Reshape", product, graph.constant(np.array([-1, count, n_out])))
        return graph.add("Add", product, graph.constant(_array(module.bias)))
    positions = graph.add("Transpose", x, perm=[1, 0, 2])
    product = graph.add("MatMul", positions, graph.constant(weight))
    product = graph.add("Transpose", product, perm=[1, 0, 2])
    return graph.add("Add", product, graph.constant(_array(module.bias)))


def vector(graph, x, module):
    """Add the vector of all features: numbers, flags, categories; ``x`` is ``Prepared``, or a matrix of all features."""
    if isinstance(x, Prepared):
        return vector_of_parts(graph, x, module)
    inputs, blocks, start = module.inputs, [], 0
    sizes = [inputs.numbers, inputs.flags, *inputs.categories]
    for index, size in enumerate(sizes):
        if size:
            block = graph.add("Gather", x, graph.constant(np.arange(start, start + size)), axis=1)
            blocks.append(_entered(graph, block, module, index))
        start += size
    return graph.add("Concat", *blocks, axis=1)


def vector_of_parts(graph, prepared, module):
    """Add the vector of prepared parts, in which an embedding is a row of a table, and one of zeros for no category."""
    blocks = list(prepared.blocks)
    if module.inputs.numbers:
        blocks[0] = _entered(graph, blocks[0], module, 0)
    layers = module.categories.layers() if module.categories else [None] * len(prepared.categories)
    for (code, width), layer in zip(prepared.categories, layers, strict=True):
        if layer is None:
            blocks.append(one_hot(graph, code, width))
            continue
        # A code of -1 takes the last row.
        table = np.vstack([_array(layer[0]), np.zeros((1, layer[0].shape[1]), np.float32)])
        places = graph.add("Reshape", code, graph.constant(np.array([-1])))
        blocks.append(graph.add("Gather", graph.constant(table), places, axis=0))
    return graph.add("Concat", *blocks, axis=1)


def _entered(graph, block, module, index):
    if index == 0 and module.is_embedded:
        block = sequential(graph, block, (module.encode, module.embed, module.activation))
        return graph.add("Flatten", block, axis=1)
    if index > 1 and module.categories:
        weight, _ = module.categories.layers()[index - 2]
        return graph.add("MatMul", block, graph.constant(_array(weight)))
    return block


def text_inputs(graph, x, module):
    """Add what is read of texts, beside the other features; ``x`` is ``Prepared``, or a matrix of all features."""
    tokens = x.tokens if isinstance(x, Prepared) else tokens_in(graph, x, module.inputs)
    blocks = [vector(graph, x, module.flat)] if module.flat.shape[0] else []
    for numbers, vectors, reader in zip(tokens, module.vectors, module.readers, strict=True):
        is_word = graph.add("Cast", graph.add("Greater", numbers, graph.constant(np.array([[0]]))), to=TensorProto.FLOAT)
        read = words.word_vectors(graph, numbers, vectors)
        blocks.append(words.READERS[type(reader)](graph, read, is_word, reader, add_module))
    return graph.add("Concat", *blocks, axis=1)


def tokens_in(graph, x, inputs):
    """Add the tokens of each column of texts of a matrix, whole numbers of shape (rows, length)."""
    start, found = sum(inputs.widths[:3]), []
    for length, _ in inputs.tokens:
        block = graph.add("Gather", x, graph.constant(np.arange(start, start + length)), axis=1)
        found.append(graph.add("Cast", block, to=TensorProto.INT64))
        start += length
    return found


def picture_inputs(graph, x, module):
    """Add what is read of pictures, beside the other features; ``x`` is ``Prepared``, or a matrix of all features."""
    pictures = x.pictures if isinstance(x, Prepared) else pictures_in(graph, x, module.inputs)
    blocks = [vector(graph, x, module.flat)] if module.flat.shape[0] else []
    for pixels, scale, reader in zip(pictures, module.scales, module.readers, strict=True):
        centred = graph.add("Sub", pixels, graph.constant(_array(scale.mean)))
        scaled = graph.add("Div", centred, graph.constant(_array(scale.deviation)))
        blocks.append(layers(graph, scaled, reader, add_module))
    return graph.add("Concat", *blocks, axis=1)


def pictures_in(graph, x, inputs):
    """Add the pictures of each column of a matrix; (rows, channels, height, width)."""
    start, found = sum(inputs.widths[:-1]), []
    for shape, *_ in inputs.pictures:
        block = graph.add("Gather", x, graph.constant(np.arange(start, start + math.prod(shape))), axis=1)
        found.append(graph.add("Reshape", block, graph.constant(np.array([-1, *shape]))))
        start += math.prod(shape)
    return found


def column_tokens(graph, x, module):
    """Add a token for each column, after one that is the same for all rows; for ``x`` see ``vector``."""
    x, inputs, start, tokens = concatenated(graph, x) if isinstance(x, Prepared) else x, module.inputs, 0, []
    embeddings = module.categories.layers() if module.categories else []
    for index, size in enumerate([inputs.numbers, inputs.flags, *inputs.categories]):
        if size:
            block = graph.add("Gather", x, graph.constant(np.arange(start, start + size)), axis=1)
            if index == 0:
                tokens.append(sequential(graph, block, (module.encode, module.numbers)))
            elif index == 1:
                tokens.append(linear_each(graph, single(graph, block, module), module.flags))
            else:
                weight, bias = (graph.constant(_array(part)) for part in embeddings[index - 2])
                embedded = graph.add("Add", graph.add("MatMul", block, weight), bias)
                tokens.append(graph.add("Unsqueeze", embedded, graph.constant(np.array([1]))))
        start += size
    rows = graph.add("Gather", graph.add("Shape", x), graph.constant(np.array([0])))
    shape = graph.add("Concat", rows, graph.constant(np.array([1, module.shape[1]])), axis=0)
    first = graph.add("Expand", graph.constant(_array(module.first)), shape)
    return graph.add("Concat", first, *tokens, axis=1)


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
    Tokens: column_tokens,
    Layer: lambda graph, x, module: attention.layer_of_attention(graph, x, module, add_module),
    FirstToken: lambda graph, x, module: attention.first_token(graph, x, module, add_module),
    TextInputs: text_inputs,
    PictureInputs: picture_inputs,
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
