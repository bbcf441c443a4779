"""Estimators from scikit-learn, LightGBM and CatBoost as nodes of an ONNX graph: linear models, trees, sums and bags of trees.

Features are compared with thresholds in double precision, as the libraries do. A tree is a list of nodes, the root first.
"""

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from stillhouse.predictions.predictions import among_all_classes
from stillhouse.shipping.onnx.graph import Graph

LEAF, BRANCH = "LEAF", "BRANCH_LEQ"


@dataclass
class Trees:
    """Trees whose leaves are summed, as the parallel lists that the ONNX operator takes; ``base`` is added to the sum."""

    n_outputs: int
    base: np.ndarray
    nodes: list = field(default_factory=list)
    leaves: list = field(default_factory=list)
    count: int = 0

    def add(self, nodes, weight=1.0):
        """Add a tree: pairs (node, leaf values), a node being (feature, threshold, yes, no, whether a gap counts as yes)."""
        for index, (node, values) in enumerate(nodes):
            mode = BRANCH if values is None else LEAF
            self.nodes.append((self.count, index, mode, *(node or (0, 0.0, 0, 0, False))))
            for output, value in [] if values is None else values.items():
                self.leaves.append((self.count, index, output, weight * value))
        self.count += 1

    def to_graph(self, graph, x):
        """Add the sum of the trees; (rows, features) to (rows, outputs)."""
        tree, node, mode, feature, threshold, yes, no, gap = zip(*self.nodes, strict=True)
        leaf_tree, leaf_node, output, value = zip(*self.leaves, strict=True)
        total = graph.add(
            "TreeEnsembleRegressor",
            graph.add("Cast", x, to=TensorProto.DOUBLE),
            domain="ai.onnx.ml",
            nodes_treeids=tree,
            nodes_nodeids=node,
            nodes_modes=mode,
            nodes_featureids=feature,
            nodes_values_as_tensor=numpy_helper.from_array(np.array(threshold, dtype="float64"), "thresholds"),
            nodes_truenodeids=yes,
            nodes_falsenodeids=no,
            nodes_missing_value_tracks_true=[int(answer) for answer in gap],
            target_treeids=leaf_tree,
            target_nodeids=leaf_node,
            target_ids=output,
            target_weights_as_tensor=numpy_helper.from_array(np.array(value, dtype="float64"), "leaves"),
            n_targets=self.n_outputs,
            aggregate_function="SUM",
            post_transform="NONE",
        )
        return graph.add("Add", graph.add("Cast", total, to=TensorProto.DOUBLE), graph.constant(self.base[None]))


def add_estimator(graph, x, fitted):
    """Add a fitted estimator: probabilities (rows, classes) or values (rows, 1), in double precision."""
    estimator = getattr(fitted, "estimator", fitted)
    if type(estimator).__name__ not in ESTIMATOR_NODES:
        raise TypeError(f"{type(estimator).__name__} cannot be written as ONNX nodes")
    return ESTIMATOR_NODES[type(estimator).__name__](graph, x, estimator, fitted.n_classes)


def class_prior(graph, x, estimator, n_classes):
    """Add the class prior, whatever the row."""
    share = among_all_classes(estimator.class_prior_[None], estimator.classes_, n_classes)
    zeros = graph.add("Mul", first_column(graph, x), graph.constant(np.float64(0)))
    return graph.add("Add", zeros, graph.constant(share))


def first_column(graph, x):
    """Add the first feature in double precision; shape (rows, 1)."""
    return graph.add("Cast", graph.add("Gather", x, graph.constant(np.array([0])), axis=1), to=TensorProto.DOUBLE)


def linear_model(graph, x, estimator, n_classes):
    """Add a linear model; for classes, the softmax of its logits. Two classes have one logit; the other is 0."""
    weights = np.atleast_2d(estimator.coef_).astype("float64")
    product = graph.add("MatMul", graph.add("Cast", x, to=TensorProto.DOUBLE), graph.constant(weights.T.copy()))
    sums = graph.add("Add", product, graph.constant(np.atleast_1d(estimator.intercept_).astype("float64")[None]))
    return of_classes(graph, sums, estimator.classes_, n_classes) if n_classes else sums


def of_classes(graph, sums, known, n_classes):
    """Add the softmax of sums over the known classes; all other classes have probability 0."""
    if len(known) == 2:
        sums = graph.add("MatMul", sums, graph.constant(np.array([[0.0, 1.0]])))
    p = graph.add("Softmax", sums, axis=1)
    return graph.add("MatMul", p, graph.constant(among_all_classes(np.eye(len(known)), known, n_classes)))


def trees(graph, x, estimator, n_classes):
    """Add a tree, a forest or a bag of trees: the mean of their leaves."""
    parts = getattr(estimator, "estimators_", [estimator])
    if not all(isinstance(part, (DecisionTreeClassifier, DecisionTreeRegressor)) for part in parts):
        return bag(graph, x, estimator, n_classes)
    ensemble = Trees(n_classes or 1, np.zeros(n_classes or 1))
    for part in parts:
        ensemble.add(nodes_of_sklearn(part, classes_of(part, estimator), n_classes), weight=1 / len(parts))
    return ensemble.to_graph(graph, x)


def bag(graph, x, estimator, n_classes):
    """Add the mean of a bag of models that are no trees."""
    inner = len(estimator.classes_) if n_classes else 0
    outputs = [ESTIMATOR_NODES[type(part).__name__](graph, x, part, inner) for part in estimator.estimators_]
    if n_classes:
        columns = graph.constant(among_all_classes(np.eye(inner), estimator.classes_, n_classes))
        outputs = [graph.add("MatMul", output, columns) for output in outputs]
    return graph.add("Mul", graph.add("Sum", *outputs), graph.constant(np.float64(1 / len(outputs))))


