"""Names that files share: columns, parts of a dataset, and the kinds of features."""

import re

ROW = "row"
PART = "part"
LABEL = "label"
TRUE_RATIO = "true_ratio"
FOLD = "fold"
GROUP = "group"
TIME = "time"
BATCH = "batch"
# The number of a set of rows that are copies of each other, of tables whose copies are kept together.
COPY = "copy"
# Whether an imputer leaves a row out of training.
DROPPED = "dropped"
PARENTS = "parents"
STATE = "state"
SPLIT = "split"
WEIGHT = "weight"
STOP = "stop"
PREDICTION = "prediction"
DECISION = "decision"

RESERVED = (
    *(ROW, PART, LABEL, TRUE_RATIO, FOLD, GROUP, TIME, BATCH, COPY, DROPPED, PARENTS, STATE, SPLIT),
    *(WEIGHT, STOP, PREDICTION, DECISION),
)

TRAIN, TEST, DEPLOY, LATER, UNLABELLED = "train", "test", "deploy", "batches", "unlabelled"
# What is done with a shipped model as later batches come: nothing, further training, training from scratch.
STATES = ("frozen", "updated", "retrained")
# What a line of a history is about: a step of the learning-rate range test, an epoch of training, a candidate of temperature
# and alpha, an out-of-bag score, how many models of a boosted one vote, or a trial of settings.
PHASE, RANGE_TEST, EPOCHS, CHOICE, BAG, BOOST = "phase", "range test", "epochs", "choice", "out of bag", "boosting"
SEARCH, SETTINGS = "search", "settings"
# The columns of a history: of epochs and steps, of candidates, of out-of-bag scores, and of trials, whose settings are JSON.
HISTORY = (
    *("epoch", "loss", "stop_loss", "rate", "kept", PHASE, "network"),
    *("temperature", "alpha"),
    *("score", "rows"),
    SETTINGS,
)
# The errors of two classes: shares of the rows that are negative, and of those that are positive.
FALSE_POSITIVES, FALSE_NEGATIVES = "false positive rate", "false negative rate"
# The parts of a dataset whose rows are in folds, and are scored.
LABELLED = (TRAIN, TEST)
# The parts that need no label.
WITHOUT_LABEL = (DEPLOY, UNLABELLED)

# A prepared feature is named by the letter of its kind, the position of its source column, a colon and a text: "n0:age",
# "m0:age is missing", "c3:job=clerk", "t3:job, mean of yes", "e4:note 007", "w4:note 007" (the number of the eighth word). The
# position keeps columns apart whatever their names contain. "p5:scan 3x32x32" is a whole picture, as bytes and not as a number.
# Other modules use these constants and functions, never the letters.
NUMBER, MEAN_LABEL, ENCODED, GAP_INDICATOR, ONE_HOT, TOKEN, PIXELS = KINDS_OF_FEATURES = "ntemcwp"
_FEATURE = re.compile(rf"[{KINDS_OF_FEATURES}]\d+:")
_QUANTILE = re.compile(r"q0\.\d+|q\d(\.\d+)?e-\d+")


def feature_name(kind, column, text):
    """Return the name of a feature of a raw column, such as ``n0:age``; ``kind`` is one of the letters above."""
    return f"{kind}{column['position']}:{text}"


def feature_kind(name):
    """Return the letter of a feature's kind."""
    return name[0]


def feature_text(name):
    """Return the text after the colon of a feature's name, such as ``job=clerk``."""
    return name.split(":", 1)[1]


def is_feature(name):
    """Return whether a column of a prepared table is a feature."""
    return bool(_FEATURE.match(name))


def features(table):
    """Return the names of a table's prepared features: numbers, mean labels, encodings, gaps, categories, tokens, pictures.

    Each kind is in the order of the raw columns, whatever other splits a file holds, so that no model depends on them.
    """
    names = filter(is_feature, table.columns)
    return sorted(names, key=lambda name: (KINDS_OF_FEATURES.index(feature_kind(name)), source_position(name), name))


def label_free_features(table):
    """Return the features by which rows are compared.

    They are those without mean labels, which differ between training and other rows by how they are cross-fitted, without the
    numbers of tokens, which are names and no amounts, and without whole pictures.
    """
    return [name for name in features(table) if feature_kind(name) not in (MEAN_LABEL, TOKEN, PIXELS)]


def one_hot_blocks(names):
    """Return the positions of the one-hot features of each categorical column; a list of lists."""
    return blocks_of(ONE_HOT, names)


def blocks_of(kind, names):
    """Return the positions of the features of a kind for each raw column; a list of lists."""
    blocks = {}
    for position, name in enumerate(names):
        if feature_kind(name) == kind:
            blocks.setdefault(source(name), []).append(position)
    return list(blocks.values())


def divided(names):
    """Return the names of features that are numbers, and of those that are whole pictures."""
    held = [name for name in names if feature_kind(name) == PIXELS]
    return [name for name in names if name not in held], held


def picture_shape(name):
    """Return the channels, the height and the width of the pictures of a feature, which its name ends with."""
    return tuple(map(int, name.rsplit(" ", 1)[1].split("x")))


def source(name):
    """Return a key that the features of one kind and one raw column share, such as ``c3``."""
    return name.split(":", 1)[0]


def source_position(name):
    """Return the position of the raw column that a feature was made from."""
    return int(source(name)[1:])


def graph_input(name):
    """Return the name of a shipped graph's input for a column; the prefix keeps it apart from the graph's own names."""
    return f"column:{name}"


def probability(name):
    """Return the name of the column with the probability of a class."""
    return f"p_{name}"


def quantile(level):
    """Return the name of the column with the predicted quantile of a level, such as ``q0.05``."""
    return f"q{level:g}"


def quantiles(table):
    """Return the names of a table's columns of predicted quantiles, the lowest first."""
    return sorted(filter(_QUANTILE.fullmatch, table.columns), key=lambda name: float(name[1:]))


def is_probability(column):
    """Return whether a column's name is that of the probability of a class."""
    return column.startswith("p_")
