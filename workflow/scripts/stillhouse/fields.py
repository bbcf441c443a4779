"""Lines of separated fields: the names in the header, and the fields of each row, or one message that says what is wrong.

Standard library only, as the workflow reads the header of every table on every job.
"""

import csv
import re
import sys
from collections import deque
from itertools import chain, islice

from stillhouse.errors import UserError

# Excel's own way to name the separator, in a line before the header.
NAMED_SEPARATOR = re.compile(r"sep=(.)\s*")
# Names of files of pictures as MNIST has them, also compressed.
IDX_NAME = re.compile(r"(.*[-._])?idx3([-._]ubyte)?(\.(gz|bz2|xz|zst))?")
# The first bytes of UTF-16, in either order of bytes.
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
csv.field_size_limit(sys.maxsize)


def usual_separator(suffix):
    """Return the separator of text tables with a suffix, where none is stated: a tab or a comma."""
    return "\t" if suffix.lower() in (".tsv", ".tab") else ","


def is_idx(name):
    """Return whether a file is one of pictures as MNIST has them, by its name, such as ``train-images-idx3-ubyte.gz``."""
    return bool(IDX_NAME.fullmatch(name))


class Lines:
    """Lines of a text, counted, with those that the last row spans."""

    def __init__(self, lines):
        self.lines, self.number, self.spanned = iter(lines), 0, []

    def __iter__(self):
        return self

    def __next__(self):
        line = next(self.lines)
        self.number += 1
        self.spanned.append(line)
        return line


class Fields:
    """The names of the columns of a text table, and its rows as pairs of a line number and fields.

    A line ``sep=;`` before the header names another separator, and empty lines before it are passed over. ``names`` are those
    of a table without a header; a header that repeats them is passed over, and the column called ``optional``, the target, may
    be absent. What is done to names is in ``notes``. Raises ``UserError`` for an empty text.
    """

    def __init__(self, lines, path, separator, names=None, optional=None):
        self.path, self.separator, self.notes, self.lines = path, separator, [], Lines(lines)
        self.wanted = "`columns` has" if names else "the header has"
        self._count = None
        rows = self._rows(self._first_line())
        header = next(rows, (0, []))
        self._count = len(header[1])
        self.rows, self.ahead = rows, deque(islice(rows, 2))
        if names:
            self.names = list(names)
            if len(header[1]) == len(names) - 1 and optional in names:
                self.names.remove(optional)
            if [field.strip() for field in header[1]] != self.names:
                self.ahead.appendleft(header)
        else:
            # R writes the names of rows into a column without a name of its own.
            has_row_names = bool(self.ahead) and all(len(fields) == len(header[1]) + 1 for _, fields in self.ahead)
            self.names = unique_names(["", *header[1]] if has_row_names else header[1], path, self.notes)

    def __iter__(self):
        return self

    def __next__(self):
        """Return the next row; raises ``UserError`` for one with another number of fields than there are names."""
        number, fields = self.ahead.popleft() if self.ahead else next(self.rows)
        if len(fields) != len(self.names):
            said = f"{len(fields)} fields where {self.wanted} {len(self.names)}; is the separator {self.separator!r}?"
            raise UserError(f"{self.path}, line {number}: {said}")
        return number, fields

    def _first_line(self):
        blank = f"{self.separator} \t\r\n\ufeff"
        first = next((line for line in self.lines if line.strip(blank)), None)
        if first is None:
            raise UserError(f"{self.path}: the file is empty")
        if named := NAMED_SEPARATOR.fullmatch(first.strip("\ufeff")):
            self.separator, first = named[1], next(self.lines, "")
        self.lines.spanned[:] = [first]
        return first.lstrip("\ufeff")

    def _rows(self, first):
        """Yield rows; empty lines are passed over.

        Raises ``UserError`` where a quoted field swallows lines that are rows by themselves: each of the lines that it spans
        has as many fields as the header.
        """
        lines, number = self.lines, self.lines.number
        try:
            for fields in csv.reader(chain([first], lines), delimiter=self.separator, skipinitialspace=True):
                if len(lines.spanned) > 1 and self._are_rows(lines.spanned):
                    raise UserError(self._unclosed(number))
                if fields:
                    yield number, fields
                number = lines.number + 1
                lines.spanned.clear()
        except csv.Error as error:
            raise UserError(f"{self.path}, line {number}: {error}") from error

    def _are_rows(self, spanned):
        full = [line for line in spanned if line.strip()]
        are_whole = all(line.count(self.separator) == (self._count or 0) - 1 for line in full)
        return len(full) > 1 and are_whole and self._count > 1

    def _unclosed(self, number):
        return f"{self.path}, line {number}: a quote opens and is not closed before the next rows; close it, or write it twice"


def unique_names(names, path, notes):
    """Return names without blanks around them, each once: empty ones and those that come again are numbered, and noted."""
    found = []
    for place, name in enumerate(str(name).strip() for name in names):
        known, number = name or ("unnamed" if place == 0 else f"unnamed {place + 1}"), 1
        while (given := known if number == 1 else f"{known} ({number})") in found:
            number += 1
        if given != name:
            why = f"is called {name!r} like an earlier one" if name else "has no name"
            notes.append(f"{path}: column {place + 1} {why}, and is called {given!r} here")
        found.append(given)
    return found
