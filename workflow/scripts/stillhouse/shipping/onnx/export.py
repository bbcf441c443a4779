"""A shipped model as one ONNX graph: raw columns in, probabilities or values out, nothing left to prepare outside."""

import json
import math

import numpy as np
import onnx
from onnx import TensorProto, helper

from stillhouse.columns import PIXELS, feature_kind, picture_shape
from stillhouse.predictions.predictions import prior_ratio
from stillhouse.shipping.onnx.estimators import add_estimator, first_column
from stillhouse.shipping.onnx.graph import Graph, averaged, clipped
from stillhouse.shipping.onnx.preparation import concatenated, prepared_columns

# Texts are divided into characters by an operator of onnxruntime's own.
OPSETS = {"": 20, "ai.onnx.ml": 3, "com.microsoft": 1}


def to_onnx(pipeline, metadata):
    """Return the ONNX model of a pipeline.

    Numbers are filled and scaled in double precision and the networks run in single precision, as in the workflow.
    Output: ``probabilities`` of shape (rows, classes) or ``prediction`` of shape (rows, 1 + quantiles), both double.
    """
    graph, name = Graph(), "probabilities" if pipeline.n_classes else "prediction"
    result = predictions(graph, pipeline)
    graph.nodes.append(helper.make_node("Identity", [result], [name]))
    output = helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["rows", pipeline.n_classes or 1 + len(pipeline.levels)])
    body = helper.make_graph(graph.nodes, "stillhouse", graph.inputs, [output], graph.constants)
    domains = dict.fromkeys(["", "ai.onnx.ml", *(node.domain for node in graph.nodes)])
    opsets = [helper.make_opsetid(domain, OPSETS[domain]) for domain in domains]
    made = helper.make_model(body, opset_imports=opsets, ir_version=9, producer_name="stillhouse")
    facts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}
    helper.set_model_props(made, facts)
    onnx.checker.check_model(made)
    return made


def predictions(graph, pipeline):
    """Add the probabilities or values of a pipeline."""
    if hasattr(pipeline, "members"):
        return of_stack(graph, pipeline)
    preparation, model = pipeline.preparation, pipeline.model
    prepared = prepared_columns(graph, preparation)
    # Networks take the parts of what is prepared, unless they know other columns; estimators a matrix.
    if not hasattr(model.model, "networks") or list(preparation.names()) != list(model.model.names):
        prepared = selected(graph, concatenated(graph, prepared), preparation.names(), model.model.names)
    scores = model_scores(graph, prepared, model.model)
    return calibrated(graph, with_ledger_undone(graph, scores, model.ledger), model) if model.model.n_classes else scores


def of_stack(graph, stack):
    """Add the weighted sum of members' logits as probabilities, or of their values."""
    parts = []
    for member, weight in zip(stack.members, stack.stacker.weights, strict=True):
        scores = predictions(graph, member)
        if stack.n_classes:
            scores = graph.add("Log", clipped(graph, scores))
        elif member.levels:
            scores = first_column(graph, scores)
        parts.append(graph.add("Mul", scores, graph.constant(np.float64(weight))))
    total = graph.add(
        "Add", graph.add("Sum", *parts), graph.constant(np.atleast_1d(stack.stacker.intercept).astype("float64")[None])
    )
    return graph.add("Softmax", total, axis=1) if stack.n_classes else total


def model_scores(graph, prepared, fitted):
    """Add the scores of networks or of an estimator."""
    if not hasattr(fitted, "networks"):
        return with_sorted_quantiles(graph, add_estimator(graph, prepared, fitted), fitted.levels)
    # Estimators are written without torch.
    from stillhouse.shipping.onnx.layers import network_outputs

    if fitted.n_classes:
        return averaged(graph, network_outputs(graph, prepared, fitted, "Softmax"))
    mean = averaged(graph, network_outputs(graph, prepared, fitted))
    scaled = graph.add("Mul", mean, graph.constant(np.float64(fitted.scale)))
    return with_sorted_quantiles(graph, graph.add("Add", scaled, graph.constant(np.float64(fitted.centre))), fitted.levels)


def with_sorted_quantiles(graph, scores, levels):
    """Add values and quantiles with each row's quantiles in rising order."""
    if len(levels) < 2:
        return scores
    value = first_column(graph, scores)
    rest = graph.add("Gather", scores, graph.constant(1 + np.arange(len(levels))), axis=1)
    rising, _ = graph.add_two("TopK", rest, graph.constant(np.array([len(levels)])), axis=1, largest=0)
    return graph.add("Concat", value, rising, axis=1)


def selected(graph, prepared, names, wanted):
    """Add the selection of features, in the order in which the model was fitted on them."""
    if list(names) == list(wanted):
        return prepared
    # A picture is many columns.
    widths = [math.prod(picture_shape(name)) if feature_kind(name) == PIXELS else 1 for name in names]
    columns = dict(zip(names, np.split(np.arange(sum(widths)), np.cumsum(widths)[:-1]), strict=True))
    return graph.add("Gather", prepared, graph.constant(np.concatenate([columns[name] for name in wanted])), axis=1)


def with_ledger_undone(graph, scores, ledger):
    """Add probabilities on the original class prior."""
    weighed = graph.add("Mul", scores, graph.constant(prior_ratio(ledger.before, ledger.after)[None]))
    total = graph.add("ReduceSum", weighed, graph.constant(np.array([1])), keepdims=1)
    return graph.add("Div", weighed, total)


def calibrated(graph, p, model):
    """Add the calibration of a resampled model."""
    if not model.calibration:
        return p
    logs = graph.add("Log", clipped(graph, p))
    scaled = graph.add("Mul", logs, graph.constant(np.float64(model.calibration.slope_)))
    return graph.add("Softmax", graph.add("Add", scaled, graph.constant(model.calibration.biases_[None])), axis=1)
