"""The door: what a schema cannot say. A configuration that cannot be run is refused before any job starts.

Standard library only, as the workflow reads this on every job.
"""

import bz2
import csv
import gzip
import lzma
from difflib import get_close_matches
from pathlib import Path

from stillhouse.columns import WITHOUT_LABEL
from stillhouse.config.checks.ensembles import check_ensembles
from stillhouse.config.checks.files import check_place, is_remote
from stillhouse.config.checks.networks import check_networks, check_starts
from stillhouse.config.checks.students import check_students
from stillhouse.config.completion import ConfigError, complete, method_names
from stillhouse.config.dataset import as_list, has_deploy, places
from stillhouse.config.plan import hinting, kind, plain_name, plains, start, twin_name, twins, upstream, verb
from stillhouse.errors import nearest


def checked(config, schema):
    """Return the completed configuration; raises ``ConfigError`` where it cannot be run."""
    config = complete(config, schema)
    check_graph(config)
    for name, dataset in config["datasets"].items():
        check_dataset(name, dataset)
    check_uses(config, schema)
    return config


def check_graph(config):
    """Raise ``ConfigError`` for models that learn from unknown models, or from themselves."""
    models = config["models"]
    for name, model in models.items():
        key = "stack.members" if "stack" in model else "distill.teacher"
        for source in upstream(model):
            if source not in models:
                raise ConfigError(f"models.{name}.{key}: no model is called {source!r}; {nearest(source, models)}")
    kept = {twin_name(name): name for name in twins(models)}
    kept |= {plain_name(name): name for name in plains(models, config["resamplers"])}
    if taken := [name for name in kept if name in models]:
        raise ConfigError(f"models.{taken[0]}: this name is kept for what {kept[taken[0]]!r} is compared with; choose another")
    check_starts(models)
    for name in models:
        if loop := _loop(models, [name]):
            raise ConfigError(f"models.{name}: learns from itself: {' → '.join(loop)}")
    deepest = max(models, key=lambda name: _depth(models, name))
    if config["folds"]["k"] < _depth(models, deepest) + 2:
        raise ConfigError(
            f"folds.k: {config['folds']['k']} folds are too few for {deepest}, which learns from models that learn from "
            f"models: each step holds out one fold more; take at least {_depth(models, deepest) + 2}"
        )


def _depth(models, name):
    begins = start(models[name])
    depths = [1 + _depth(models, source) for source in upstream(models[name])]
    return max([*depths, _depth(models, begins) if begins else 0])


def _loop(models, path):
    begins = start(models[path[-1]])
    for source in [*upstream(models[path[-1]]), *([begins] if begins else [])]:
        if source == path[0]:
            return [*path, source]
        if source not in path and (found := _loop(models, [*path, source])):
            return found
    return None


def check_uses(config, schema):
    """Raise ``ConfigError`` for choices that do not go together."""
    for name, model in config["models"].items():
        if "prepare" in model:
            _check_gaps(config, schema, name, model)
            _check_deploy(config, f"models.{name}.prepare.weigh", model["prepare"]["weigh"])
            _check_task(config, f"models.{name}.prepare.resample", model["prepare"]["resample"])
    check_ensembles(config, schema)
    check_networks(config)
    check_students(config)
    asked = config["report"]["control"]
    named = {"reference": as_list(config["report"].get("reference", [])), "control": [] if asked == "auto" else asked}
    for key, names in named.items():
        if unknown := [name for name in names if name not in config["models"]]:
            raise ConfigError(f"report.{key}: no model is called {unknown[0]!r}; {nearest(unknown[0], config['models'])}")
    for name, dataset in config["datasets"].items():
        if "batches" in dataset and not config["export"]:
            raise ConfigError(f"datasets.{name}.batches: exported models are followed through them; name one under `export`")
    has_batches = any("batches" in dataset for dataset in config["datasets"].values())
    for name in config["export"]:
        if name not in config["models"]:
            raise ConfigError(f"export: no model is called {name!r}; {nearest(name, config['models'])}")
        _check_export(config, schema, config["models"], name)
        if has_batches:
            _check_followed(name, config["models"][name])


