"""Settings of students that do not go together, refused before any job starts; standard library only, as ``checks.py``."""

from pathlib import Path

from stillhouse.config.checks.files import check_place
from stillhouse.config.completion import ConfigError
from stillhouse.config.dataset import as_list, has_deploy, is_address, without_password
from stillhouse.config.models import kind, table_of, upstream, verb

# What a dataset must have for students to learn from rows of a part, and how it is written.
ASKED = {"deploy": "deploy rows", "unlabelled": "a table under `unlabelled`", "synthetic": "`synthetic: {method: swap}`"}


def check_students(config):
    """Raise ``ConfigError`` for the first student that cannot be taught as it is said to be, or table that is not there."""
    models = config["models"]
    has_synthetic = any("synthetic" in model[verb(model)].get("transfer", ()) for model in models.values())
    for name, model in models.items():
        if "stack" in model and has_synthetic and (source := _read_by(models, upstream(model))):
            where = f"models.{name}.stack.members"
            raise ConfigError(
                f"{where}: a student learns from synthetic rows, which the table of {source!r} has not; leave it out"
            )
        if verb(model) == "read":
            _check_table(config, name, model)
        for key, fault in _faults(config, model) if "distill" in model else ():
            raise ConfigError(f"models.{name}.distill.{key}: {fault}")


def _check_table(config, name, model):
    where = f"models.{name}.read.table"
    for dataset in config["datasets"]:
        place = table_of(model, dataset)
        check_place(where, place)
        if is_address(place):
            raise ConfigError(f"{where}: predictions are read from files; fetch {without_password(place)} first")
        if not Path(place).is_file():
            raise ConfigError(f"{where}: there is no file {place!r}; write the predictions there")


def _faults(config, model):
    options, models = model["distill"], config["models"]
    for part in options["transfer"]:
        for name, dataset in config["datasets"].items():
            if not _has(dataset, part):
                yield "transfer", f"{part} rows are asked for, and datasets.{name} has none; it needs {ASKED[part]}"
    if "synthetic" in options["transfer"] and (source := _read_by(models, as_list(options["teacher"]))):
        yield "transfer", f"nobody has predicted synthetic rows in the table of {source!r}; leave `synthetic` out"
    if options.get("hints"):
        yield from _faults_of_hints(options, models)


def _faults_of_hints(options, models):
    teachers = as_list(options["teacher"])
    if len(teachers) > 1 or kind(models[teachers[0]]) != "architectures":
        yield "hints", "they are of one network's last hidden layer; name one teacher that is a network, or leave them at 0"
    for key in ("mixup", "start"):
        if options.get(key):
            yield key, "goes with no `hints`; leave one of them out"


def _has(dataset, part):
    return has_deploy(dataset) if part == "deploy" else part in dataset


def _read_by(models, names):
    """Return the first model among some, and all that they learn from, whose predictions somebody else made; or None."""
    found = list(names)
    for name in found:
        if verb(models[name]) == "read":
            return name
        found += [source for source in upstream(models[name]) if source not in found]
    return None
