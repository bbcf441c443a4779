"""Checks of networks: settings that cannot be combined. Standard library only."""

from stillhouse.config.completion import ConfigError
from stillhouse.config.models import method_folder, start, verb
from stillhouse.errors import nearest

# The settings that two networks must share for one to be warm-started with the other's weights.
ARCHITECTURE = (
    "quantiles",
    *("method", "width", "depth", "norm", "factor", "attention_heads", "activation", "heads"),
    *("numbers", "bins", "frequencies", "categorical", "embedding", "word_width", "kernels", "channels"),
    *("units", "cell", "both_ways", "taken", "layers", "places"),
    *("kernel", "pooling", "grid", "blocks"),
)


def check_quantiles(config):
    """Raise ``ConfigError`` for quantiles that cannot be learned."""
    of_classes = [name for name, dataset in config["datasets"].items() if dataset["task"] in ("binary", "multiclass")]
    for name, model in config["models"].items():
        options = model[verb(model)]
        if not options.get("quantiles"):
            continue
        where = f"models.{name}.{verb(model)}.quantiles"
        if options["quantiles"] != sorted(options["quantiles"]):
            raise ConfigError(f"{where}: give the levels in rising order, as {sorted(options['quantiles'])}")
        if of_classes:
            raise ConfigError(f"{where}: quantiles are of values, and datasets.{of_classes[0]} has classes; leave it out")
        if method_folder(model) == "estimators" and (verb(model) == "distill" or options["bag"]):
            which = "a student" if verb(model) == "distill" else "`bag`"
            raise ConfigError(
                f"{where}: {options['method']} learns quantiles from labels alone, and not as {which}; leave it out"
            )
        if options.get("mixup"):
            raise ConfigError(f"{where}: mixed labels vary less than labels do; leave `mixup` at 0")
        if options.get("transfer"):
            raise ConfigError(
                f"{where}: rows of `transfer` have no labels, from which quantiles are learned; leave one of them out"
            )


def check_networks(config):
    """Raise ``ConfigError`` for the first network whose settings cannot be combined."""
    is_regression = any(dataset["task"] == "regression" for dataset in config["datasets"].values())
    for name, model in config["models"].items():
        if method_folder(model) == "architectures":
            for key, fault in faults(model[verb(model)], is_regression):
                raise ConfigError(f"models.{name}.{verb(model)}.{key}: {fault}")


def faults(options, is_regression):
    """Yield (key, message) for each fault of a network's settings."""
    dropout, depth, cycles = options["dropout"], options["depth"], options["cycles"]
    if isinstance(dropout, list) and len(dropout) != depth:
        yield "dropout", f"{len(dropout)} rates for {depth} layers; give one number, or one for each layer"
    shared = "word_width" if "word_width" in options else "embedding"
    if options[shared] % options.get("attention_heads", 1):
        yield shared, f"{options[shared]} numbers cannot be shared by {options['attention_heads']} attention heads"
    for key in ("warmup", "curriculum"):
        if options[key] and options[key] >= options["epochs"]:
            yield key, f"{options[key]} of {options['epochs']} epochs leave none to train with; lower it, or raise `epochs`"
    if options["schedule"] == "cyclic" and (options["epochs"] - options["warmup"]) % cycles:
        yield "cycles", f"{cycles} cycles do not divide {options['epochs']} epochs less the warm-up; choose a divisor"
    if options["schedule"] == "cyclic" and options["snapshots"] > cycles:
        yield "snapshots", f"{options['snapshots']} networks from {cycles} cycles; take at most one a cycle"
    if options["devices"] > 1 and options.get("norm") == "batch":
        yield "devices", "batch norm would see a part of each batch; choose another `norm`, or one device"
    if options["devices"] > 1 and options["mixup"]:
        yield "devices", "mixup would mix within a part of each batch; leave it at 0, or take one device"
    if not any(options["rates"].values()):
        yield "rates", "every part is frozen; leave one above 0"
    if options["only_norms"] and options.get("norm") == "none" and not options["rates"]["head"]:
        yield "only_norms", "there is no norm, and the head is frozen; choose a `norm`, or leave the head to be trained"
    if options["new_head"] and not options.get("start"):
        yield "new_head", "there is no `start` whose head could be replaced; name one, or leave it out"
    if is_regression and options["loss"] in ("cross_entropy", "focal"):
        yield "loss", f"{options['loss']} is for classes, and there is a regression; take mse, mae or huber"
    if is_regression and options["smoothing"]:
        yield "smoothing", "spreads a label over classes, and there is a regression; leave it at 0"


def check_starts(models):
    """Raise ``ConfigError`` for a ``start`` that names no model, or one of another architecture or preparation."""
    for name, model in models.items():
        if source := start(model):
            where = f"models.{name}.{verb(model)}.start"
            if source not in models:
                raise ConfigError(f"{where}: no model is called {source!r}; {nearest(source, models)}")
            _check_start(where, model, models[source], source)


def _check_start(where, model, other, source):
    if method_folder(other) != "architectures":
        raise ConfigError(f"{where}: {source!r} is not a network; name one that is trained or distilled")
    if model["prepare"] != other["prepare"]:
        raise ConfigError(f"{where}: {source!r} has a different `prepare`, so its features differ; give both the same")
    ours, theirs = model[verb(model)], other[verb(other)]
    for key in ARCHITECTURE:
        if ours.get(key) != theirs.get(key):
            raise ConfigError(
                f"{where}: {source!r} has {key} {theirs.get(key)}, this model {ours.get(key)}; give both the same"
            )
