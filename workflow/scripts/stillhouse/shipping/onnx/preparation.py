"""A preparation as nodes of an ONNX graph: numbers filled and scaled, mean labels, gaps, categories."""

import numpy as np
from onnx import TensorProto


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
