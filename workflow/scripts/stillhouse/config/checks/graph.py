"""Checks of what learns from what."""

from stillhouse.config.checks.networks import check_starts
from stillhouse.config.completion import ConfigError
from stillhouse.config.models import plain_name, plains, start, twin_name, twins, upstream
from stillhouse.errors import nearest


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
