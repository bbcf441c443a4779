"""How long a run takes, estimated from its configuration and the size of its table before anything runs.

The constants are seconds of one core of the machine that ``docs/benchmarks.md`` names, found by ``benchmarks/presets.py``. They
are rough: early stopping ends when it ends. Standard library only, as all of this package.
"""

from math import log2, prod
from typing import NamedTuple

from stillhouse.config.models import AUTO, method_folder, verb

# What any job takes, which is mostly its imports, and a job with networks; the parts of a run that no other job runs beside.
JOB, JOB_OF_NETWORKS, ALONE = 1.2, 5.0, 14.0
# The share of rows that are fitted on before stop rows join them, and the epochs after which most networks have stopped.
FIRST_SHARE, USUAL_EPOCHS, USUAL_EPOCHS_OF_STUDENTS = 0.85, 45, 110
# The candidates of a student that chooses its share of the label, or its temperature, by its stop rows.
ALPHAS, ALPHAS_OF_MANY_ROWS, TEMPERATURES = 4, 2, 3


class Size(NamedTuple):
    """What time depends on: labelled rows, features by kind, characters of texts, and classes (1 for a regression).

    ``onehots`` are the features of ``categories`` columns, and indicators of gaps. ``pictures`` has the shape of the pictures
    of each column: channels, height, width.
    """

    rows: int
    numbers: int
    categories: int
    onehots: int
    components: int
    characters: int
    classes: int
    pictures: tuple = ()

    @property
    def pixels(self):
        """The numbers in the pictures of a row."""
        return sum(map(prod, self.pictures))

    @property
    def features(self):
        """The number of all features."""
        return self.numbers + self.onehots + self.components


def seconds(plan, dataset, size):
    """Return the seconds of a core that the jobs of a dataset take, as ``{model or step: seconds}``."""
    splits = len(plan.prepared_splits(dataset))
    cells = size.rows * size.features
    pixels = size.rows * size.pixels
    preparation = 7 * JOB + splits * (0.05 + 4e-7 * cells + 2.5e-7 * size.characters + 2e-8 * pixels) + 1e-7 * pixels
    evaluation = sum(1.0 + 3.5e-8 * size.rows * plan.config["report"]["draws"] for _ in plan.models)
    rest = 12 * JOB + 1.5 * len(plan.models) + 2e-5 * size.rows
    parts = {name: of_model(plan, dataset, name, size) for name in plan.models}
    return {"preparation": preparation, **parts, "evaluation": evaluation, "the rest": rest}


def minutes(parts, cores, speed=1.0):
    """Return the minutes that a run takes on cores that are ``speed`` times as fast as those of the constants."""
    return (sum(parts.values()) / cores + ALONE) / speed / 60


def of_model(plan, dataset, name, size):
    """Return the seconds of a core that the job of a model takes."""
    model, folds = plan.models[name], plan.folds[dataset]
    options = model[verb(model)]
    if method_folder(model) not in ("estimators", "architectures"):
        return 2 * JOB
    fits = [size.rows * len(folds.trained(split)) / folds.count for split in plan.model_splits(dataset, name)]
    if "synthetic" in options.get("transfer", ()):
        fits = [(1 + plan.datasets[dataset]["synthetic"]["share"]) * rows for rows in fits]
    if method_folder(model) == "architectures":
        return JOB_OF_NETWORKS + of_networks(options, fits, size)
    if options["refit"] == "all":
        fits = [share * rows for rows in fits for share in (FIRST_SHARE, 1)]
    times = (1 + trials(options)) * max(1, options["bag"]) * max(1, options["boost"]) * candidates(options, max(fits))
    return 2 * JOB + times * BY_METHOD.get(options["method"], of_linear)(options, fits, size)


def trials(options):
    """Return how many settings a search tries."""
    return min(options["trials"], prod(map(len, options["search"].values()))) if options["search"] else 0


def candidates(options, rows):
    """Return how many models of a student of so many rows are fitted to choose between."""
    alphas = 1
    if options.get("alpha") == AUTO:
        alphas = ALPHAS if rows <= options["auto_rows"] else ALPHAS_OF_MANY_ROWS
    return alphas * (TEMPERATURES if options.get("temperature") == AUTO else 1)


