"""Complete a configuration with its defaults and validate it against the schema; a fault is one line that names the key.

Standard library and jsonschema only, as the workflow reads this on every job.
"""

import copy

from jsonschema import Draft202012Validator

from stillhouse.config.models import method_folder, verb
from stillhouse.config.settings import method_names
from stillhouse.errors import UserError, nearest

# The steps of a preparation, each with the section of the configuration that names its choices.
CHOICES = {"impute": "imputers", "weigh": "weighers", "resample": "resamplers"}
# The settings of an imputer that name encoders, each with the kind of its methods.
ENCODERS = {"texts": "text_encoders", "pictures": "picture_encoders"}
# Keys of earlier versions, with their present names.
RENAMED = {"words": "categorical"}
# The imputer that is made of others.
BY_COLUMN = "columns"


class ConfigError(UserError):
    """A fault in the configuration."""


def complete(config, schema):
    """Return the configuration with every default filled in; raises ``ConfigError`` where it cannot be run."""
    check_keys(config, ())
    config = fill(config, schema, schema)
    validate(config, schema, schema, where=())
    for section in CHOICES.values():
        for name, options in config[section].items():
            config[section][name] = complete_choice(schema, section, options, where=(section, name))
    for name, options in config["imputers"].items():
        if options["method"] == BY_COLUMN:
            config["imputers"][name] = with_imputers(config, schema, options, where=f"imputers.{name}")
    for name, model in config["models"].items():
        complete_model(config, schema, name, model)
    complete_choices(config, schema, config["report"]["prepare"], where="report.prepare")
    complete_choices(config, schema, {"resample": "none"}, where="")
    return with_sorted_keys(config)


def check_keys(value, where):
    """Raise ``ConfigError`` for a key that YAML has read as true or false."""
    for key, item in value.items() if isinstance(value, dict) else ():
        if isinstance(key, bool):
            raise ConfigError(f"{'.'.join((*where, str(key)))}: {_truth_advice(key)}")
        check_keys(item, (*where, str(key)))


def with_sorted_keys(value):
    """Return a value with the keys of all its dictionaries sorted, so that their order in the file reruns no job."""
    if isinstance(value, dict):
        return {key: with_sorted_keys(value[key]) for key in sorted(value, key=str)}
    return value


def fill(value, schema, root):
    """Return a copy of a value with the defaults that its JSON schema states."""
    schema = resolve(schema, root)
    if isinstance(value, str) and schema.get("type") in ("integer", "number"):
        # From the command line, as in --config 'folds={k: 4}', numbers come as text.
        return as_number(value)
    if not isinstance(value, dict):
        return copy.deepcopy(value)
    parts = {key: part for key, part in schema.get("properties", {}).items() if key not in value}
    defaults = {key: resolve(part, root)["default"] for key, part in parts.items() if "default" in resolve(part, root)}
    inner = {**dict.fromkeys(value, schema.get("additionalProperties", {})), **schema.get("properties", {})}
    return {key: fill(item, inner.get(key) or {}, root) for key, item in {**value, **defaults}.items()}


def as_number(text):
    """Return a text as the number that it is written as, or as it is."""
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def resolve(schema, root):
    """Return a schema with its ``$ref`` into the root schema's definitions followed."""
    if not isinstance(schema, dict) or "$ref" not in schema:
        return schema if isinstance(schema, dict) else {}
    target = root
    for key in schema["$ref"].removeprefix("#/").split("/"):
        target = target[key]
    return {**target, **{key: value for key, value in schema.items() if key != "$ref"}}


def validate(value, schema, root, where):
    """Raise ``ConfigError`` with the first fault that a JSON schema finds in a value."""
    whole = {**schema, "$defs": root["$defs"]}
    errors = sorted(Draft202012Validator(whole).iter_errors(value), key=lambda error: [str(key) for key in error.path])
    if errors:
        raise ConfigError(_explain(errors[0], root, where))


def _explain(error, root, where):
    path = ".".join(str(part) for part in (*where, *error.path)) or "the configuration"
    if error.validator == "additionalProperties":
        known = resolve(error.schema, root).get("properties", {})
        unknown = next(key for key in error.instance if key not in known)
        if unknown in RENAMED and RENAMED[unknown] in known:
            return f"{_join(path, unknown)}: is called {RENAMED[unknown]!r} now; rename it"
        return f"{_join(path, unknown)}: no such key; {nearest(unknown, known)}"
    if "propertyNames" in error.absolute_schema_path:
        return f"{_join(path, error.instance)}: names are lower-case letters and digits, a letter first, such as knn50"
    if error.validator == "required":
        missing = next(key for key in error.validator_value if key not in error.instance)
        return f"{_join(path, missing)}: is missing"
    if error.validator == "anyOf" and (alternatives := error.schema["anyOf"][-1].get("enum")):
        first = next(inner for inner in error.context if inner.schema_path[0] == 0)
        return f"{_explain(first, root, (*where, *error.path))}, or write {alternatives[0]}"
    if error.validator in ("oneOf", "anyOf"):
        return f"{path}: {error.schema.get('description', error.message)}"
    if error.validator == "type":
        return f"{path}: {_type_advice(error.instance, error.validator_value)}"
    if error.validator == "minItems":
        return f"{path}: {error.instance} has {len(error.instance)} entries; there must be at least {error.validator_value}"
    return f"{path}: {error.message}"


