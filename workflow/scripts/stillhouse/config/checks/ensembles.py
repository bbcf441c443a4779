"""Checks of ensembles: settings that cannot be combined. Standard library only."""

from stillhouse.config.completion import ConfigError
from stillhouse.config.models import hint_teacher, method_folder, start, verb


def check_ensembles(config, schema):
    """Raise ``ConfigError`` for the first ensemble whose settings cannot be combined."""
    regressions = [name for name, dataset in config["datasets"].items() if dataset["task"] == "regression"]
    for name, model in config["models"].items():
        made_by = verb(model)
        check = faults_of_stack if made_by == "stack" else faults_of_boost
        method = schema["$defs"]["methods"][method_folder(model)][model[made_by]["method"]]
        for key, fault in check(model, method, config["models"], regressions):
            raise ConfigError(f"models.{name}.{made_by}.{key}: {fault}")


def faults_of_stack(model, method, models, regressions):
    """Yield (key, message) for each fault of a stack; ``method`` is the schema's entry of its method."""
    options = model["stack"]
    if method.get("calibrates") and len(options["members"]) > 1:
        yield "members", f"{options['method']} calibrates one model; name one, or stack them by another method"
    if not method.get("calibrates") and len(options["members"]) < 2:
        yield "members", f"{options['method']} combines models; name at least two"
    if method.get("only") == "classes" and regressions:
        yield "method", f"{options['method']} is for classes, and datasets.{regressions[0]} is a regression; choose another"


def faults_of_boost(model, method, models, regressions):
    """Yield (key, message) for each fault of boosting, of native categories, and of starts and hints from boosted networks."""
    options = model[verb(model)]
    for source in (start(model), hint_teacher(model)):
        if source and models[source][verb(models[source])].get("boost"):
            yield (
                ("start" if source == start(model) else "hints"),
                f"{source!r} is boosted, so it is many networks that vote and has no single set of weights; name another",
            )
    if options.get("native") and options["bag"]:
        yield (
            "native",
            "cannot be combined with `bag`, whose members do not know which columns are categories; leave one of them out",
        )
    if not options.get("boost"):
        return
    if regressions:
        yield "boost", f"votes are for classes, and datasets.{regressions[0]} is a regression; leave it at 0, or fit `boosting`"
    if options["bag"]:
        yield "boost", "cannot be combined with `bag`; leave one of them out"
    if verb(model) == "distill" and method_folder(model) == "architectures":
        yield "boost", "networks that learn from a teacher cannot be boosted; leave it at 0"
