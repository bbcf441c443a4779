"""What the configuration says of a dataset.

Standard library only, as the workflow reads this on every job.
"""

from stillhouse.columns import DEPLOY, LATER, TEST, TRAIN, UNLABELLED

# The names of a dataset's kin: itself with its labels shuffled, and with its folds drawn anew.
CONTROL, REPEAT = "control", "repeat"


def as_list(value):
    """Return a list as it is, and anything else as a list of one."""
    return value if isinstance(value, list) else [value]


def places(dataset):
    """Return where the tables of a dataset lie, as pairs of part and place, in reading order."""
    named = [(part, place) for part in (TRAIN, TEST, DEPLOY, UNLABELLED) for place in as_list(dataset.get(part, []))]
    return [*named, *((LATER, place) for place in batch_files(dataset))]


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
