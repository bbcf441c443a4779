"""A preparation as nodes of an ONNX graph: numbers filled and scaled, mean labels, texts, pictures, gaps, categories.

Of pictures the graph reads pixels from 0 to 255, decoded and brought to one size before.
"""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from stillhouse.columns import ENCODED, PIXELS, TOKEN
from stillhouse.intake.pictures import shape_of
from stillhouse.preparation.picture_encoders.components import WHITE
from stillhouse.preparation.picture_encoders.gradients import LEAST_LENGTH, Gradients
from stillhouse.preparation.scaling import LIMIT
from stillhouse.shipping.onnx.texts import half_product, text_components, text_counts, text_scores, text_tokens


@dataclass(frozen=True)
class Prepared:
    """Prepared features in parts: blocks of numbers and of gap indicators, categories as (code, width), tokens, and pictures.

    A code is a category's place in its one-hot block, and -1 for none. Tokens are whole numbers, of shape (rows, length) for
    each column of texts that is read word by word. Pictures are numbers from 0 to 255, of shape (rows, channels, height, width)
    for each column that is read whole.
    """

    blocks: list
    categories: list
    tokens: list
    pictures: list


def prepared_columns(graph, preparation):
    """Add the prepared features: numbers and mean labels, gap indicators, the codes of categories, and tokens."""
    categories = [coded(graph, preparation, index) for index in range(len(preparation.categorical))]
    tokens = [text_tokens(graph, text) for text in preparation.texts if text.kind == TOKEN]
    pictures = [pixels_of(graph, picture) for picture in preparation.pictures if picture.kind == PIXELS]
    return Prepared(number_blocks(graph, preparation), categories, tokens, pictures)


def concatenated(graph, prepared):
    """Add the prepared features as one matrix (rows, features), categories one-hot."""
    hot = [one_hot(graph, *category) for category in prepared.categories]
    tokens = [graph.add("Cast", part, to=TensorProto.FLOAT) for part in prepared.tokens]
    pictures = [graph.add("Flatten", part, axis=1) for part in prepared.pictures]
    return graph.add("Concat", *prepared.blocks, *hot, *tokens, *pictures, axis=1)


def number_blocks(graph, preparation):
    """Add the filled and scaled numbers, mean labels, encoded texts and pictures as one block, and the indicators of gaps."""
    filled, gaps = filled_numbers(graph, preparation) if preparation.numbers else ([], [])
    known = [text for text in preparation.texts if text.kind == ENCODED and (text.encoder.size_ or text.scores)]
    counted = {text.column["name"]: text_counts(graph, text) for text in known}
    texts = [text_components(graph, counted[text.column["name"]], text) for text in known if text.encoder.size_]
    means = [mean_label(graph, *pair) for pair in zip(preparation.target_encoded, preparation.means, strict=True)]
    means += [text_scores(graph, counted[text.column["name"]], text) for text in known if text.scores]
    encoded = [picture_components(graph, one) for one in preparation.pictures if one.kind == ENCODED and one.encoder.size_]
    scaled = []
    if filled or means:
        numbers = scaled_numbers(graph, graph.add("Concat", *filled, *means, axis=1), preparation.scaler)
        scaled = [graph.add("Cast", numbers, to=TensorProto.FLOAT)]
    return [graph.add("Concat", *scaled, *texts, *encoded, axis=1), *gaps] if scaled or texts or encoded else []


def pixels_of(graph, picture):
    """Add the pixels of a ``PictureColumn`` as numbers from 0 to 255; single precision."""
    pixels = graph.input(picture.column, TensorProto.UINT8, shape_of(picture.column))
    return graph.add("Cast", pixels, to=TensorProto.FLOAT)


def gradients(graph, pixels, read, column):
    """Add the gradients of pictures by direction and field; shape (rows, directions x fields), double precision."""
    light = graph.add(
        "Div", graph.add("ReduceMean", pixels, graph.constant(np.array([1])), keepdims=1), graph.constant(np.float32(WHITE))
    )
    kernel = np.zeros((read.directions, 1, 3, 3), dtype="float32")
    kernel[:, 0, 1, 2], kernel[:, 0, 2, 1] = read.angles().T
    kernel[:, 0, 1, 0], kernel[:, 0, 0, 1] = -read.angles().T
    rises = graph.add("Relu", graph.add("Conv", light, graph.constant(kernel), kernel_shape=[3, 3]))
    means, (_, height, width) = read.means(*column["size"]), shape_of(column)
    flat = graph.add("Reshape", rises, graph.constant(np.array([-1, read.directions, (height - 2) * (width - 2)])))
    found = graph.add("MatMul", flat, graph.constant(means))
    return of_length_one(graph, graph.add("Flatten", found, axis=1))


