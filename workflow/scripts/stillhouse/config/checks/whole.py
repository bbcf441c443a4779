"""Checks of texts and pictures that networks read whole: which models can read them. Standard library only."""

from stillhouse.config.completion import ENCODERS, ConfigError
from stillhouse.config.models import method_folder, verb

# What may be done with rows of whole texts or pictures: nothing that compares or mixes features.
RESAMPLERS = ("none", "over", "under", "balanced", "rare")
# The settings of a network that read its features as amounts; pixels can be mixed, and words cannot.
OF_AMOUNTS = {"texts": ("mixup", "curriculum"), "pictures": ("curriculum",)}


def check_whole(config, schema):
    """Raise ``ConfigError`` for a model that cannot read the whole texts or pictures of its preparation, or gets none."""
    methods = schema["$defs"]["methods"]
    for what, kind in ENCODERS.items():
        chosen = {name: imputer[what]["method"] for name, imputer in config["imputers"].items() if what in imputer}
        whole = {name for name, encoder in chosen.items() if methods[kind][encoder].get("whole")}
        for name, model in config["models"].items():
            if "prepare" in model:
                _check_model(config, methods, what, f"models.{name}", model, model["prepare"]["impute"] in whole)
        if config["report"]["prepare"]["impute"] in whole:
            raise ConfigError(
                f"report.prepare.impute: shift is told by numbers, not by whole {what}; choose an imputer with other `{what}`"
            )


def _check_model(config, methods, what, where, model, is_whole):
    method, options = model[verb(model)]["method"], model[verb(model)]
    known = methods[ENCODERS[what]]
    reads = methods[method_folder(model)][method].get("reads") == what
    if reads and not is_whole:
        wanted = next(name for name in known if known[name].get("whole"))
        raise ConfigError(
            f"{where}.prepare.impute: {method} reads whole {what}; choose an imputer with `{what}: {{method: {wanted}}}`"
        )
    if not is_whole:
        return
    if not reads:
        wanted = next(name for name in known if known[name].get("exports") and not known[name].get("whole"))
        raise ConfigError(
            f"{where}.prepare.impute: {method} cannot read whole {what}; choose an imputer with "
            f"`{what}: {{method: {wanted}}}`, or train {' or '.join(readers(methods, what))}"
        )
    for key in OF_AMOUNTS[what]:
        if options.get(key):
            raise ConfigError(f"{where}.{verb(model)}.{key}: cannot be combined with whole {what}; leave it at 0")
    resampler = config["resamplers"][model["prepare"]["resample"]]["method"]
    if resampler not in RESAMPLERS:
        raise ConfigError(
            f"{where}.prepare.resample: {resampler} compares features, which whole {what} are not; choose one of "
            f"{', '.join(RESAMPLERS)}"
        )


def readers(methods, what):
    """Return the networks that read whole texts, or whole pictures."""
    return [name for name, method in methods["architectures"].items() if method.get("reads") == what]
