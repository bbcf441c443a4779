"""The names of columns that files share; a name is written here and nowhere else."""

import re

ROW = "row"
PART = "part"
LABEL = "label"
TRUE_RATIO = "true_ratio"
FOLD = "fold"
GROUP = "group"
TIME = "time"
BATCH = "batch"
PARENTS = "parents"
STATE = "state"
SPLIT = "split"
WEIGHT = "weight"
STOP = "stop"
PREDICTION = "prediction"
DECISION = "decision"

RESERVED = (ROW, PART, LABEL, TRUE_RATIO, GROUP, TIME, BATCH)

TRAIN, TEST, DEPLOY, LATER, UNLABELLED = "train", "test", "deploy", "batches", "unlabelled"
# A model on its way through later batches: left as it is, trained on, made anew.
STATES = ("frozen", "updated", "retrained")
# The phases of a training's history: the learning-rate range test, by its step, training, by its epoch, what of
# temperature and alpha was chosen, and what the members of a bag say of rows that they did not draw.
PHASE, RANGE_TEST, EPOCHS, CHOICE, BAG = "phase", "range test", "epochs", "choice", "out of bag"
# The columns of a history: of epochs and steps, of what was chosen among, and of a bag.
HISTORY = (
    *("epoch", "loss", "stop_loss", "rate", "kept", PHASE, "network"),
    *("temperature", "alpha"),
    *("score", "rows"),
)
# The parts that folds are made of.
LABELLED = (TRAIN, TEST)
# The parts that need no label.
WITHOUT_LABEL = (DEPLOY, UNLABELLED)

# A prepared feature is named kind, position of its source column, colon, words: "n0:age", "m0:age is missing",
# "c3:job=clerk", "t3:job, mean of yes". The position keeps columns apart whatever characters their names contain.
_FEATURE = re.compile(r"[ntmc]\d+:")


def is_feature(name):
    """Return whether a column of a prepared table is a feature."""
    return bool(_FEATURE.match(name))


def features(table):
    """Return the names of the prepared features of a table: numbers, mean labels, gaps, categories, each in raw order.

    The order is the same whatever other splits a file holds, so that no model depends on them.
    """
    return sorted(filter(is_feature, table.columns), key=lambda name: ("ntmc".index(name[0]), int(source(name)[1:]), name))


def untaught(table):
    """Return the features less mean labels, which differ between training rows and others by how they are cross-fitted."""
    return [name for name in features(table) if not name.startswith("t")]


def source(name):
    """Return the kind and position of the raw column that a prepared feature stems from, such as ``c3``."""
    return name.split(":", 1)[0]


def graph_input(name):
    """Return the name of a shipped graph's input for a column; the prefix keeps it apart from the graph's own names."""
    return f"column:{name}"


def probability(name):
    """Return the name of the column with the probability of a class."""
    return f"p_{name}"
