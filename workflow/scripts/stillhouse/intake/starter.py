"""A first configuration for a table: the inferred kinds of its columns, and models that suit most tables."""

import json
import re
from pathlib import Path

import numpy as np

from stillhouse.config.checks.tables import check_dataset
from stillhouse.config.completion import fill
from stillhouse.config.settings import load_schema
from stillhouse.intake import kinds
from stillhouse.intake.load import load

TEMPLATE = """\
# Made from {table}: {rows:,} rows, {columns} columns, predicting {target} ({task}).
# config/README.md explains every key. Run it with: snakemake --configfile <this file> --cores all

seed: 1
folds: {{k: {k}}}

datasets:
  {name}:
    train: {table}
{deploy}    target: {target}
{separator}{positive}    # Leave out what would not be known when the model is used: drop: [column, …]
    # Rows that belong together, such as visits of a patient: group: column. Rows in time: time: column
    kinds:
{kinds}

imputers:
  # Gaps get the median, and a column that says where they were.
  marked: {{method: median, indicators: true}}

models:
  linear: {{prepare: {{impute: marked}}, fit: {{method: logistic}}}}
  forest: {{prepare: {{impute: marked}}, fit: {{method: forest}}}}
  boosted: {{prepare: {{impute: none}}, fit: {{method: boosting}}}}
  teacher: {{prepare: {{impute: marked{weigh}}}, train: {{method: mlp, seeds: 2}}}}
  stack: {{stack: {{method: linear, members: [linear, forest, boosted, teacher]}}}}
  # The small model to ship, taught by the stack's predictions of rows that the stack did not see.
  student: {{prepare: {{impute: marked{weigh}}}, distill: {{method: mlp, width: 32, depth: 1, teacher: stack}}}}

export: [student]
"""


def configuration(table, target, deploy=None):
    """Return a commented configuration as YAML text; raises ``UserError`` for a table that cannot be read."""
    schema = load_schema()
    dataset = {"train": str(table), "target": target, **({"deploy": str(deploy)} if deploy else {})}
    separator = guessed_separator(Path(table))
    dataset |= {"separator": separator} if separator else {}
    dataset = fill(dataset, schema["$defs"]["dataset"], schema)
    check_dataset("new", dataset)
    rows, described = load(dataset, np.random.default_rng(0))
    return TEMPLATE.format(
        name=dataset_name(Path(table)),
        table=quoted(str(table)),
        target=quoted(target),
        deploy=f"    deploy: {quoted(str(deploy))}\n" if deploy else "",
        weigh=", weigh: logistic" if deploy else "",
        separator=f"    separator: {quoted(separator)}\n" if separator else "",
        positive=f"    positive: {quoted(described['classes'][1])}\n" if described["task"] == "binary" else "",
        rows=len(rows),
        columns=len({column["source"] for column in described["columns"]}),
        task=described["task"],
        k=most_folds(described),
        kinds="\n".join(kind_lines(described)),
    )


def kind_lines(schema):
    """Return a line with the kind of each column; those of columns that are left out are comments."""
    lines = {}
    for column in schema["columns"]:
        is_out = column["kind"] in kinds.LEFT_OUT
        missing = f"  # {100 * column['missing']:.0f} % missing" if column["missing"] and not is_out else ""
        entry = f"{quoted(column['source'])}: {column['kind']}"
        lines[column["source"]] = f"      # {entry}, left out" if is_out else f"      {entry}{missing}"
    return lines.values()


def most_folds(schema):
    """Return 5 folds, or as many as the smallest class has rows, but at least 4: the student of a stack needs four."""
    smallest = min(schema.get("class_rows", {"": 5}).values())
    return int(np.clip(smallest, 4, 5))


def dataset_name(path):
    """Return the letters and digits of a file's name, a letter first."""
    name = re.sub("[^a-z0-9]", "", path.name.split(".")[0].lower())
    return name if re.match("[a-z]", name) else f"table{name}"


def guessed_separator(path):
    """Return the separator of an uncompressed text table if its suffix suggests a different one, else an empty string."""
    if path.suffix not in (".csv", ".txt", ".data") or not path.is_file():
        return ""
    with path.open(encoding="utf-8", errors="replace") as lines:
        first = lines.readline()
    counts = {separator: first.count(separator) for separator in (",", ";", "\t", "|")}
    best = max(counts, key=counts.get)
    return "" if best == "," or counts[best] == counts[","] else best


def quoted(text):
    """Return text quoted for YAML; a JSON string is one."""
    return json.dumps(text, ensure_ascii=False)
