"""The encoder of texts as nodes of an ONNX graph: n-grams counted, weighted, and taken apart into components.

The graph reads plain texts, see ``kinds.plain_texts``.
"""

import numpy as np
from onnx import TensorProto

from stillhouse.preparation.text_encoders.ngrams import WORDS
from stillhouse.preparation.text_encoders.tokens import PADDING as PADDING_TOKEN
from stillhouse.preparation.text_encoders.tokens import UNKNOWN

# The end of a text, as the operators take no empty ones, and what short rows are filled up with: characters of no n-gram.
END, PADDING = "\x01", "\x02"
# The square of a length that stands for 0; rarities are at least 1, so that no other one is as small.
TINY = 1e-12


def text_counts(graph, text):
    """Add the weighted counts of a ``TextColumn``; shape (rows, n-grams), double precision."""
    texts = column_of(graph, text)
    parts = [weighted_counts(graph, texts, counts) for counts in text.encoder.kinds if len(counts.terms_)]
    return graph.add("Concat", *parts, axis=1)


def column_of(graph, text):
    """Add the texts of a ``TextColumn`` as one axis."""
    return graph.add("Reshape", graph.input(text.column, TensorProto.STRING), graph.constant(np.array([-1])))


def text_tokens(graph, text):
    """Add the numbers of the first or the last words of a ``TextColumn``; whole numbers, shape (rows, length)."""
    encoder, known = text.encoder, text.encoder.known_
    numbers = graph.add(
        "LabelEncoder",
        divided(graph, column_of(graph, text), encoder.of == "words"),
        domain="ai.onnx.ml",
        keys_strings=[*known, "", END, PADDING],
        values_int64s=[*range(UNKNOWN + 1, UNKNOWN + 1 + len(known)), *[PADDING_TOKEN] * 3],
        default_int64=UNKNOWN,
    )
    padded = graph.add("Pad", numbers, graph.constant(np.array([0, 0, 0, encoder.length])))
    if encoder.keep == "start":
        ends = (np.array([part]) for part in (0, encoder.length, 1))
        return graph.add("Slice", padded, *map(graph.constant, ends))
    is_word = graph.add("Cast", graph.add("Greater", numbers, graph.constant(np.array([[0]]))), to=TensorProto.INT64)
    count = graph.add("ReduceSum", is_word, graph.constant(np.array([1])), keepdims=1)
    first = graph.add(
        "Max", graph.add("Sub", count, graph.constant(np.array([[encoder.length]]))), graph.constant(np.array([[0]]))
    )
    return graph.add("GatherElements", padded, graph.add("Add", first, graph.constant(np.arange(encoder.length)[None])), axis=1)


def text_components(graph, counts, text):
    """Add the components of weighted counts; shape (rows, size), single precision."""
    encoder = text.encoder
    centred = graph.add("Sub", half_product(graph, counts, encoder.components_.T), graph.constant(encoder.centre_[None]))
    return graph.add("Cast", graph.add("Div", centred, graph.constant(encoder.scale_[None])), to=TensorProto.FLOAT)


def text_scores(graph, counts, text):
    """Add the label's scores by weighted counts; shape (rows, outputs), double precision."""
    scores = text.scores
    intercept, scale, centre = (
        graph.constant(part.astype("float64")[None]) for part in (scores.intercept_, scores.scale_, scores.centre_)
    )
    learned = graph.add("Add", half_product(graph, counts, scores.weights_), intercept)
    return graph.add("Add", graph.add("Mul", learned, scale), centre)


def half_product(graph, counts, weights):
    """Add counts times weights, which the file has in half precision."""
    return graph.add("MatMul", counts, graph.add("Cast", graph.constant(weights.astype("float16")), to=TensorProto.DOUBLE))


def weighted_counts(graph, texts, counts):
    """Add log(1 + count) times the rarity of each n-gram, divided by the length of the row."""
    parts = divided(graph, texts, counts.lengths == WORDS)
    counted = graph.add("Cast", graph.add("TfIdfVectorizer", parts, **terms(counts)), to=TensorProto.DOUBLE)
    logs = graph.add("Log", graph.add("Add", counted, graph.constant(np.array([[1.0]]))))
    weighted = graph.add("Mul", logs, graph.constant(counts.rarity_[None]))
    squares = graph.add("ReduceSum", graph.add("Mul", weighted, weighted), graph.constant(np.array([1])), keepdims=1)
    # A row without any of the n-grams stays 0.
    return graph.add("Div", weighted, graph.add("Sqrt", graph.add("Max", squares, graph.constant(np.array([[TINY]])))))


def divided(graph, texts, into_words):
    """Add the words, or the characters, of texts, with one that stands for their end; shape (rows, parts of the longest)."""
    texts = graph.add("StringConcat", texts, graph.constant(np.array([f" {END}" if into_words else END], dtype=object)))
    if into_words:
        return graph.add_two("StringSplit", texts, delimiter=" ")[0]
    marks = {"mark": 0, "mincharnum": 1, "pad_value": PADDING, "separators": [""]}
    return graph.add("Tokenizer", texts, domain="com.microsoft", **marks)


def terms(counts):
    """Return the attributes of the operator that counts n-grams: those of each length together, with their columns."""
    shortest, longest = counts.lengths
    places = [*enumerate(counts.terms_)]
    by_length = {n: [(place, term) for place, term in places if len(term) == n] for n in range(1, longest + 1)}
    sizes = [n * len(of_length) for n, of_length in by_length.items()]
    return {
        "mode": "TF",
        "min_gram_length": shortest,
        "max_gram_length": longest,
        "max_skip_count": 0,
        "ngram_counts": [0, *np.cumsum(sizes)[:-1].tolist()],
        "ngram_indexes": [place for of_length in by_length.values() for place, _ in of_length],
        "pool_strings": [part for of_length in by_length.values() for _, term in of_length for part in term],
    }
