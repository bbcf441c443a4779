"""ARFF, the format of Weka: names and types of columns in a header, then lines of values."""

import csv
import re

import pandas as pd

from stillhouse.errors import UserError

ATTRIBUTE = re.compile(r"@attribute\s+('(?:[^'\\]|\\.)*'|\"[^\"]*\"|\S+)\s+", re.IGNORECASE)


def read_arff(text, path):
    """Return the table of strings in an ARFF text, ``?`` kept as it is; raises ``UserError`` where it is not ARFF."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if line.strip().lower() == "@data"), None)
    names = [match[1].strip("'\"") for line in lines[:start] if (match := ATTRIBUTE.match(line.strip()))]
    if start is None or not names:
        raise UserError(f"{path}: has no @attribute or no @data line, so it is not ARFF")
    rows = []
    for number, line in enumerate(lines[start + 1 :], start=start + 2):
        if line.strip() and not line.lstrip().startswith("%"):
            rows.append(fields(line, number, len(names), path))
    return pd.DataFrame(rows, columns=names, dtype="str")


def fields(line, number, count, path):
    """Return the values on a line."""
    if line.lstrip().startswith("{"):
        raise UserError(f"{path}, line {number}: sparse ARFF is not read; save the table as CSV")
    quote = '"' if '"' in line else "'"
    values = next(csv.reader([line], quotechar=quote, skipinitialspace=True, escapechar="\\"))
    if len(values) != count:
        raise UserError(f"{path}, line {number}: {len(values)} fields where the header has {count}")
    return [value.strip() for value in values]
