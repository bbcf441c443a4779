"""Attention between tokens as nodes of an ONNX graph; tokens are columns of a table or words of a text."""

import math

import numpy as np


def attention(graph, x, module, aside=None):
    """Add self-attention; (…, tokens, width) to the same shape. ``aside`` is added to what is said of tokens (rows, tokens)."""
    width, heads = module.merge.in_features, module.heads
    of_tokens = graph.add("Shape", x)
    parts = graph.add("Reshape", product(graph, x, module.project), of_heads(graph, of_tokens, width, heads))
    query, key, value = (
        graph.add("Gather", graph.add("Transpose", parts, perm=[2, 0, 3, 1, 4]), graph.constant(np.array(place)), axis=0)
        for place in range(3)
    )
    said = graph.add("MatMul", query, graph.add("Transpose", key, perm=[0, 1, 3, 2]))
    said = graph.add("Mul", said, graph.constant(np.float32(1 / math.sqrt(width // heads))))
    if aside:
        said = graph.add("Add", said, graph.add("Unsqueeze", aside, graph.constant(np.array([1, 2]))))
    mixed = graph.add("MatMul", graph.add("Softmax", said, axis=-1), value)
    mixed = graph.add("Reshape", graph.add("Transpose", mixed, perm=[0, 2, 1, 3]), of_tokens)
    return product(graph, mixed, module.merge)


def of_heads(graph, of_tokens, width, heads):
    """Add the shape (rows, tokens, 3, heads, width of a head), by that of tokens (…, tokens, width)."""
    count = graph.add("Gather", of_tokens, graph.constant(np.array([-2])))
    return graph.add(
        "Concat", graph.constant(np.array([-1])), count, graph.constant(np.array([3, heads, width // heads])), axis=0
    )


def product(graph, x, layer):
    """Add a linear layer."""
    weight, bias = (graph.constant(np.ascontiguousarray(part.detach().numpy().T)) for part in (layer.weight, layer.bias))
    return graph.add("Add", graph.add("MatMul", x, weight), bias)


def layer_of_attention(graph, x, module, add_module, aside=None):
    """Add attention and two linear layers, each after a norm and added to its input; see ``attention``."""
    x = graph.add("Add", x, attention(graph, add_module(graph, x, module.norm), module.attention, aside))
    return graph.add("Add", x, add_module(graph, add_module(graph, x, module.norm_after), module.layers))


def first_token(graph, x, module, add_module):
    """Add the first token of each row, after a norm."""
    return add_module(graph, graph.add("Gather", x, graph.constant(np.array(0)), axis=-2), module.norm)