def _check_followed(name, model):
    where = f"models.{name}.{verb(model)}"
    if kind(model) != "architectures":
        raise ConfigError(
            f"export: {name!r} is to be followed through later batches, which only networks are; export a network"
        )
    if model[verb(model)]["boost"]:
        raise ConfigError(f"{where}.boost: boosted networks cannot be trained on with later batches; leave it at 0")
    if start(model):
        raise ConfigError(
            f"{where}.start: later batches make {name!r} anew, and not what it starts with; leave one of them out"
        )
    if hinting(model):
        raise ConfigError(f"{where}.hints: later batches make {name!r} anew, and not its hints; leave one of them out")
    if "synthetic" in model[verb(model)].get("transfer", ()):
        raise ConfigError(f"{where}.transfer: later batches make {name!r} anew without synthetic rows; leave one of them out")


def _check_gaps(config, schema, name, model):
    methods = schema["$defs"]["methods"]
    filled = methods["imputers"][config["imputers"][model["prepare"]["impute"]]["method"]].get("fills", True)
    if filled:
        return
    method = model[verb(model)]["method"]
    if not methods[kind(model)][method].get("takes_gaps"):
        raise ConfigError(
            f"models.{name}.prepare.impute: {method} cannot learn from gaps; choose an imputer that fills them, such as median"
        )
    resampler = config["resamplers"][model["prepare"]["resample"]]["method"]
    if not methods["resamplers"][resampler].get("takes_gaps"):
        raise ConfigError(
            f"models.{name}.prepare.resample: {resampler} cannot work on gaps; "
            "choose an imputer that fills them, such as median"
        )


def _check_deploy(config, where, choice):
    if config["weighers"][choice]["method"] == "none":
        return
    for name, dataset in config["datasets"].items():
        if not has_deploy(dataset):
            raise ConfigError(f"{where}: {choice} needs deploy rows, and datasets.{name} has none; choose none")


def _check_task(config, where, choice):
    for name, dataset in config["datasets"].items():
        if dataset["task"] == "regression" and config["resamplers"][choice]["method"] != "none":
            raise ConfigError(f"{where}: {choice} balances classes, and datasets.{name} is a regression; choose none")


def can_be_exported(config, schema, models, name):
    """Return whether one of ``models`` has a form as ONNX."""
    try:
        _check_export(config, schema, models, name)
    except ConfigError:
        return False
    return True


def _check_export(config, schema, models, name):
    model, methods = models[name], schema["$defs"]["methods"]
    method = model[verb(model)]["method"]
    if why := stays(model, methods):
        raise ConfigError(f"export: {name!r} ({method}) cannot be written as ONNX: {why}; export another model")
    if "stack" in model:
        for member in upstream(model):
            _check_export(config, schema, models, member)
        return
    imputer = config["imputers"][model["prepare"]["impute"]]["method"]
    if not methods["imputers"][imputer].get("exports"):
        exact = [key for key in method_names(methods["imputers"]) if methods["imputers"][key].get("exports")]
        raise ConfigError(
            f"models.{name}.prepare.impute: {imputer} cannot be written as ONNX exactly, and export asks for {name!r}; "
            f"choose one of {', '.join(exact)}"
        )


def stays(model, methods):
    """Return why a model cannot be written as ONNX, None where its method can be; see ``methods`` in the schema."""
    options = model[verb(model)]
    if options.get("boost"):
        return "boosted models vote one by one, which has no counterpart in the graph"
    if options.get("native"):
        return "its sets of words have no counterpart in the graph yet"
    return methods[kind(model)][options["method"]].get("stays")


