"""How a text table is written, found out from its first lines: encoding, separator, header, decimal mark and thousands."""

import csv
import re
from collections import Counter
from pathlib import Path, PurePosixPath

import pandas as pd

from stillhouse.config.dataset import FOLDER
from stillhouse.errors import UserError
from stillhouse.fields import NAMED_SEPARATOR, UTF_16, is_idx, usual_separator
from stillhouse.intake import kinds
from stillhouse.intake.formats import READERS, decompressed

# How much of a file is looked at, and how many of its lines.
SAMPLE_BYTES, SAMPLE_LINES = 2**21, 2000
SEPARATORS = (",", ";", "\t", "|")
COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+")
COMMA_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
POINT_THOUSANDS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?")


def sniffed(path, target):
    """Return the settings that read a table, the name of the target, and sentences on what is in doubt.

    Formats that have types of their own need no settings. ``target`` may be the place of a column where there is no header.
    """
    if path.startswith(FOLDER) or is_idx(PurePosixPath(path).name):
        return {}, target, []
    with Path(path).open("rb") as content, decompressed(content, PurePosixPath(path)) as (plain, inner):
        if inner.suffix.lower() in READERS:
            return {}, target, []
        sample = plain.read(SAMPLE_BYTES)
    encoding, text = decoded(sample)
    lines = text.splitlines()[:SAMPLE_LINES]
    usual = usual_separator(inner.suffix)
    separator = separator_of(lines, usual)
    rows = [row for row in csv.reader(lines, delimiter=separator, skipinitialspace=True) if any(field.strip() for field in row)]
    rows = rows[1:] if rows and NAMED_SEPARATOR.fullmatch(lines[0]) else rows
    if not rows:
        raise UserError(f"{path}: the file is empty")
    found = {} if encoding == "utf-8" else {"encoding": encoding}
    found |= {} if separator == usual else {"separator": separator}
    doubts = [] if encoding == "utf-8" else [f"the encoding is taken for {encoding}: are letters beyond ASCII right?"]
    target, headless = header_of(rows, target)
    found |= headless
    if headless:
        doubts.append("the table seems to have no line with the names of its columns: give them names under `columns`")
    width = Counter(map(len, rows)).most_common(1)[0][0]
    body = pd.DataFrame([row for row in rows[not headless :] if len(row) == width], dtype="str")
    marks, said = number_marks(body)
    return found | marks, target, doubts + said


def decoded(sample):
    """Return the encoding of some first bytes, and their text: UTF-16 by its mark, UTF-8, or else Windows' Latin letters."""
    if sample[:2] in UTF_16:
        return "utf-16", sample[: len(sample) // 2 * 2].decode("utf-16", errors="ignore")
    for cut in range(4):
        try:
            return "utf-8", sample[: len(sample) - cut].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if error.start < len(sample) - 4:
                break
    return "cp1252", sample.decode("cp1252", errors="replace")


def separator_of(lines, usual):
    """Return the separator by which the most lines have one number of fields, of two or more; the usual one for none."""
    if lines and (named := NAMED_SEPARATOR.fullmatch(lines[0])):
        return named[1]

    def agreement(separator):
        counts = Counter(len(row) for row in csv.reader(lines, delimiter=separator, skipinitialspace=True) if row)
        fields, rows = counts.most_common(1)[0] if counts else (1, 0)
        return (rows / counts.total(), fields, separator == usual) if fields > 1 else (0, 0, False)

    best = max(SEPARATORS, key=agreement)
    return best if agreement(best)[0] > 0 else usual


def header_of(rows, target):
    """Return the name of the target, and the setting ``columns`` where the first line holds values.

    A first line with a number in it, and without the target's name, is no header.
    """
    names = [name.strip() for name in rows[0]]
    if target in names or not kinds.as_numbers(pd.Series(names, dtype="str")).notna().any():
        return target, {}
    names = [f"column{place}" for place in range(1, len(names) + 1)]
    target = f"column{target}" if str(target).isdecimal() else target
    if target not in names:
        raise UserError(
            "--target: the table seems to have no line with names; say by its place which column is the target, such as "
            f"--target {len(names)} for the last"
        )
    return target, {"columns": names}


def number_marks(body):
    """Return the settings ``decimal`` and ``thousands`` that the numbers of a table of strings need, and what is in doubt."""
    values = body.stack().str.strip() if len(body) else pd.Series(dtype="str")
    commas, found, doubts = values[values.str.fullmatch(COMMA_NUMBER)], {}, []
    has_points = values.str.fullmatch(r"[+-]?\d+\.\d+").any()
    in_threes = commas.str.fullmatch(COMMA_THOUSANDS)
    if len(commas) and not in_threes.all():
        found["decimal"] = ","
        if values.str.fullmatch(POINT_THOUSANDS).any():
            found["thousands"] = "."
    elif values.str.fullmatch(COMMA_THOUSANDS).any():
        found["thousands"] = ","
        if len(commas) and not has_points:
            doubts.append(
                f'the comma in {commas.iloc[0]!r} is taken to mark thousands; if it is a decimal comma, set decimal: ","'
            )
    return found, doubts
