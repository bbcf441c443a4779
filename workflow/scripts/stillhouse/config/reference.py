"""The tables of `config/README.md`, generated from the schema and the settings beside the methods.

``python -m stillhouse.config.reference config/README.md`` writes the tables between the marks that name them. With ``--check``
it writes nothing, and ends with an error where a table is old.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from stillhouse.config.completion import resolve
from stillhouse.config.settings import load_schema

MARKS = re.compile(r"(<!-- table: (.+?) -->\n).*?(<!-- end -->)", flags=re.DOTALL)


def with_tables(text, schema):
    """Return a text with the table between each pair of marks replaced by the generated one."""
    return MARKS.sub(lambda marks: f"{marks[1]}{generated_table(marks[2], schema)}{marks[3]}", text)


def generated_table(name, schema):
    """Return a table: ``methods <kind>``, ``shared <kind>``, or ``settings <path>``, the latter of a path below ``$defs``."""
    what, path = name.split(" ", 1)
    if what == "methods":
        return methods_table(schema["$defs"]["methods"][path], schema)
    if what == "shared":
        return settings_table(schema["$defs"]["methods"][path]["any"], schema)
    part = schema["$defs"]
    for key in path.split("/"):
        part = part[key]
    return settings_table(part.get("properties", part), schema, required=part.get("required", ()))


def settings_table(settings, schema, required=()):
    """Return a table with the description and the default of each setting."""
    lines = [(f"`{name}`", *described(part, schema, is_required=name in required)) for name, part in settings.items()]
    return as_markdown(("setting", "meaning", "default"), lines)


def described(part, schema, is_required):
    """Return the description and the default of a setting as text; allowed values are part of the description."""
    part = resolve(part, schema)
    values = f" ({', '.join(f'`{value}`' for value in part['enum'])})" if "enum" in part else ""
    text = part.get("description", "").strip().rstrip(".")
    default = "required" if is_required else f"`{as_yaml(part['default'])}`" if "default" in part else ""
    return f"{text}{values}", default


def methods_table(methods, schema):
    """Return a table with the description of each method, and its settings with their defaults."""
    lines = []
    for name, method in methods.items():
        if name != "any":
            settings = [method_setting(*item, method, schema) for item in method.get("options", {}).items()]
            lines.append((f"`{name}`", method["description"], "<br>".join(settings)))
    return as_markdown(("method", "what it is or does", "settings"), lines)


def method_setting(name, part, method, schema):
    """Return a setting of a method as text: its name with the default, and its description."""
    text, default = described(part, schema, is_required=name in method.get("required", ()))
    stated = f"`{name}: {default.strip('`')}`" if default and default != "required" else f"`{name}` (required)"
    return f"{stated}: {text[0].lower()}{text[1:]}" if text else stated


def as_yaml(value):
    """Return a default as it would be written in the configuration."""
    return value if isinstance(value, str) and value else json.dumps(value)


def as_markdown(titles, lines):
    """Return a Markdown table."""
    rows = [titles, ["---"] * len(titles), *lines]
    return "".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing; end with an error where a table is old")
    arguments = parser.parse_args()
    before = arguments.path.read_text()
    after = with_tables(before, load_schema())
    if arguments.check and before != after:
        sys.exit(f"{arguments.path}: its tables are old; run `make reference`")
    if before != after:
        arguments.path.write_text(after)