def colours(graph, pixels, read):
    """Add the shares of channels in bins of light; shape (rows, bins x channels), double precision."""
    light, bins = graph.add("Mul", pixels, graph.constant(read.scale())), []
    for place in range(read.colours):
        away = graph.add("Abs", graph.add("Sub", light, graph.constant(np.float32(place))))
        share = graph.add("Relu", graph.add("Sub", graph.constant(np.float32(1)), away))
        bins.append(graph.add("ReduceMean", share, graph.constant(np.array([2, 3])), keepdims=0))
    return of_length_one(graph, graph.add("Concat", *bins, axis=1))


def of_length_one(graph, found):
    """Add rows divided by their length, in double precision."""
    found = graph.add("Cast", found, to=TensorProto.DOUBLE)
    squares = graph.add("ReduceSum", graph.add("Mul", found, found), graph.constant(np.array([1])), keepdims=1)
    length = graph.add("Max", graph.add("Sqrt", squares), graph.constant(np.array([[LEAST_LENGTH]])))
    return graph.add("Div", found, length)


def picture_components(graph, picture):
    """Add the components of a ``PictureColumn``; shape (rows, size), single precision."""
    encoder, pixels = picture.encoder, pixels_of(graph, picture)
    if isinstance(encoder.read, Gradients):
        read = gradients(graph, pixels, encoder.read, picture.column)
        if encoder.read.reads_colours(shape_of(picture.column)[0]):
            read = graph.add("Concat", read, colours(graph, pixels, encoder.read), axis=1)
    else:
        flat = graph.add("Cast", graph.add("Flatten", pixels, axis=1), to=TensorProto.DOUBLE)
        read = graph.add("Div", flat, graph.constant(np.float64(WHITE)))
    projected = half_product(graph, read, encoder.components_.T)
    centred = graph.add("Sub", projected, graph.constant(encoder.centre_[None]))
    return graph.add("Cast", graph.add("Div", centred, graph.constant(encoder.scale_[None])), to=TensorProto.FLOAT)


def scaled_numbers(graph, numbers, scaler):
    """Add numbers centred, scaled and, in columns with heavy tails, softly clipped; see ``Scaler``."""
    if not scaler.method:
        return numbers
    centred = graph.add("Sub", numbers, graph.constant(scaler.centre_[None]))
    scaled = graph.add("Div", centred, graph.constant(scaler.scale_[None]))
    if not scaler.clipped_.any():
        return scaled
    part = graph.add("Div", scaled, graph.constant(np.array([[float(LIMIT)]])))
    squared = graph.add("Add", graph.add("Mul", part, part), graph.constant(np.array([[1.0]])))
    clipped = graph.add("Div", scaled, graph.add("Sqrt", squared))
    return graph.add("Where", graph.constant(scaler.clipped_[None]), clipped, scaled)


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
    """Add the mean labels of a column's categories, the overall mean for unknown ones; shape (rows, outputs)."""
    table = np.vstack([means.means_.to_numpy(), means.overall_]).astype("float64")
    code = category_code(graph, column, {name: row for row, name in enumerate(means.means_.index)}, len(means.means_))
    return graph.add("Gather", graph.constant(table), graph.add("Reshape", code, graph.constant(np.array([-1]))), axis=0)


def coded(graph, preparation, index):
    """Add the code of a categorical column, and return it with the width of its one-hot block.

    Rare and unknown categories share one if there are rare ones.
    """
    codes, width, rest = one_hot_codes(preparation.encoder, index)
    return category_code(graph, preparation.categorical[index], codes, rest), width


def one_hot(graph, code, width):
    """Add the one-hot columns of a code; none is 1 for a code of -1."""
    hot = graph.add("OneHotEncoder", code, domain="ai.onnx.ml", cats_int64s=list(range(width)), zeros=1)
    return graph.add("Reshape", hot, graph.constant(np.array([-1, width])))


def category_code(graph, column, codes, rest):
    """Add the code of each row's category, ``rest`` for unknown ones; shape (rows, 1)."""
    return graph.add(
        "LabelEncoder",
        graph.input(column, TensorProto.STRING),
        domain="ai.onnx.ml",
        keys_strings=list(codes),
        values_int64s=list(codes.values()),
        default_int64=rest,
    )


def one_hot_codes(encoder, index):
    """Return each frequent category's one-hot position, their number, and the position of all others, -1 for none."""
    known = list(encoder.categories_[index])
    rare = encoder.infrequent_categories_[index] if hasattr(encoder, "infrequent_categories_") else None
    rare = set() if rare is None else set(rare)
    common = [category for category in known if category not in rare]
    codes = {category: code for code, category in enumerate(common)}
    rest = len(common) if rare else -1
    return codes, len(common) + bool(rare), rest
