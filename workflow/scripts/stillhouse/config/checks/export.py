"""Checks of exported models: which have a form as ONNX, and which can be followed through later batches."""

from stillhouse.config.completion import ConfigError, method_names
from stillhouse.config.models import hinting, kind, start, upstream, verb


def check_followed(name, model):
    """Raise ``ConfigError`` for an exported model that cannot be followed through later batches."""
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


def can_be_exported(config, schema, models, name):
    """Return whether one of ``models`` has a form as ONNX."""
    try:
        check_export(config, schema, models, name)
    except ConfigError:
        return False
    return True


def check_export(config, schema, models, name):
    """Raise ``ConfigError`` for a model that has no form as ONNX."""
    model, methods = models[name], schema["$defs"]["methods"]
    method = model[verb(model)]["method"]
    if why := stays(model, methods):
        raise ConfigError(f"export: {name!r} ({method}) cannot be written as ONNX: {why}; export another model")
    if "stack" in model:
        for member in upstream(model):
            check_export(config, schema, models, member)
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
