"""Checks of exported models: which have a form as ONNX, and which can be followed through later batches."""

from stillhouse.config.completion import ENCODERS, ConfigError
from stillhouse.config.models import hint_teacher, method_folder, start, upstream, verb
from stillhouse.config.settings import method_names


def check_followed(name, model):
    """Raise ``ConfigError`` for an exported model that cannot be followed through later batches."""
    where = f"models.{name}.{verb(model)}"
    if method_folder(model) != "architectures":
        raise ConfigError(
            f"export: {name!r} is to be followed through later batches, which only networks are; export a network"
        )
    if model[verb(model)]["boost"]:
        raise ConfigError(f"{where}.boost: boosted networks cannot be trained on with later batches; leave it at 0")
    if start(model):
        raise ConfigError(
            f"{where}.start: later batches make {name!r} anew, and not what it starts with; leave one of them out"
        )
    if hint_teacher(model):
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
    if why := why_not_onnx(model, methods):
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
    for key, kind in ENCODERS.items():
        encoder = config["imputers"][model["prepare"]["impute"]][key]["method"]
        if not methods[kind][encoder].get("exports"):
            exact = ", ".join(name for name in method_names(methods[kind]) if methods[kind][name].get("exports"))
            raise ConfigError(
                f"imputers.{model['prepare']['impute']}.{key}: {encoder} cannot be written as ONNX; choose one of {exact}"
            )


def why_not_onnx(model, methods):
    """Return why a model cannot be written as ONNX, or None if it can be; the schema says it of each method."""
    options = model[verb(model)]
    if options.get("boost"):
        return "votes of boosted models cannot be written as ONNX nodes"
    if options.get("native") or True in options.get("search", {}).get("native", ()):
        return "its sets of categories cannot be written as ONNX nodes yet"
    return methods[method_folder(model)][options["method"]].get("why_not_onnx")