def of_networks(options, fits, size):
    """Return the seconds that networks take: their parameters times rows, times epochs."""
    width, embedding, depth = options.get("width", 128), options["embedding"], options["depth"]
    bins = options["bins"] if options["numbers"] == "piecewise" else 1
    numbers = size.numbers + size.components
    parameters = embedding * (numbers * bins + (numbers + size.categories) * width) + depth * width**2
    if "word_width" in options:
        # A text is read at each of some sixty words.
        parameters += 60 * of_word(options)
    usual = USUAL_EPOCHS_OF_STUDENTS if "teacher" in options else USUAL_EPOCHS
    networks = options["seeds"] * max(1, options["boost"]) * candidates(options, max(fits))
    if "augment" in options:
        usual = options["epochs"]
    a_row = 1.2e-5 + 3e-10 * parameters + of_pictures(options, size)
    return networks * min(options["epochs"], usual) * sum(fits) * a_row


def of_word(options):
    """Return the products that a network makes at each word of a text."""
    width = options["word_width"]
    if "cell" in options:
        return (1 + options["both_ways"]) * 3 * options["units"] * (width + options["units"])
    if "layers" in options:
        return options["layers"] * (4 + 2 * options["factor"]) * width**2
    return width * options.get("channels", 1) * sum(options.get("kernels", [1]))


def of_pictures(options, size):
    """Return the seconds that the convolutions of a network take for the pictures of a row: by their pixels and products."""
    if "augment" not in options:
        return 0
    products, blocks = 0, options.get("blocks", 0)
    for before, height, width in size.pictures:
        for channels in options["channels"]:
            # A residual block has two convolutions, a plain stage has one.
            pairs = before * channels + max(0, 2 * blocks - 1) * channels**2
            products += height * width * options["kernel"] ** 2 * pairs
            before, height, width = channels, max(1, height // 2), max(1, width // 2)
    return 1.6e-7 * size.pixels + 1.45e-10 * products


def of_linear(options, fits, size):
    """Return the seconds that linear models take, and methods of which nothing is known."""
    return sum(3e-7 * rows * size.features * size.classes for rows in fits)


def of_forest(options, fits, size):
    """Return the seconds of a forest, which searches each of its columns for the best split."""
    columns = tried(size) * (size.numbers + size.components + 0.05 * size.onehots) / max(1, size.features)
    return sum(options["trees"] * (1.5e-3 + 7.2e-8 * columns * rows * log2(rows + 2)) for rows in fits)


def of_extra_trees(options, fits, size):
    """Return the seconds of extra trees, which take a threshold by chance."""
    return sum(options["trees"] * (1.3e-3 + 2.4e-8 * tried(size) * rows * log2(rows + 2)) for rows in fits)


def tried(size):
    """Return among how many features a tree chooses."""
    return size.features**0.5 if size.classes > 1 else size.features / 2


def of_boosting(options, fits, size):
    """Return the seconds of boosted trees, that stop early."""
    times = 1 + len(options["quantiles"])
    return times * sum(0.03 + 3.5e-5 * rows * (0.7 + size.features / 100) * trees_a_round(size) for rows in fits)


def of_catboost(options, fits, size):
    """Return the seconds of CatBoost's trees, that stop early."""
    return sum(0.1 + 2.2e-4 * rows * (0.7 + size.features / 100) * trees_a_round(size) for rows in fits)


def trees_a_round(size):
    """Return how many trees a round of boosting has."""
    return size.classes if size.classes > 2 else 1


def of_nearest(options, fits, size):
    """Return the seconds of searching the nearest rows, for all rows that a split holds out."""
    return sum(2e-9 * size.rows * min(rows, options["rows"]) * size.features / len(fits) for rows in fits)


BY_METHOD = {
    "forest": of_forest,
    "extratrees": of_extra_trees,
    "boosting": of_boosting,
    "catboost": of_catboost,
    "knn": of_nearest,
}
