"""An ONNX graph in the making."""

import numpy as np
from onnx import helper, numpy_helper

from stillhouse.columns import graph_input
from stillhouse.predictions.predictions import SMALLEST


class Graph:
    """Nodes and constants of a graph in the making; every method returns the name of what it adds."""

    def __init__(self):
        self.nodes, self.constants, self._inputs, self._count = [], [], {}, 0

    @property
    def inputs(self):
        """The inputs, one a column."""
        return list(self._inputs.values())

    def add(self, operation, *inputs, domain="", **attributes):
        """Add a node with one output."""
        name = self._name(operation.lower())
        self.nodes.append(helper.make_node(operation, list(inputs), [name], domain=domain, **attributes))
        return name

    def add_two(self, operation, *inputs, **attributes):
        """Add a node with two outputs, and return both names."""
        first, second = self._name(operation.lower()), self._name(operation.lower())
        self.nodes.append(helper.make_node(operation, list(inputs), [first, second], **attributes))
        return first, second

    def constant(self, values):
        """Add an array."""
        name = self._name("constant")
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def input(self, column, kind, shape=(1,)):
        """Add the input of one column, once; ``shape`` is that of a row."""
        name = graph_input(column["name"])
        self._inputs.setdefault(name, helper.make_tensor_value_info(name, kind, ["rows", *shape]))
        return name

    def _name(self, stem):
        self._count += 1
        return f"{stem}.{self._count}"


def clipped(graph, p):
    """Add probabilities that are no smaller than those whose logarithm is taken."""
    return graph.add("Clip", p, graph.constant(np.float64(SMALLEST)), graph.constant(np.float64(1)))


def averaged(graph, outputs):
    """Add the mean of several outputs."""
    return graph.add("Mul", graph.add("Sum", *outputs), graph.constant(np.float64(1 / len(outputs))))
