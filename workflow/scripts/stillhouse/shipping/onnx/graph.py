"""A shipped model as one ONNX graph: raw columns in, probabilities or values out, nothing left to prepare outside."""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from stillhouse.columns import graph_input
from stillhouse.predictions.predictions import SMALLEST
from stillhouse.shipping.onnx.estimators import add_estimator
from stillhouse.shipping.onnx.layers import add_module

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]


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

    def constant(self, values):
        """Add an array."""
        name = self._name("constant")
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def input(self, column, kind):
        """Add the input of one column, once; shape (rows, 1)."""
        name = graph_input(column["name"])
        self._inputs.setdefault(name, helper.make_tensor_value_info(name, kind, ["rows", 1]))
        return name

    def _name(self, stem):
        self._count += 1
        return f"{stem}.{self._count}"


def to_onnx(whole, metadata):
    """Return the ONNX model of a preparation and the model fitted after it, or of several that are pooled; see ``whole.py``.

    Numbers are filled and scaled in double precision and the networks run in single precision, as in the workflow.
    Output: ``probabilities`` of shape (rows, classes) or ``prediction`` of shape (rows, 1), both double.
    """
    graph, name = Graph(), "probabilities" if whole.n_classes else "prediction"
    result = predictions(graph, whole)
    graph.nodes.append(helper.make_node("Identity", [result], [name]))
    output = helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["rows", whole.n_classes or 1])
    body = helper.make_graph(graph.nodes, "stillhouse", graph.inputs, [output], graph.constants)
    made = helper.make_model(body, opset_imports=OPSETS, ir_version=8, producer_name="stillhouse")
    facts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}
    helper.set_model_props(made, facts)
    onnx.checker.check_model(made)
    return made


def predictions(graph, whole):
    """Add the probabilities, or values, of a model or of a stack."""
    if hasattr(whole, "members"):
        return of_stack(graph, whole)
    preparation, model = whole.preparation, whole.model
    prepared = in_order(graph, prepared_columns(graph, preparation), preparation.names(), model.model.names)
    scores = scores_of(graph, prepared, model.model)
    return calibrated(graph, on_original_prior(graph, scores, model.ledger), model) if model.model.n_classes else scores


def of_stack(graph, stack):
    """Add the weighted sum of members' logits, as probabilities, or that of their values."""
    parts = []
    for member, weight in zip(stack.members, stack.stacker.weights, strict=True):
        scores = predictions(graph, member)
        scores = graph.add("Log", clipped(graph, scores)) if stack.n_classes else scores
        parts.append(graph.add("Mul", scores, graph.constant(np.float64(weight))))
    total = graph.add(
        "Add", graph.add("Sum", *parts), graph.constant(np.atleast_1d(stack.stacker.intercept).astype("float64")[None])
    )
    return graph.add("Softmax", total, axis=1) if stack.n_classes else total


def clipped(graph, p):
    """Add probabilities that are no smaller than those whose logarithm is taken."""
    return graph.add("Clip", p, graph.constant(np.float64(SMALLEST)), graph.constant(np.float64(1)))


def scores_of(graph, prepared, fitted):
    """Add the scores of networks, or of what scikit-learn and its kin fitted."""
    if not hasattr(fitted, "networks"):
        return add_estimator(graph, prepared, fitted)
    if fitted.n_classes:
        return averaged(graph, network_outputs(graph, prepared, fitted, "Softmax"))
    return values(graph, prepared, fitted)


def prepared_columns(graph, preparation):
    """Add the preparation: numbers, mean labels, gap indicators and one-hot categories, side by side."""
    blocks = [
        *number_blocks(graph, preparation),
        *(one_hot(graph, preparation, place) for place in range(len(preparation.words))),
    ]
    return graph.add("Concat", *blocks, axis=1)


def number_blocks(graph, preparation):
    """Add the filled and scaled numbers and mean labels, and the indicators of gaps."""
    filled, gaps = filled_numbers(graph, preparation) if preparation.numbers else ([], [])
    means = [mean_label(graph, *pair) for pair in zip(preparation.averaged, preparation.means, strict=True)]
    if not filled and not means:
        return []
    scaled = graph.add("Concat", *filled, *means, axis=1)
    scaler = preparation.scaler
    if scaler.with_mean:
        centred = graph.add("Sub", scaled, graph.constant(scaler.mean_[None]))
        scaled = graph.add("Div", centred, graph.constant(scaler.scale_[None]))
    return [graph.add("Cast", scaled, to=TensorProto.FLOAT), *gaps]


