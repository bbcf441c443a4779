"""Checks of students and of predictions that are read: settings that cannot be combined. Standard library only."""

from pathlib import Path

from stillhouse.config.checks.locations import check_location
from stillhouse.config.completion import ConfigError
from stillhouse.config.dataset import as_list, has_deploy, is_address, without_password
from stillhouse.config.models import method_folder, table_of, upstream, verb

# What a dataset must have for students to learn from these transfer rows.
ASKED = {"deploy": "deploy rows", "unlabelled": "a table under `unlabelled`", "synthetic": "`synthetic: {method: swap}`"}


def check_students(config):
    """Raise ``ConfigError`` for the first student whose settings cannot be combined, or missing table of predictions."""
    models = config["models"]
    has_synthetic = any("synthetic" in model[verb(model)].get("transfer", ()) for model in models.values())
    for name, model in models.items():
        if "stack" in model and has_synthetic and (source := _read_by(models, upstream(model))):
            where = f"models.{name}.stack.members"
            raise ConfigError(
                f"{where}: a student learns from synthetic rows, which the table of {source!r} does not predict; leave it out"
            )
        if verb(model) == "read":
            _check_table(config, name, model)
        for key, fault in _faults(config, model) if "distill" in model else ():
            raise ConfigError(f"models.{name}.distill.{key}: {fault}")


def _check_table(config, name, model):
    where = f"models.{name}.read.table"
    for dataset in config["datasets"]:
        location = table_of(model, dataset)
        check_location(where, location)
        if is_address(location):
            raise ConfigError(f"{where}: predictions are read from files; fetch {without_password(location)} first")
        if not Path(location).is_file():
            raise ConfigError(f"{where}: there is no file {location!r}; write the predictions there")


def _faults(config, model):
    options, models = model["distill"], config["models"]
    for part in options["transfer"]:
        for name, dataset in config["datasets"].items():
            if not _has(dataset, part):
                yield "transfer", f"{part} rows are asked for, and datasets.{name} has none; it needs {ASKED[part]}"
    if "synthetic" in options["transfer"] and (source := _read_by(models, as_list(options["teacher"]))):
        yield "transfer", f"the table of {source!r} has no predictions of synthetic rows; leave `synthetic` out"
    if options.get("hints"):
        yield from _faults_of_hints(options, models)


def _faults_of_hints(options, models):
    teachers = as_list(options["teacher"])
    if len(teachers) > 1 or method_folder(models[teachers[0]]) != "architectures":
        yield (
            "hints",
            "hints come from one network's last hidden layer; name one teacher that is a network, or leave `hints` at 0",
        )
    for key in ("mixup", "start"):
        if options.get(key):
            yield key, "cannot be combined with `hints`; leave one of them out"


def _has(dataset, part):
    return has_deploy(dataset) if part == "deploy" else part in dataset


def _read_by(models, names):
    """Return the first of these models, or of those upstream, whose predictions are read from a table, or None."""
    known = list(names)
    for name in known:
        if verb(models[name]) == "read":
            return name
        known += [source for source in upstream(models[name]) if source not in known]
    return None
