"""What the configuration says of a dataset.

Standard library only, as the workflow reads this on every job.
"""

from pathlib import PurePath
from urllib.parse import urlsplit, urlunsplit

from stillhouse.columns import DEPLOY, LATER, TEST, TRAIN, UNLABELLED

# The names of a dataset's kin: itself with its labels shuffled, and with its folds drawn anew.
CONTROL, REPEAT = "control", "repeat"
# The keys of a dataset under which its tables are named.
PLACES = (TRAIN, TEST, DEPLOY, UNLABELLED, LATER)


def as_list(value):
    """Return a list as it is, and anything else as a list of one."""
    return value if isinstance(value, list) else [value]


def places(dataset):
    """Return where the tables of a dataset lie, as pairs of part and place, in reading order."""
    named = [(part, place) for part in (TRAIN, TEST, DEPLOY, UNLABELLED) for place in as_list(dataset.get(part, []))]
    return [*named, *((LATER, place) for place in batch_files(dataset))]


def is_address(place):
    """Return whether a place is behind an http(s) address."""
    return place.startswith(("http://", "https://"))


def without_password(place):
    """Return a place as messages name it: an address without password and query, which may be a key to it."""
    if not is_address(place):
        return place
    address = urlsplit(place)
    return urlunsplit((address.scheme, address.netloc.rpartition("@")[2], address.path, "", ""))


def shown(place):
    """Return a place as others may see it: as ``without_password``, and a file elsewhere without the folders of its owner."""
    path = PurePath(place)
    is_elsewhere = not is_address(place) and (path.is_absolute() or ".." in path.parts)
    return path.name if is_elsewhere else without_password(place)


def presentable(config):
    """Return a configuration whose tables are named as they may be shown to others."""
    return {
        **config,
        "datasets": {name: _with_shown_places(dataset) for name, dataset in config["datasets"].items()},
        "models": {name: _with_shown_table(model) for name, model in config["models"].items()},
    }


def _with_shown_places(dataset):
    found = {key: dataset[key] for key in PLACES if isinstance(dataset.get(key), (str, list))}
    places_shown = {key: shown(value) if isinstance(value, str) else list(map(shown, value)) for key, value in found.items()}
    return {**dataset, **places_shown, "sha256": {shown(place): digest for place, digest in dataset["sha256"].items()}}


def _with_shown_table(model):
    if "table" not in model.get("read", {}):
        return model
    return {**model, "read": {**model["read"], "table": shown(model["read"]["table"])}}


def batch_files(dataset):
    """Return the files of labelled rows that came later, in order; none where they are cut from the train table."""
    batches = dataset.get("batches", [])
    return [] if isinstance(batches, dict) else batches


def has_deploy(dataset):
    """Return whether a dataset has rows from where the model will be used."""
    return DEPLOY in dataset or "deploy_where" in dataset or DEPLOY in dataset.get("challenge", {})


def repeats_of(name, folds):
    """Return the names of a dataset's repeats, one for each time that its folds are drawn after the first."""
    return [f"{name}/{REPEAT}{number}" for number in range(2, folds["repeats"] + 1)]


def control_of(name):
    """Return the name of a dataset's control."""
    return f"{name}/{CONTROL}"


def origin(name):
    """Return the name of the dataset that a dataset is kin of: of most, its own."""
    return name.split("/")[0]


def is_control(name):
    """Return whether a name is that of a control."""
    return name.endswith(f"/{CONTROL}")
