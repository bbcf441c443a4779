"""What networks read of the words of texts, as nodes of an ONNX graph.

A reader takes vectors of words (rows, tokens, width), which tokens are words (rows, tokens), its module, and the function that
adds any other layer.
"""

import numpy as np
from onnx import TensorProto

from stillhouse.networks.texts import MASKED, Attended, Bag, Convolutions, Recurrent
from stillhouse.preparation.text_encoders.tokens import PADDING, UNKNOWN
from stillhouse.shipping.onnx.attention import layer_of_attention

# The end of a slice that goes to the last entry.
LAST = np.iinfo(np.int64).max
# The operator of a kind of cell, and where its gates are among those of the module.
CELLS = {"plain": ("RNN", [0]), "gru": ("GRU", [1, 0, 2]), "lstm": ("LSTM", [0, 3, 1, 2])}


def word_vectors(graph, numbers, module):
    """Add the vectors of tokens, zeros for padding; (rows, tokens) to (rows, tokens, width)."""
    table = module.weight.detach().numpy().copy()
    table[PADDING] = 0
    is_known = graph.add("Less", numbers, graph.constant(np.array([[len(table)]])))
    places = graph.add("Where", is_known, numbers, graph.constant(np.array([[UNKNOWN]])))
    return graph.add("Gather", graph.constant(table), places, axis=0)


def bag(graph, vectors, is_word, module, add_module):
    """Add the mean of a text's vectors."""
    total = graph.add("ReduceSum", vectors, graph.constant(np.array([1])), keepdims=0)
    count = graph.add("ReduceSum", is_word, graph.constant(np.array([1])), keepdims=1)
    return graph.add("Div", total, graph.add("Max", count, graph.constant(np.float32(1))))


def convolutions(graph, vectors, is_word, module, add_module):
    """Add the largest of each feature of a few words that follow each other."""
    return graph.add(
        "Concat",
        *(_largest(graph, vectors, is_word, *part, add_module) for part in zip(module.kernels, module.layers, strict=True)),
        axis=1,
    )


def _largest(graph, vectors, is_word, kernel, layer, add_module):
    def part(values, begin, end):
        return graph.add("Slice", values, *(graph.constant(np.array([bound])) for bound in (begin, end, 1)))

    shifted = [part(vectors, place, place + 1 - kernel or LAST) for place in range(kernel)]
    windows = graph.add("Concat", *shifted, axis=2) if kernel > 1 else vectors
    found = graph.add("Relu", add_module(graph, windows, layer))
    counts = graph.add("Unsqueeze", part(is_word, 0, 1 - kernel or LAST), graph.constant(np.array([2])))
    return graph.add("ReduceMax", graph.add("Mul", found, counts), graph.constant(np.array([1])), keepdims=0)


def mask_of(graph, is_word):
    """Add what is added to the logits of tokens; see ``mask_of`` of the networks."""
    none = graph.add("Sub", graph.constant(np.float32(1)), is_word)
    return graph.add("Mul", none, graph.constant(np.float32(MASKED)))


def recurrent(graph, vectors, is_word, module, add_module):
    """Add the last state of cells that read word by word, or the mean of all that is weighed by a small network."""
    operator, order = CELLS[module.cells[0].cell]
    weights, own, biases = (np.stack(part) for part in zip(*(parameters_of(one, order) for one in module.cells), strict=True))
    count = graph.add("ReduceSum", is_word, graph.constant(np.array([1])), keepdims=0)
    # A text without words counts as one word long; what becomes of it is left out below.
    length = graph.add("Cast", graph.add("Max", count, graph.constant(np.float32(1))), to=TensorProto.INT32)
    inputs = graph.add("Transpose", vectors, perm=[1, 0, 2])
    given = {"hidden_size": module.cells[0].units, "direction": "bidirectional" if len(module.cells) > 1 else "forward"}
    if operator == "GRU":
        given["linear_before_reset"] = 1
    states, last = graph.add_two(operator, inputs, *map(graph.constant, (weights, own, biases)), length, **given)
    if module.score is None:
        ends = graph.add("Flatten", graph.add("Transpose", last, perm=[1, 0, 2]), axis=1)
        has_words = graph.add("Min", count, graph.constant(np.float32(1)))
        return graph.add("Mul", ends, graph.add("Unsqueeze", has_words, graph.constant(np.array([1]))))
    states = graph.add("Transpose", states, perm=[2, 0, 1, 3])
    states = graph.add("Reshape", states, graph.constant(np.array([0, 0, module.size])))
    counts = graph.add("Unsqueeze", is_word, graph.constant(np.array([2])))
    states = graph.add("Mul", states, counts)
    logits = graph.add("Add", add_module(graph, states, module.score), mask_of(graph, counts))
    weighed = graph.add("Mul", states, graph.add("Softmax", logits, axis=1))
    return graph.add("ReduceSum", weighed, graph.constant(np.array([1])), keepdims=0)


def parameters_of(cell, order):
    """Return a cell's weights of words and of states, and its biases, with its gates in this order."""

    def ordered(values):
        gates = np.split(values.detach().numpy(), len(order))
        return np.concatenate([gates[place] for place in order])

    biases = np.concatenate([ordered(cell.of_word.bias), ordered(cell.of_state.bias)])
    return ordered(cell.of_word.weight), ordered(cell.of_state.weight), biases


def attended(graph, vectors, is_word, module, add_module):
    """Add layers of attention between words, and the mean of what they make of them."""
    x, mask = graph.add("Add", vectors, graph.constant(module.places.detach().numpy())), mask_of(graph, is_word)
    for layer in module.layers:
        x = layer_of_attention(graph, x, layer, add_module, mask)
    x = graph.add("Mul", add_module(graph, x, module.norm), graph.add("Unsqueeze", is_word, graph.constant(np.array([2]))))
    return bag(graph, x, is_word, module.mean, add_module)


READERS = {Bag: bag, Convolutions: convolutions, Recurrent: recurrent, Attended: attended}
