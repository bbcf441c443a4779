"""Checks of settings that are searched: each is one of the method's, and each value is one that it may have.

Standard library only.
"""

from stillhouse.config.completion import ConfigError, complete_options, shared_options
from stillhouse.config.models import method_folder, verb
from stillhouse.errors import nearest


def check_searches(config, schema):
    """Raise ``ConfigError`` for the first setting or value that cannot be searched."""
    for name, model in config["models"].items():
        if model[verb(model)].get("search"):
            _check_search(schema, name, model)


def _check_search(schema, name, model):
    made_by, of_kind = verb(model), method_folder(model)
    options, where = model[made_by], ("models", name, made_by, "search")
    own = schema["$defs"]["methods"][of_kind][options["method"]].get("options", {})
    if options["boost"]:
        raise ConfigError(f"{'.'.join(where)}: cannot be combined with `boost`, whose rounds would each search; leave one out")
    for key, values in options["search"].items():
        if key not in own:
            raise ConfigError(f"{'.'.join(where)}.{key}: {options['method']} has no such setting; {nearest(key, own)}")
        if key == "quantiles":
            raise ConfigError(
                f"{'.'.join(where)}.{key}: levels say what is asked for, and none is better than others; leave it out"
            )
        for value in values:
            complete_options(schema, of_kind, {**options, key: value}, where, shared_options(schema, made_by, of_kind))
