"""Attention between tokens as nodes of an ONNX graph; tokens are columns of a table or words of a text."""

import math

import numpy as np


def attention(graph, x, module, add_module, mask=None):
    """Add self-attention; (…, tokens, width) to the same shape. ``mask`` (rows, tokens) is added to the logits."""
    width, heads = module.merge.in_features, module.heads
    of_tokens = graph.add("Shape", x)
    parts = graph.add("Reshape", add_module(graph, x, module.project), of_heads(graph, of_tokens, width, heads))
    query, key, value = (
        graph.add("Gather", graph.add("Transpose", parts, perm=[2, 0, 3, 1, 4]), graph.constant(np.array(place)), axis=0)
        for place in range(3)
    )
    logits = graph.add("MatMul", query, graph.add("Transpose", key, perm=[0, 1, 3, 2]))
    logits = graph.add("Mul", logits, graph.constant(np.float32(1 / math.sqrt(width // heads))))
    if mask:
        logits = graph.add("Add", logits, graph.add("Unsqueeze", mask, graph.constant(np.array([1, 2]))))
    mixed = graph.add("MatMul", graph.add("Softmax", logits, axis=-1), value)
    mixed = graph.add("Reshape", graph.add("Transpose", mixed, perm=[0, 2, 1, 3]), of_tokens)
    return add_module(graph, mixed, module.merge)


def of_heads(graph, of_tokens, width, heads):
    """Add the shape (rows, tokens, 3, heads, width of a head), by that of tokens (…, tokens, width)."""
    count = graph.add("Gather", of_tokens, graph.constant(np.array([-2])))
    return graph.add(
        "Concat", graph.constant(np.array([-1])), count, graph.constant(np.array([3, heads, width // heads])), axis=0
    )


def layer_of_attention(graph, x, module, add_module, mask=None):
    """Add attention and two linear layers, each after a norm and added to its input; see ``attention``."""
    x = graph.add("Add", x, attention(graph, add_module(graph, x, module.norm), module.attention, add_module, mask))
    return graph.add("Add", x, add_module(graph, add_module(graph, x, module.norm_after), module.layers))


def first_token(graph, x, module, add_module):
    """Add the first token of each row, after a norm."""
    return add_module(graph, graph.add("Gather", x, graph.constant(np.array(0)), axis=-2), module.norm)
