"""How much a first configuration makes: presets, from a first look to more than the usual, and how large a table is."""

import time
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from stillhouse.config.estimate import Size
from stillhouse.intake import kinds
from stillhouse.intake.pictures import shape_of

MEMBERS = ("linear", "forest", "extra", "boosted", "catboost", "network")


class Preset(NamedTuple):
    """Folds at most, members of the stack, trees, seeds and epochs of the network, a search, and settings of the student.

    ``synthetic`` is how many synthetic rows are drawn for each labelled row at most, for the student to learn from;
    ``picture_epochs`` is how long a network of pictures is trained.
    """

    folds: int = 5
    members: tuple = MEMBERS
    trees: int = 300
    seeds: int = 2
    epochs: int = 200
    searched: str = ""
    student: str = ""
    synthetic: int = 3
    picture_epochs: int = 15


# The most synthetic rows of a table.
MOST_SYNTHETIC_ROWS = 60_000

# From the shortest to the longest. A student chooses its share of the label only from `balanced` on.
PRESETS = {
    "least": Preset(4, ("linear", "boosted"), student=", alpha: 0.3, epochs: 30", synthetic=0, picture_epochs=4),
    "quick": Preset(
        4, ("linear", "forest", "boosted"), trees=200, student=", alpha: 0.3, epochs: 60", synthetic=1, picture_epochs=8
    ),
    "trees": Preset(4, MEMBERS[:-1], trees=200, student=", alpha: 0.3", picture_epochs=10),
    "light": Preset(4, trees=200, seeds=1, epochs=60, student=", alpha: 0.3", picture_epochs=12),
    "balanced": Preset(),
    "best": Preset(
        seeds=4, searched=", search: {rate: [0.02, 0.05, 0.1]}", student=", seeds: 2, refit: all", picture_epochs=30
    ),
}
# The share of the minutes that are asked for which an estimate may fill.
FILLED = 0.8
# The most columns for which a student of so many units a layer is a file of half a megabyte, about; more have the last. The
# encoder of a text takes as much as its components again.
WIDTHS = {128: 38, 64: 65, 32: np.inf}
# The features of a column of texts, and of one of pictures, about.
COMPONENTS, PICTURE_COMPONENTS = 24, 100
# The seconds that `speed` takes on the machine of the estimates.
USUAL_SECONDS = 0.058


def preset_of(name):
    """Return a preset, without the members whose library is not installed."""
    preset = PRESETS[name]
    has_catboost = find_spec("catboost") is not None
    return preset._replace(members=tuple(member for member in preset.members if has_catboost or member != "catboost"))


def for_pictures(preset, size):
    """Return a preset for a table with pictures, which only a network reads whole.

    Where there is nothing but pictures, trees by their components add nothing to what the network says.
    """
    others = [member for member in preset.members if member != "network"]
    members = others if size.numbers + size.categories else ["linear"]
    return preset._replace(folds=4, members=(*members, "pictures"), seeds=max(1, preset.seeds // 2), synthetic=0)


def size_of(rows, columns, classes):
    """Return the size of a table of labelled rows, from its typed columns and the number of classes."""
    counts = dict.fromkeys(("numbers", "categories", "onehots", "components", "characters"), 0)
    shapes = tuple(shape_of(column) for column in columns if column["kind"] == kinds.IMAGE)
    for column in columns:
        values = rows[column["name"]]
        if column["kind"] == kinds.TEXT:
            counts["components"] += COMPONENTS
            counts["characters"] += int(values.str.len().sum())
        elif column["kind"] == kinds.IMAGE:
            counts["components"] += PICTURE_COMPONENTS
        elif column["kind"] == kinds.CATEGORICAL:
            counts["categories"] += 1
            counts["onehots"] += min(50, values.nunique()) + 1
        else:
            counts["numbers"] += 1
            counts["onehots"] += bool(column["missing"])
    return Size(rows=len(rows), classes=max(1, classes), pictures=shapes, **counts)


def student_width(columns):
    """Return how many units a layer of the student has, for so many columns."""
    return next(width for width, most in WIDTHS.items() if columns <= most)


def synthetic_share(size, most):
    """Return how many synthetic rows are drawn for each labelled row: 0 where texts cannot be drawn, or rows are many."""
    return 0 if size.components else min(most, MOST_SYNTHETIC_ROWS // size.rows)


def speed():
    """Return how fast a core of this machine is beside that of the estimates: sorting and exponentials, the best of five."""
    numbers, taken = np.random.default_rng(0).random(1_000_000), []
    for _ in range(5):
        begin = time.perf_counter()
        np.exp(np.sort(numbers))
        taken.append(time.perf_counter() - begin)
    return USUAL_SECONDS / min(taken)
