"""Text tables: decoded lines, and rows of strings, at most 50,000 at a time.

Python's ``csv`` reads what may be quoted. Lines without a quote need only be split, which Arrow does six times as fast.
"""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from stillhouse.errors import UserError
from stillhouse.fields import UTF_16, Fields

# The most rows of a table that is yielded.
CHUNK = 50_000
# Bytes that are read at once, of which the first few have the header.
FIRST_BLOCK, BLOCK = 1 << 14, 1 << 22
UTF_8_MARK = b"\xef\xbb\xbf"
# Bytes by which a line is more than fields and separators.
NOT_PLAIN = (b'"', b"\0")


def text_tables(content, path, separator, dialect, notes):
    """Yield the rows of a text table as strings; what is done to names is added to ``notes``."""
    lines, rows = BlockLines(content, path, dialect.encoding), []
    found = Fields(lines, path, separator, dialect.columns, dialect.target)
    notes += found.notes
    while True:
        if not rows and not found.ahead and (block := lines.plain_block(found.separator)):
            if (table := split(block, found)) is not None:
                found.lines.number += lines.take_block()
                yield from (part(table, start, found) for start in range(0, len(table), CHUNK))
                continue
            lines.is_refused = True
        row = next(found, None)
        rows += [] if row is None else [row[1]]
        if row is None or len(rows) == CHUNK or lines.is_between_blocks:
            yield pd.DataFrame(rows, columns=found.names, dtype="str")
            rows = []
        if row is None:
            return


def split(block, fields):
    """Return the rows of plain lines as an Arrow table, or None where one is not as wide as the header, or is not UTF-8."""
    names = list(map(str, range(len(fields.names))))
    try:
        table = pa.csv.read_csv(
            io.BytesIO(block),
            pa.csv.ReadOptions(column_names=names, block_size=len(block) + 1),
            pa.csv.ParseOptions(delimiter=fields.separator, quote_char=False),
            pa.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
        )
    except pa.ArrowInvalid:
        # Python's reader says what is wrong, and where.
        return None
    if b" " in block:
        # Python's reader passes over blanks at the beginning of a field.
        table = pa.table([pc.utf8_ltrim(column, " ") for column in table.columns], names)
    return table


def part(table, start, fields):
    """Return some rows of an Arrow table of strings in pandas, under the names of the header."""
    return table.slice(start, CHUNK).to_pandas().set_axis(fields.names, axis=1).astype("str")


class BlockLines:
    """The lines of a text, which is read in blocks of whole lines; a block may also be taken as a whole.

    Text that is not UTF-8 has lines alone.
    """

    def __init__(self, content, path, encoding):
        self.content, self.path, self.number, self.is_refused = peekable(content), path, 0, False
        self.has_blocks = encoding == "utf-8" and not is_utf_16(self.content)
        self._lines = iter(()) if self.has_blocks else decoded(self.content, path, encoding)
        self._left, self._rest, self._size = 0, b"", FIRST_BLOCK
        self._block = self._read() if self.has_blocks else b""
        self._block = self._block.removeprefix(UTF_8_MARK)

    def __iter__(self):
        return self

    def __next__(self):
        """Return the next line; raises ``UserError`` that names the line which is not in the encoding."""
        if self.has_blocks and not self._left:
            self._split()
        self._left -= 1
        return next(self._lines)

    @property
    def is_between_blocks(self):
        """Whether the next line is the first of a block."""
        return self.has_blocks and not self._left

    def plain_block(self, separator):
        """Return the next block, if no line of the last one is left and its lines need only be split; else no bytes."""
        if not self.is_between_blocks or self.is_refused or separator in ' "' or not separator.isascii():
            return b""
        has_others = any(mark in self._block for mark in NOT_PLAIN) or self._block.count(b"\r") != self._block.count(b"\r\n")
        # Arrow takes a mark at the beginning of what it reads for one of the whole text.
        return b"" if has_others or self._block.startswith(UTF_8_MARK) else self._block

    def take_block(self):
        """Pass over the next block, and return how many lines it has."""
        count = self._block.count(b"\n") + (not self._block.endswith(b"\n"))
        self.number += count
        self._block = self._read()
        return count

    def _split(self):
        try:
            lines = list(io.StringIO(self._block.decode(), newline=""))
        except UnicodeDecodeError as error:
            raise UserError(undecodable(self.path, self.number, error, "utf-8")) from error
        self._lines, self._left, self.is_refused = iter(lines), max(len(lines), 1), False
        self.number += len(lines)
        self._block = self._read() if lines else b""

    def _read(self):
        """Return the next bytes up to the end of a line; none at the end of the text."""
        parts = [self._rest]
        while read := self.content.read(self._size):
            parts.append(read)
            if b"\n" in read:
                break
        self._size, whole = BLOCK, b"".join(parts)
        end = whole.rfind(b"\n") + 1 if read else len(whole)
        self._rest = whole[end:]
        return whole[:end]


def undecodable(path, number, error, encoding):
    """Return what is said of a byte that is not in the encoding, in text after so many lines."""
    line = number + 1 + error.object[: error.start].count(b"\n")
    return (
        f"{path}, near line {line}: byte 0x{error.object[error.start]:02x} is not {encoding}; save the table as UTF-8, "
        "or name its encoding under `encoding`"
    )


def peekable(content):
    """Return an open binary file as one whose first bytes can be looked at."""
    return content if hasattr(content, "peek") else io.BufferedReader(Raw(content))


def is_utf_16(content):
    """Return whether a file begins with the mark of UTF-16."""
    return content.peek(2)[:2] in UTF_16


def decoded(content, path, encoding):
    """Yield the lines of a text; raises ``UserError`` that names the line which is not in the encoding."""
    content = peekable(content)
    encoding = "utf-16" if is_utf_16(content) else encoding
    number = 0
    try:
        for line in io.TextIOWrapper(content, "utf-8-sig" if encoding == "utf-8" else encoding, newline=""):
            number += 1
            yield line
    except UnicodeDecodeError as error:
        # Text is decoded in blocks: the byte is on the line that the block's earlier bytes lead to.
        raise UserError(undecodable(path, number, error, encoding)) from error
    except LookupError as error:
        raise UserError(f"encoding: there is no encoding {encoding!r}, such as utf-8, latin-1 or cp1252") from error


class Raw(io.RawIOBase):
    """A file that can only be read, as one that Python's own buffers accept."""

    def __init__(self, content):
        self.content = content

    def readable(self):
        """Return that it can be read."""
        return True

    def readinto(self, buffer):
        """Fill a buffer, and return how many bytes there were."""
        found = self.content.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)