def filled_numbers(graph, preparation):
    """Add the numbers without gaps, and the indicators of the gaps where there are any; a list of each."""
    columns = [graph.input(column, TensorProto.DOUBLE) for column in preparation.numbers]
    raw = graph.add("Concat", *columns, axis=1)
    is_gap = graph.add("IsNaN", raw)
    fill = getattr(preparation.imputer.imputer, "statistics_", None)
    filled = raw if fill is None else graph.add("Where", is_gap, graph.constant(fill.astype("float64")[None]), raw)
    if not preparation.gappy.any():
        return [filled], []
    gaps = graph.add("Gather", is_gap, graph.constant(np.flatnonzero(preparation.gappy)), axis=1)
    return [filled], [graph.add("Cast", gaps, to=TensorProto.FLOAT)]


def mean_label(graph, column, means):
    """Add the mean labels of a category's words, those of all rows for unknown words; shape (rows, outputs)."""
    table = np.vstack([means.means_.to_numpy(), means.overall_]).astype("float64")
    code = word_code(graph, column, {word: place for place, word in enumerate(means.means_.index)}, len(means.means_))
    return graph.add("Gather", graph.constant(table), graph.add("Reshape", code, graph.constant(np.array([-1]))), axis=0)


def one_hot(graph, preparation, position):
    """Add the one-hot columns of a category, rare and unseen words sharing one where there is one."""
    places, width, rest = category_places(preparation.encoder, position)
    code = word_code(graph, preparation.words[position], places, rest)
    hot = graph.add("OneHotEncoder", code, domain="ai.onnx.ml", cats_int64s=list(range(width)), zeros=1)
    return graph.add("Reshape", hot, graph.constant(np.array([-1, width])))


def word_code(graph, column, places, rest):
    """Add the place of each word of a column, ``rest`` for unknown ones; shape (rows, 1)."""
    return graph.add(
        "LabelEncoder",
        graph.input(column, TensorProto.STRING),
        domain="ai.onnx.ml",
        keys_strings=list(places),
        values_int64s=list(places.values()),
        default_int64=rest,
    )


def category_places(encoder, position):
    """Return each known word's one-hot place, the number of places, and the place of unknown words or -1."""
    known = list(encoder.categories_[position])
    rare = encoder.infrequent_categories_[position] if hasattr(encoder, "infrequent_categories_") else None
    rare = set() if rare is None else set(rare)
    common = [word for word in known if word not in rare]
    places = {word: place for place, word in enumerate(common)}
    rest = len(common) if rare else -1
    return places, len(common) + bool(rare), rest


def in_order(graph, prepared, names, wanted):
    """Add the choice and order of features that the model was fitted on."""
    if list(names) == list(wanted):
        return prepared
    places = {name: place for place, name in enumerate(names)}
    return graph.add("Gather", prepared, graph.constant(np.array([places[name] for name in wanted])), axis=1)


def network_outputs(graph, prepared, model, function=None):
    """Add the networks; returns the names of their outputs in double precision, means over heads of what a function gives."""
    outputs = [graph.add("Cast", add_module(graph, prepared, network), to=TensorProto.DOUBLE) for network in model.networks]
    if function:
        outputs = [graph.add(function, output, axis=-1) for output in outputs]
    has_heads = not isinstance(model.networks[0].head, nn.Linear)
    return [graph.add("ReduceMean", output, axes=[1], keepdims=0) for output in outputs] if has_heads else outputs


def averaged(graph, outputs):
    """Add the mean of several outputs."""
    return graph.add("Mul", graph.add("Sum", *outputs), graph.constant(np.float64(1 / len(outputs))))


def on_original_prior(graph, scores, ledger):
    """Add probabilities on the original prior."""
    before, after = np.array(ledger["before"]), np.array(ledger["after"])
    factor = np.divide(before, after, out=np.ones_like(before), where=after > 0)
    weighed = graph.add("Mul", scores, graph.constant(factor[None]))
    total = graph.add("ReduceSum", weighed, graph.constant(np.array([1])), keepdims=1)
    return graph.add("Div", weighed, total)


def calibrated(graph, p, model):
    """Add the calibration of a resampled model."""
    if not model.calibration:
        return p
    logs = graph.add("Log", clipped(graph, p))
    scaled = graph.add("Mul", logs, graph.constant(np.float64(model.calibration.slope_)))
    return graph.add("Softmax", graph.add("Add", scaled, graph.constant(model.calibration.biases_[None])), axis=1)


def values(graph, prepared, model):
    """Add values in the units of the target."""
    mean = averaged(graph, network_outputs(graph, prepared, model))
    return graph.add(
        "Add", graph.add("Mul", mean, graph.constant(np.float64(model.scale))), graph.constant(np.float64(model.centre))
    )