def classes_of(part, whole):
    """Return the classes that a part of an ensemble knows, None for values; a part has them as indices into the whole's."""
    if not hasattr(part, "classes_"):
        return None
    return part.classes_ if part is whole else whole.classes_[np.asarray(part.classes_).astype(int)]


def nodes_of_sklearn(estimator, known, n_classes):
    """Return the nodes of a scikit-learn tree."""
    tree, nodes = estimator.tree_, []
    gaps = getattr(tree, "missing_go_to_left", np.zeros(tree.node_count, dtype=bool))
    for index in range(tree.node_count):
        yes, no = int(tree.children_left[index]), int(tree.children_right[index])
        if yes < 0:
            share = tree.value[index][0]
            codes = np.asarray(known).astype(int) if n_classes else [0]
            share = share / share.sum() if n_classes else share
            leaf = {int(code): float(value) for code, value in zip(codes, share, strict=True) if value}
            nodes.append((None, leaf or {0: 0.0}))
        else:
            node = int(tree.feature[index]), float(tree.threshold[index]), yes, no, bool(gaps[index])
            nodes.append((node, None))
    return nodes


def boosted_trees(graph, x, estimator, n_classes):
    """Add the sum of LightGBM's trees, for classes as probabilities; each quantile has trees of its own."""
    parts = [one.booster_.dump_model() for one in (estimator.booster_, *estimator.of_quantiles_)]
    width = parts[0]["num_tree_per_iteration"]
    ensemble = Trees(width * len(parts), np.zeros(width * len(parts)))
    for first, dumped in enumerate(parts):
        for number, tree in enumerate(dumped["tree_info"]):
            ensemble.add(nodes_of_lightgbm(tree["tree_structure"], first + number % width))
    sums = ensemble.to_graph(graph, x)
    return of_classes(graph, sums, estimator.classes_, n_classes) if n_classes else sums


def nodes_of_lightgbm(structure, output):
    """Return the nodes of a LightGBM tree, whose leaves add to one output."""
    nodes = []

    def visit(node):
        index = len(nodes)
        nodes.append(None)
        if "leaf_value" in node:
            nodes[index] = (None, {output: node["leaf_value"]})
            return index
        # Where training rows had no gap, LightGBM treats a gap as 0.
        is_gap_left = node["default_left"] if node["missing_type"] == "NaN" else node["threshold"] >= 0
        yes, no = visit(node["left_child"]), visit(node["right_child"])
        nodes[index] = ((node["split_feature"], node["threshold"], yes, no, is_gap_left), None)
        return index

    visit(structure)
    return nodes


def symmetric_trees(graph, x, estimator, n_classes):
    """Add the sum of CatBoost's trees, for classes as probabilities; it compares features in single precision."""
    described = described_catboost(estimator.booster_)
    scale, base = described["scale_and_bias"]
    ensemble = Trees(len(base), np.array(base, dtype=float))
    for tree in described["oblivious_trees"]:
        ensemble.add(nodes_of_catboost(tree, described["features_info"]["float_features"], len(base)), weight=scale)
    sums = ensemble.to_graph(graph, graph.add("Cast", x, to=TensorProto.FLOAT))
    return of_classes(graph, sums, estimator.classes_, n_classes) if n_classes else sums


def described_catboost(booster):
    """Return CatBoost's own description of a model."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        booster.save_model(str(path), format="json")
        return json.loads(path.read_text())


def nodes_of_catboost(tree, of_features, n_outputs):
    """Return the nodes of a tree whose nodes of one level all ask the same; the first question is a leaf's lowest bit."""
    splits, values = tree["splits"], np.reshape(tree["leaf_values"], (-1, n_outputs))
    nodes = []
    for level, split in enumerate(reversed(splits)):
        column = of_features[split["float_feature_index"]]
        first = 2 ** (level + 1) - 1
        for place in range(2**level):
            lower = first + 2 * place
            is_gap_lower = column["nan_value_treatment"] != "AsTrue"
            nodes.append(((column["flat_feature_index"], split["border"], lower, lower + 1, is_gap_lower), None))
    return [*nodes, *((None, dict(enumerate(map(float, leaf)))) for leaf in values)]


# By name and not by type: an import would have every export rerun when one method's file changes.
ESTIMATOR_NODES = {
    "DummyClassifier": class_prior,
    "LogisticRegression": linear_model,
    "Ridge": linear_model,
    **dict.fromkeys(
        ("DecisionTreeClassifier", "DecisionTreeRegressor", "RandomForestClassifier", "RandomForestRegressor"), trees
    ),
    **dict.fromkeys(("ExtraTreesClassifier", "ExtraTreesRegressor"), trees),
    **dict.fromkeys(("BaggingClassifier", "BaggingRegressor"), trees),
    **dict.fromkeys(("BoostingClassifier", "BoostingRegressor"), boosted_trees),
    **dict.fromkeys(("CatBoostingClassifier", "CatBoostingRegressor"), symmetric_trees),
}


def parameters_in_graph(fitted):
    """Return how many learned numbers a model has in the graph."""
    graph = Graph()
    add_estimator(graph, "features", fitted)
    parts = [part for node in graph.nodes for part in node.attribute if part.name.endswith("_as_tensor")]
    return sum(int(np.prod(tensor.dims)) for tensor in [*map(helper.get_attribute_value, parts), *graph.constants])
