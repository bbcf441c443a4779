"""A seal on Parquet files, so that not one flipped bit is read as if it were right.

The checksum of a file stands in front of its footer, where readers of Parquet do not look: they find the footer from the end,
and all else by what the footer says. Parquet's own checksums are of pages alone, and leave out the footer and page headers.
"""

import os
import zlib
from functools import cache
from pathlib import Path

BYTES_OF_SEAL, BYTES_A_PIECE = 4, 1 << 20


def seal(path):
    """Put the checksum of a whole Parquet file into it."""
    with Path(path).open("r+b") as file:
        footer = _footer(file)
        checksum = _checksum(file, footer, bytes_before=file.tell() - len(footer))
        file.seek(-len(footer), os.SEEK_END)
        file.write(checksum + footer)


def check(path):
    """Raise ``ValueError`` where a sealed Parquet file is not as it was written; a file that stays as it is is read once."""
    found = Path(path).stat()
    _check(path, found.st_mtime_ns, found.st_size)


@cache
def _check(path, _mtime, _size):
    with Path(path).open("rb") as file:
        footer = _footer(file)
        before = file.tell() - len(footer) - BYTES_OF_SEAL
        checksum = _checksum(file, footer, bytes_before=before)
        file.seek(before)
        if file.read(BYTES_OF_SEAL) != checksum:
            raise ValueError("its checksum does not hold")


def _footer(file):
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    length = int.from_bytes(file.read(4), "little")
    if length + 8 > size:
        raise ValueError("its footer is longer than the file")
    file.seek(-8 - length, os.SEEK_END)
    return file.read()


def _checksum(file, footer, bytes_before):
    found = zlib.crc32(footer)
    file.seek(0)
    while bytes_before > 0:
        piece = file.read(min(BYTES_A_PIECE, bytes_before))
        found, bytes_before = zlib.crc32(piece, found), bytes_before - len(piece)
    return found.to_bytes(BYTES_OF_SEAL, "little")