def check_dataset(name, dataset):
    """Raise ``ConfigError`` for a table that is missing, or that lacks a column which the dataset names."""
    where = f"datasets.{name}"
    if dataset.get("time") and dataset.get("group"):
        raise ConfigError(f"{where}.group: goes with no `time`, as blocks in time may cut a group; leave one of them out")
    if dataset["target"] in dataset.get("deploy_where", []):
        raise ConfigError(f"{where}.deploy_where: {dataset['target']!r} is the target; name a column such as a site or a year")
    if dataset["target"] in dataset["drop"]:
        raise ConfigError(
            f"{where}.drop: {dataset['target']!r} is the target, which no model sees anyway; leave it out of the list"
        )
    if "test" in dataset and (dataset.get("time") or dataset.get("group")):
        raise ConfigError(f"{where}.test: given test rows go with neither time nor group; leave one of them out")
    if "batches" in dataset and "challenge" in dataset:
        raise ConfigError(
            f"{where}.batches: goes with no `challenge`, which would damage what is to be followed; leave one out"
        )
    if isinstance(dataset.get("batches"), dict) and dataset.get("group"):
        raise ConfigError(f"{where}.batches: a share may cut a group in two; name files of batches, or leave `group` out")
    headers = {}
    for part, place in places(dataset):
        check_place(f"{where}.{part}", place)
        if not is_remote(place):
            headers[part, place] = _check_file(f"{where}.{part}", Path(place), dataset, needs_target=part not in WITHOUT_LABEL)
    _check_same_columns(where, {key: columns for key, columns in headers.items() if columns}, dataset["target"])


def _check_same_columns(where, headers, target):
    if not headers:
        return
    (_, first), wanted = next(iter(headers.items()))
    for (part, place), columns in headers.items():
        for name in wanted:
            if name not in columns and not (part in WITHOUT_LABEL and name == target):
                raise ConfigError(f"{where}.{part}: {place} has no column {name!r}, and {first} has; {nearest(name, columns)}")


def _check_file(where, path, dataset, needs_target):
    if path.is_dir():
        raise ConfigError(f"{where}: {str(path)!r} is a folder; name the file in it")
    if not path.is_file():
        beside = [str(other) for other in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = f"; {nearest(path, beside)}" if get_close_matches(str(path), beside, cutoff=0.5) else ""
        raise ConfigError(f"{where}: there is no file {str(path)!r}{hint}")
    columns = dataset.get("columns") or header(path, dataset)
    if columns is None:
        return None
    if not columns:
        raise ConfigError(f"{where}: {str(path)!r} is empty")
    if len(columns) == 1 and (separators := [mark for mark in ";\t|" if mark in columns[0]]):
        raise ConfigError(f"{where}: {str(path)!r} has one column, {columns[0]!r}; set `separator: {separators[0]!r}`")
    known = [*columns, *([dataset["source"]] if "source" in dataset else [])]
    named = {key: as_list(dataset[key]) for key in ("target", "group", "time") if isinstance(dataset.get(key), str)}
    named |= {key: list(dataset.get(key, [])) for key in ("drop", "kinds", "missing_in", "deploy_where", "slices")}
    for key, names in named.items():
        for name in names:
            if name not in known and (needs_target or name != dataset["target"]):
                where_key = f"{where.rsplit('.', 1)[0]}.{key}"
                raise ConfigError(f"{where_key}: {path} has no column {name!r}; {nearest(name, known)}")
    return columns


def header(path, dataset):
    """Return the column names in the first line of a text table, or None for formats that only intake reads."""
    opener = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(path.suffix, open)
    suffix = path.with_suffix("").suffix if opener is not open else path.suffix
    if suffix in (".parquet", ".feather", ".arrow", ".arff", ".zst"):
        return None
    separator = dataset["separator"] or ("\t" if suffix in (".tsv", ".tab") else ",")
    encoding = "utf-8-sig" if dataset["encoding"] == "utf-8" else dataset["encoding"]
    try:
        with opener(path, "rt", encoding=encoding, newline="") as lines:
            return [name.strip() for name in next(csv.reader(lines, delimiter=separator, skipinitialspace=True), [])]
    except LookupError as error:
        raise ConfigError(f"{path}: there is no encoding {dataset['encoding']!r}; take utf-8 or latin-1, say") from error
    except UnicodeDecodeError as error:
        advice = "save it as UTF-8, or name its encoding under `encoding`"
        raise ConfigError(f"{path}: is not in {dataset['encoding']}; {advice}") from error
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
