"""Checks of texts that are read word by word: which models can read them. Standard library only."""

from stillhouse.config.completion import ConfigError
from stillhouse.config.models import method_folder, verb

# What may be done with rows whose texts are words in their order: nothing that compares or mixes features.
RESAMPLERS = ("none", "over", "under", "balanced", "rare")


def check_texts(config, schema):
    """Raise ``ConfigError`` for a model that cannot read the words of its preparation, or reads words and gets none."""
    methods = schema["$defs"]["methods"]
    encoders = {name: imputer["texts"]["method"] for name, imputer in config["imputers"].items() if "texts" in imputer}
    of_words = {name for name, encoder in encoders.items() if methods["encoders"][encoder].get("tokens")}
    for name, model in config["models"].items():
        if "prepare" not in model:
            continue
        prepare, method = model["prepare"], model[verb(model)]["method"]
        reads, where = methods[method_folder(model)][method].get("takes_tokens"), f"models.{name}.prepare"
        if reads and prepare["impute"] not in of_words:
            raise ConfigError(
                f"{where}.impute: {method} reads texts word by word; choose an imputer with `texts: {{method: tokens}}`"
            )
        if prepare["impute"] not in of_words:
            continue
        if not reads:
            raise ConfigError(
                f"{where}.impute: {method} cannot read texts word by word; choose an imputer with `texts: {{method: ngrams}}`, "
                f"or train {' or '.join(readers(methods))}"
            )
        for key in ("mixup", "curriculum"):
            if model[verb(model)].get(key):
                raise ConfigError(f"models.{name}.{verb(model)}.{key}: words are names and no amounts; leave it at 0")
        resampler = config["resamplers"][prepare["resample"]]["method"]
        if resampler not in RESAMPLERS:
            raise ConfigError(
                f"{where}.resample: {resampler} compares features, which words are not; choose one of {', '.join(RESAMPLERS)}"
            )
    if config["report"]["prepare"]["impute"] in of_words:
        raise ConfigError(
            "report.prepare.impute: shift is told by numbers, and not by words; choose an imputer with other texts"
        )


def readers(methods):
    """Return the networks that read texts word by word."""
    return [name for name, method in methods["architectures"].items() if method.get("takes_tokens")]