def _type_advice(value, wanted):
    """Return why a value is not of the wanted type, and how to write one that is."""
    if wanted == "object":
        return f"{value!r} has no keys; write it like {{key: value}}"
    if wanted == "array":
        return f"{value!r} is no list; write [{value}]"
    if wanted == "string" and isinstance(value, bool):
        return _truth_advice(value)
    if wanted == "string" and isinstance(value, (int, float)):
        return f"{value!r} is no text; write it in quotes"
    if wanted == "string":
        return f"{value!r} is no name; write a single word or text"
    if wanted in ("number", "integer") and isinstance(value, str):
        return f"{value!r} is text, not a number; write it without quotes, and 0.001 for 1e-3"
    kind = {"integer": "whole number"}.get(wanted, wanted)
    return f"{value!r} is not of the right type; a {kind} is wanted"


def _truth_advice(value):
    words = "yes, on and true" if value else "no, off and false"
    return f"YAML reads the words {words} as {str(value).lower()}; write the word in quotes"


def _join(path, key):
    return str(key) if path == "the configuration" else f"{path}.{key}"


def complete_options(schema, kind, options, where, shared=None):
    """Return a method's options with defaults; ``shared`` has the schemas of further options that its use adds."""
    methods = schema["$defs"]["methods"][kind]
    where_method = ".".join((*where, "method"))
    if "method" not in options:
        raise ConfigError(f"{where_method}: is missing; there are {', '.join(sorted(method_names(methods)))}")
    if options["method"] not in method_names(methods):
        known = nearest(options["method"], method_names(methods))
        raise ConfigError(f"{where_method}: no method is called {options['method']!r}; {known}")
    properties = {"method": {}, **(shared or {}), **methods["any"], **methods[options["method"]].get("options", {})}
    whole = {"type": "object", "properties": properties, "additionalProperties": False}
    options = fill(options, whole, schema)
    validate(options, whole, schema, where)
    if missing := [key for key in methods[options["method"]].get("required", ()) if key not in options]:
        raise ConfigError(f"{'.'.join((*where, missing[0]))}: is missing")
    return options


def complete_model(config, schema, name, model):
    """Complete a model's options and preparation in place; a choice that is a method's name is added with its defaults."""
    key = verb(model)
    if key == "distill":
        check_student(schema, name, model[key])
    of_kind = method_folder(model)
    model[key] = complete_options(schema, of_kind, model[key], ("models", name, key), shared_options(schema, key, of_kind))
    missing = [field for field in schema["$defs"]["rules"][key].get("required", ()) if field not in model[key]]
    if missing:
        raise ConfigError(f"models.{name}.{key}.{missing[0]}: is missing")
    if key in ("stack", "read"):
        if "prepare" in model:
            why = "its members have" if key == "stack" else "as others have made its predictions"
            raise ConfigError(f"models.{name}.prepare: a model under {key} has no preparation of its own, {why}")
    else:
        model["prepare"] = fill(model.get("prepare", {}), schema["$defs"]["prepare"], schema)
        complete_choices(config, schema, model["prepare"], where=f"models.{name}.prepare")


def shared_options(schema, made_by, of_kind):
    """Return the schemas of the options that a rule, and the kind of method that it runs, add to those of the method."""
    own = schema["$defs"]["rules"][made_by]
    return {**own.get("properties", {}), **own.get(of_kind, {})}


def check_student(schema, name, options):
    """Raise ``ConfigError`` for a student whose method is neither a network nor an estimator."""
    methods = schema["$defs"]["methods"]
    known = [*method_names(methods["architectures"]), *method_names(methods["estimators"])]
    if "method" in options and options["method"] not in known:
        wrong = f"models.{name}.distill.method: no method is called {options['method']!r}"
        raise ConfigError(f"{wrong}; {nearest(options['method'], known)}")


def complete_choices(config, schema, prepare, where):
    """Add to the configuration each choice that a preparation names by its method alone, with its defaults."""
    for step, section in CHOICES.items():
        if step in prepare:
            config[section][prepare[step]] = choice_of(config, schema, section, prepare[step], where=f"{where}.{step}")


def choice_of(config, schema, section, name, where):
    """Return the options of a choice, or the defaults of the method of that name."""
    if name in config[section]:
        return config[section][name]
    known = [*config[section], *method_names(schema["$defs"]["methods"][section])]
    if name not in known:
        raise ConfigError(f"{where}: no choice or method is called {name!r}; {nearest(name, known)}")
    return complete_choice(schema, section, {"method": name}, where=(where,))


def complete_choice(schema, section, options, where):
    """Return the options of a choice with defaults, those of encoders among them."""
    options = complete_options(schema, section, options, where)
    for key, kind in ENCODERS.items():
        if key in options:
            options[key] = complete_options(schema, kind, options[key], (*where, key))
    return options


def with_imputers(config, schema, options, where):
    """Return the options of a column-wise imputer, with each imputer's name replaced by its options."""
    shared = schema["$defs"]["methods"]["imputers"]["any"]

    def imputer(key, name):
        found = choice_of(config, schema, "imputers", name, where=f"{where}.{key}")
        if found["method"] in (BY_COLUMN, "drop", "none"):
            raise ConfigError(f"{where}.{key}: {found['method']} fills no single column; choose another imputer")
        return {option: value for option, value in found.items() if option not in shared}

    each = {column: imputer(f"each.{column}", name) for column, name in options["each"].items()}
    return {**options, "each": each, "rest": imputer("rest", options["rest"])}
