"""What the configuration says of a dataset.

Standard library only, as the workflow reads this on every job.
"""

import re
from pathlib import Path, PurePath
from urllib.parse import unquote, urlsplit, urlunsplit

from stillhouse.columns import DEPLOY, LATER, TEST, TRAIN, UNLABELLED

# A dataset's variants: with its labels shuffled (control), its folds drawn anew (repeat), one in so many rows (share), and the
# values for its gaps drawn anew (imputation).
CONTROL, REPEAT, SHARE, IMPUTATION = "control", "repeat", "share", "imputation"
# What Hive and its kin write in place of a missing value in the name of a partition.
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
# What stands before the path of a folder with a file for each row.
FOLDER = "folder:"
# The seconds of what durations are stated in.
SECONDS = {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
# The keys of a dataset that say where its tables lie.
TABLE_KEYS = (TRAIN, TEST, DEPLOY, UNLABELLED, LATER)


def as_list(value):
    """Return a list as it is, and anything else as a list of one."""
    return value if isinstance(value, list) else [value]


def locations(dataset):
    """Return where the tables of a dataset lie, as pairs (part, location), in the order of reading; a folder is its files."""
    named = [
        (part, file)
        for part in (TRAIN, TEST, DEPLOY, UNLABELLED)
        for location in as_list(dataset.get(part, []))
        for file in files_at(location)
    ]
    return [*named, *((LATER, location) for location in batch_files(dataset))]


def files_at(location):
    """Return the files of a folder in the order of their paths; any other location by itself.

    Folders named ``column=value`` within it are partitions, whose files count too; hidden files, and those with an underscore
    before their name, as engines write beside partitions, do not.
    """
    if is_remote(location) or not Path(location).is_dir():
        return [location]
    folder = Path(location)
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() and not is_left_out(file))
    return [str(file) for file in files if all("=" in part for part in file.relative_to(folder).parts[:-1])]


def is_left_out(path):
    """Return whether a file or folder is no part of the folder of tables that it lies in: hidden, or an engine's own."""
    return path.name.startswith((".", "_"))


def partition_of(location, dataset):
    """Return the columns that the path of a file in a partitioned folder of a dataset states; a gap is None."""
    stated = (Path(folder) for part in TABLE_KEYS for folder in _paths(dataset.get(part, [])))
    within = (Path(location).relative_to(folder).parts[:-1] for folder in stated if folder in Path(location).parents)
    parts = next((parts for parts in within if parts and all("=" in part for part in parts)), ())
    pairs = (part.partition("=")[::2] for part in parts)
    return {unquote(column): None if value == NO_VALUE else unquote(value) for column, value in pairs}


def _paths(stated):
    return [location for location in as_list(stated) if isinstance(location, str) and not is_remote(location)]


def embargo_of(dataset):
    """Return the embargo of a dataset in the unit of its times, seconds for dates; 0 without one, None for no duration."""
    stated = dataset.get("embargo", 0)
    if not isinstance(stated, str):
        return float(stated)
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(week|day|hour|minute|second)s?", stated.strip())
    return float(found[1]) * SECONDS[found[2]] if found and float(found[1]) else None


def is_address(location):
    """Return whether a location is an http(s) address."""
    return location.startswith(("http://", "https://"))


def is_remote(location):
    """Return whether a table is fetched from an address or a library, and is no file here."""
    return is_address(location) or location.startswith(("sklearn:", "openml:"))


def without_password(location):
    """Return a location for messages: an address loses its password and its query, which may hold a key."""
    if not is_address(location):
        return location
    address = urlsplit(location)
    return urlunsplit((address.scheme, address.netloc.rpartition("@")[2], address.path, "", ""))


def shown(location):
    """Return a location for readers of the report: no password, and of a file elsewhere its name alone."""
    if location.startswith(FOLDER):
        return FOLDER + shown(location.removeprefix(FOLDER))
    path = PurePath(location)
    is_elsewhere = not is_address(location) and (path.is_absolute() or ".." in path.parts)
    return path.name if is_elsewhere else without_password(location)


def presentable(config):
    """Return the configuration as the report may show it: see ``shown``."""
    return {
        **config,
        "datasets": {name: _with_shown_locations(dataset) for name, dataset in config["datasets"].items()},
        "models": {name: _with_shown_table(model) for name, model in config["models"].items()},
    }


def _with_shown_locations(dataset):
    stated = {key: dataset[key] for key in TABLE_KEYS if isinstance(dataset.get(key), (str, list))}
    tables = {key: shown(value) if isinstance(value, str) else list(map(shown, value)) for key, value in stated.items()}
    return {**dataset, **tables, "sha256": {shown(location): digest for location, digest in dataset["sha256"].items()}}


def _with_shown_table(model):
    if "table" not in model.get("read", {}):
        return model
    return {**model, "read": {**model["read"], "table": shown(model["read"]["table"])}}


def batch_files(dataset):
    """Return the files with later labelled rows, in order; none where batches are cut from the train table."""
    batches = dataset.get("batches", [])
    return [] if isinstance(batches, dict) else batches


def has_deploy(dataset):
    """Return whether a dataset has deploy rows: rows like those that the model will predict in use."""
    return DEPLOY in dataset or "deploy_where" in dataset or DEPLOY in dataset.get("challenge", {})


def repeats_of(name, folds):
    """Return the names of a dataset's repeats: one for every further time that its folds are drawn."""
    return [f"{name}/{REPEAT}{number}" for number in range(2, folds["repeats"] + 1)]


def shares_of(name, report):
    """Return the names of a dataset's shares, the largest first: one in 2 of its rows, one in 4, one in 8 …"""
    return [f"{name}/{SHARE}{2**halving}" for halving in range(1, report["halvings"] + 1)]


def share(name):
    """Return of how many rows a dataset has one: 1 but for shares."""
    return int(variant(name).removeprefix(SHARE)) if variant(name).startswith(SHARE) else 1


def imputations_of(name, report):
    """Return the names of a dataset's imputations: one for every further time that values for its gaps are drawn."""
    return [f"{name}/{IMPUTATION}{number}" for number in range(2, report["imputations"] + 1)]


def imputation(name):
    """Return the number of the time that values for a dataset's gaps are drawn: 1 but for imputations."""
    return int(_variant(name).removeprefix(IMPUTATION)) if _variant(name).startswith(IMPUTATION) else 1


def control_of(name):
    """Return the name of a dataset's control, whose labels are shuffled."""
    return f"{name}/{CONTROL}"


def origin(name):
    """Return the name of the configured dataset that this one is a variant of; its own name if it is none."""
    return name.split("/")[0]


def variant(name):
    """Return what tells a variant of a dataset from the others; empty for the configured dataset itself and its imputations.

    Seeds are derived from it and not from the dataset's name, so that a renamed dataset keeps its numbers, and that
    imputations differ in the values drawn for gaps alone.
    """
    return "" if imputation(name) > 1 else _variant(name)


def _variant(name):
    return name.partition("/")[2]


def is_control(name):
    """Return whether a name is that of a control."""
    return name.endswith(f"/{CONTROL}")
