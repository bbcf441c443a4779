"""The schema of the configuration, put together with the settings of every method, which lie beside the method.

Standard library and PyYAML only, as the workflow reads this on every job.
"""

from pathlib import Path

import yaml

from stillhouse.errors import UserError, nearest
from stillhouse.methods import PACKAGES, method_folders

SCHEMA = Path(__file__).resolve().parents[3] / "schemas" / "config.schema.yaml"
# Loaders are chosen by a table's location, and have no settings.
KINDS = [kind for kind in PACKAGES if kind != "loaders"]
# What a description may say of a method, beside its sentence and its options.
FACTS = (
    "calibrates",
    "draws",
    "exports",
    "fills",
    "only",
    "reads",
    "required",
    "takes_gaps",
    "uses_cores",
    "whole",
    "why_not_onnx",
)


def load_schema():
    """Return the JSON schema of the configuration; ``$defs/methods`` has the settings of the methods of each kind.

    Raises ``UserError`` for a method of the user's that is not described, or has the name of another.
    """
    schema = yaml.safe_load(SCHEMA.read_text())
    schema["$defs"]["methods"] = {kind: settings_of(kind) for kind in KINDS}
    schema["$defs"]["synthetic"]["properties"]["method"]["enum"] = method_names(schema["$defs"]["methods"]["synthesizers"])
    return schema


def settings_of(kind):
    """Return the settings of the methods of a kind by name, and under ``any`` those that all of them share."""
    own, *users = method_folders(kind)
    described = yaml.safe_load((own / "settings.yaml").read_text())
    check_facts(own / "settings.yaml", described["methods"])
    settings = {"any": described["shared"], **described["methods"]}
    for folder in users:
        settings |= users_settings(folder, settings)
    return settings


def users_settings(folder, known):
    """Return the settings of the user's methods in a folder; raises ``UserError`` where they do not fit the folder."""
    path = folder / "settings.yaml"
    described = (yaml.safe_load(path.read_text()) or {}).get("methods", {}) if path.is_file() else {}
    files = {file.stem for file in folder.glob("[a-z]*.py")}
    if undescribed := sorted(files - set(described)):
        name = undescribed[0]
        raise UserError(
            f"methods: {path} does not describe {name!r}; add `methods: {{{name}: {{description: …, options: …}}}}`"
        )
    if lacking := sorted(set(described) - files):
        raise UserError(
            f"methods: {path} describes {lacking[0]!r}, and {folder} has no {lacking[0]}.py; {nearest(lacking[0], files)}"
        )
    if taken := sorted(files & set(known)):
        raise UserError(f"methods: {folder / taken[0]}.py has the name of a method that is there already; rename it")
    check_facts(path, described)
    return described


def check_facts(path, methods):
    """Raise ``UserError`` for what is no fact about a method, such as the end of a description that holds a comma."""
    for name, described in methods.items():
        if unknown := set(described) - {"description", "options", *FACTS}:
            said = f"methods: {path}: {name} has {min(unknown)!r}, which says nothing about a method"
            raise UserError(f"{said}; quote a description with a comma in it, or take one of {', '.join(FACTS)}")


def method_names(methods):
    """Return the names of the methods of a kind; ``methods`` is what the schema says of the kind."""
    return [name for name in methods if name != "any"]
