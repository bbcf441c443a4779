"""Checksums of whole Parquet files, so that a damaged file is never read as if it were intact.

The checksum is written in front of the footer, where readers of Parquet do not look: they find the footer from the end of the
file, and all else by offsets in the footer. Parquet's own checksums cover pages alone, without their headers and the footer.
"""

import os
import zlib
from functools import cache
from pathlib import Path

CHECKSUM_BYTES, PIECE_BYTES = 4, 1 << 20


def write_checksum(path):
    """Write a Parquet file's checksum into it."""
    with Path(path).open("r+b") as file:
        footer = _footer(file)
        checksum = _checksum(file, footer, bytes_before=file.tell() - len(footer))
        file.seek(-len(footer), os.SEEK_END)
        file.write(checksum + footer)


def verify_checksum(path):
    """Raise ``ValueError`` where a Parquet file does not match its checksum; an unchanged file is checked once."""
    found = Path(path).stat()
    _check(path, found.st_mtime_ns, found.st_size)


@cache
def _check(path, _mtime, _size):
    with Path(path).open("rb") as file:
        footer = _footer(file)
        before = file.tell() - len(footer) - CHECKSUM_BYTES
        checksum = _checksum(file, footer, bytes_before=before)
        file.seek(before)
        if file.read(CHECKSUM_BYTES) != checksum:
            raise ValueError("its checksum does not match")


def _footer(file):
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 8))
    length = int.from_bytes(file.read(4), "little")
    if length + 8 > size:
        raise ValueError("its footer is longer than the file")
    file.seek(-8 - length, os.SEEK_END)
    return file.read()


def _checksum(file, footer, bytes_before):
    checksum = zlib.crc32(footer)
    file.seek(0)
    while bytes_before > 0:
        piece = file.read(min(PIECE_BYTES, bytes_before))
        checksum, bytes_before = zlib.crc32(piece, checksum), bytes_before - len(piece)
    return checksum.to_bytes(CHECKSUM_BYTES, "little")
