"""The text of a first configuration: commented YAML, in which names and values of any table are written safely."""

import json
import re
from pathlib import PurePath

import numpy as np

from stillhouse.config.dataset import FOLDER
from stillhouse.intake import kinds

TEMPLATE = """\
# Made from {table}: {rows}; {columns} columns, predicting {target} ({task}).
# config/README.md explains every key. Run it with: snakemake --configfile <this file> --cores all
{doubts}
seed: 1
folds: {{k: {k}}}
# What the run takes by its rows, columns and models, on this machine: preset {preset}.
estimate: {{minutes: {minutes}, cores: {cores}}}

datasets:
  {name}:
    train: {table}
{options}{synthetic}    # Leave out what would not be known when the model is used: drop: [column, …]
    # Rows that belong together, such as visits of a patient: group: column. Rows in time: time: column
    kinds:
{kinds}

imputers:
  # Gaps get the median, and a column that says where they were.
  marked: {{method: median, indicators: true{gradients}}}
{whole}
models:
{comment}{members}  stack: {{stack: {{method: linear, members: [{names}]}}}}
  # The small model to ship, taught by the stack's predictions of rows that the stack did not see.
  student: {{prepare: {{impute: {imputer}{weigh}}}, distill: {{{student}, teacher: stack}}}}

export: [student]
"""
SYNTHETIC = """\
    # Rows without labels between those of the table, of which the student learns what the stack says.
    synthetic: {{method: swap, share: {share}}}
"""
# The imputer of networks that read pictures whole.
GRADIENTS = ", pictures: {method: gradients}"
WHOLE = """\
  # Pictures as they are; other models see how their light rises, by direction and by field.
  whole: {method: median, indicators: true, pictures: {method: pixels}}
"""
# The settings of networks that read pictures.
CONVOLUTIONS = "method: cnn, epochs: {epochs}, patience: {epochs}, schedule: onecycle, rate: 0.01"
# The members of stacks, in the order of their lines.
MEMBERS = {
    "linear": "  {linear}: {{prepare: {{impute: marked}}, fit: {{method: logistic}}}}",
    "forest": "  forest: {{prepare: {{impute: marked}}, fit: {{method: forest{leaf}, trees: {trees}}}}}",
    "extra": """\
  # Trees that end in single rows are the best member where rows are much like others; elsewhere the stack weighs them down.
  extra: {{prepare: {{impute: marked}}, fit: {{method: extratrees, leaf: {least}, trees: {trees}}}}}""",
    "boosted": "  boosted: {{prepare: {{impute: none}}, fit: {{method: boosting{searched}}}}}",
    # Its library is no requirement; it is left out where it is not installed.
    "catboost": "  catboost: {{prepare: {{impute: none}}, fit: {{method: catboost{searched}}}}}",
    "pictures": """\
  # Mirror pictures where left and right mean the same: augment: {{flip: true}}
  network: {{prepare: {{impute: whole{weigh}}}, train: {{{convolutions}, seeds: {seeds}}}}}""",
    "network": "  network: {{prepare: {{impute: marked{weigh}}}, train: {{method: mlp, seeds: {seeds}, epochs: {epochs}}}}}",
}
# The leaves that a tree may have, about, and the rows of a leaf of a forest in tables that are small enough.
MOST_LEAVES, USUAL_LEAF = 20_000, 3
# The most characters that a simple key of YAML may have, with its quotes.
MOST_OF_A_KEY = 1000


def leaves(rows):
    """Return how many rows the leaves of extra trees have at least, and the setting of a forest, if it is not the usual one.

    In a large table trees that end in single rows would take more memory than the machine has.
    """
    least = max(1, rows // MOST_LEAVES)
    return least, f", leaf: {least}" if least > USUAL_LEAF else ""


def members_text(preset, **settings):
    """Return the lines of a stack's members, and their names."""
    known = {"trees": preset.trees, "seeds": preset.seeds, "epochs": preset.epochs, "searched": preset.searched, **settings}
    known["convolutions"] = CONVOLUTIONS.format(epochs=preset.picture_epochs)
    lines = "".join(MEMBERS[name].format(**known) + "\n" for name in preset.members)
    names = {"linear": settings["linear"], "pictures": "network"}
    return lines, ", ".join(names.get(name, name) for name in preset.members)


def student_text(preset, width, transfer, has_pictures):
    """Return the settings of the student: a small network, or convolutions trained for longer where it reads pictures."""
    if not has_pictures:
        return f"method: mlp, width: {width}, depth: 2{transfer}{preset.student}"
    return f"{CONVOLUTIONS.format(epochs=2 * preset.picture_epochs)}, channels: [16, 32, 48], alpha: 0.3, temperature: 2"


def one_line(text):
    """Return a text without line breaks, as a comment in YAML has to be."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text).split())


def listed(values, most=5):
    """Return values as text, the first few of many."""
    values = list(values)
    return ", ".join(map(repr, values[:most])) + (f" and {len(values) - most:,} more" if len(values) > most else "")


def kind_lines(schema):
    """Return a line with the kind of each column; those of columns that are left out are comments."""
    lines = {}
    for column in schema["columns"]:
        is_out = column["kind"] in kinds.LEFT_OUT
        share = "less than 1" if column["missing"] < 0.01 else f"{100 * column['missing']:.0f}"
        missing = f"  # {share} % missing" if column["missing"] and not is_out else ""
        entry = key_in_yaml(column["source"], column["kind"])
        lines[column["source"]] = f"      # {one_line(entry)}, left out" if is_out else f"      {entry}{missing}"
    used = [column for column in schema["columns"] if column["kind"] not in kinds.LEFT_OUT]
    return lines.values() if used else ["      {}"]


def key_in_yaml(name, value):
    """Return an entry of a mapping; YAML has another form for keys of more than 1,024 characters."""
    key = quoted(name)
    return f"{key}: {value}" if len(key) < MOST_OF_A_KEY else f"? {key}\n      : {value}"


def in_yaml(value):
    """Return a value on one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)}: {in_yaml(entry)}" for key, entry in value.items()) + "}"
    return "[" + ", ".join(map(quoted, value)) + "]" if isinstance(value, list) else quoted(value)


def folds_for(schema, most):
    """Return ``most`` folds, or as many as the smallest class has rows, but at least 4: the student of a stack needs four."""
    smallest = min(schema.get("class_rows", {"": most}).values())
    return int(np.clip(smallest, 4, most))


def dataset_name(location):
    """Return the letters and digits of the name of a file or a folder, a letter first."""
    name = re.sub("[^a-z0-9]", "", PurePath(location.removeprefix(FOLDER)).name.split(".")[0].lower())
    return name if re.match("[a-z]", name) else f"table{name}"


def quoted(text):
    """Return text quoted for YAML; a JSON string is one, but for some control characters."""
    written = json.dumps(str(text), ensure_ascii=False)
    return re.sub(r"[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]", lambda found: f"\\u{ord(found[0]):04x}", written)
