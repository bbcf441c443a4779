"""Pictures: from files, or bytes of files, to arrays of one size for each column.

A picture in a raw table is the path of a file, or the content of one. In a typed table it is bytes: its pixels, 8 bits each,
channel by channel and row by row. A gap is None, which models see as a black picture. Pillow decodes; it is imported where it
is needed.
"""

import hashlib
import io
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from stillhouse.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm", ".pnm")
_NAME = re.compile(rf".*({'|'.join(map(re.escape, SUFFIXES))})", re.IGNORECASE | re.DOTALL)
GREY, RGB = "grey", "rgb"
CHANNELS = {GREY: 1, RGB: 3}
AUTO, STOP, PAD, CROP = "auto", "stop", "pad", "crop"
# The longest side that `size: auto` takes; larger pictures are made as small.
MOST_SIDE = 64
# Pictures that tell the size and the colours of all.
LOOKED_AT = 200
# The most pixels of a picture that is decoded: as many as a large camera has.
MOST_PIXELS = 120_000_000
# The difference of channels from which a picture is no grey one, in steps of 255.
COLOURED = 12
MOST_NAMED = 5


class UnreadablePictureError(ValueError):
    """A picture that cannot be decoded; the message says why."""


def are_pictures(column):
    """Return whether a raw column holds pictures: contents of files, or names of picture files of which the first is there."""
    values = column.dropna()
    return are_contents(values) or (are_names(values) and Path(values.iloc[0]).is_file())


def are_contents(column):
    """Return whether a raw column holds contents of files."""
    first = column.first_valid_index() if column.dtype == object else None
    return first is not None and isinstance(column[first], bytes)


def are_names(values):
    """Return whether all values are names of picture files, by their endings."""
    return len(values) > 0 and is_name(values.iloc[0]) and bool(values.map(is_name).all())


def is_name(value):
    """Return whether a value is the name of a picture file, by its ending."""
    return isinstance(value, str) and bool(_NAME.fullmatch(value))


def content_digests(column):
    """Return a digest of the content of each picture of a raw column, None for a gap or a file that is not there."""

    def digest(cell):
        if isinstance(cell, str):
            cell = Path(cell).read_bytes() if Path(cell).is_file() else None
        return hashlib.sha256(cell).hexdigest() if isinstance(cell, bytes) else None

    return column.map(digest)


def located(table, folder, stated, guessed=()):
    """Return a raw table whose names of pictures are paths from here on, as those in a file are from the file's folder.

    ``stated`` has the names of columns that are pictures, ``guessed`` those of columns that may be, if there is such a file.
    """
    there = [name for name in guessed if are_names(known := table[name].dropna()) and (Path(folder) / known.iloc[0]).is_file()]
    paths = {
        name: table[name].map(lambda cell: str(Path(folder) / cell) if isinstance(cell, str) else cell)
        for name in (*stated, *there)
    }
    return table.assign(**paths)


def described(column, options):
    """Return the description of a column of pictures: their height and width, their channels, and how they are made to fit.

    ``options`` are those of ``pictures`` of the dataset. Where they say ``auto``, pictures throughout the column tell.
    ``shift`` is by how many bits values of more than 8 are too large.
    """
    size, mode = options["size"], options["mode"]
    found = list(_looked_at(column))
    if AUTO in (size, mode) and not found:
        held = "bytes that are no pictures" if are_contents(column) else "no path of a picture that can be read"
        raise UserError(f"column {column.name!r} holds {held}; name it under `drop`, or mend it")
    if size == AUTO:
        height, width = (float(np.median([facts[side] for facts in found])) for side in (0, 1))
        shrink = min(1, MOST_SIDE / max(height, width))
        size = [max(1, round(side * shrink)) for side in (height, width)]
    elif isinstance(size, int):
        size = [size, size]
    if mode == AUTO:
        mode = RGB if any(facts[2] for facts in found) else GREY
    shift = max(0, max((facts[3] for facts in found), default=0).bit_length() - 8)
    facts = {"size": list(size), "channels": CHANNELS[mode], "shift": shift}
    return {**facts, "fit": options["fit"], "damaged": options["damaged"]}


def described_note(name, facts):
    """Return how a column of pictures is read, as a sentence."""
    (height, width), colours = facts["size"], "grey" if facts["channels"] == 1 else "RGB"
    return f"column {name!r} is read as {colours} pictures of {height} x {width} pixels"


def _looked_at(column):
    """Yield height, width, whether there is colour, and the largest value of more than 8 bits, of some pictures."""
    known = column.dropna()
    for cell in known.iloc[np.unique(np.linspace(0, len(known) - 1, LOOKED_AT).astype(int))] if len(known) else ():
        try:
            image = opened(cell)
            largest, coloured = 0, not image.mode.startswith(("1", "L", "I"))
            if image.mode.startswith("I"):
                largest = int(whole(image).max(initial=0))
            if coloured:
                small = np.asarray(plain(image, RGB, 0).resize((16, 16))).astype(int)
                coloured = bool(np.ptp(small, axis=2).max() > COLOURED)
            yield upright(image).height, upright(image).width, coloured, largest
        except UnreadablePictureError:
            continue


def as_pixels(column, facts):
    """Return a raw column of pictures as bytes of their pixels, gaps as None; see ``described`` for ``facts``.

    Raises ``UserError`` for pictures that cannot be read, unless these are to be gaps.
    """
    cells, damaged = column.tolist(), []

    def read(cell):
        if cell is None or (not isinstance(cell, (str, bytes)) and pd.isna(cell)):
            return None
        try:
            return pixels_of(cell, facts).tobytes()
        except UnreadablePictureError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(read, cells, chunksize=64))
    for place, result in enumerate(found):
        if isinstance(result, UnreadablePictureError):
            damaged.append(f"row {column.index[place] + 1}: {result}")
            found[place] = None
    if damaged and facts["damaged"] == STOP:
        raise UserError(
            f"column {column.name!r}: {some(damaged)}; mend or remove them, or count them as gaps (`damaged: gap` under "
            "`pictures` of the dataset)"
        )
    return pd.Series(found, index=column.index, name=column.name, dtype="object")


def damaged_note(raw, typed):
    """Return a note on pictures that could not be read and count as gaps, or None."""
    lost = raw.notna() & typed.isna()
    if not lost.any():
        return None
    named = [cell if isinstance(cell, str) else f"row {row + 1}" for row, cell in raw[lost].items()]
    one, more = "1 picture cannot be read and counts as a gap", f"{len(named):,} pictures cannot be read and count as gaps"
    return f"column {raw.name!r}: {one if len(named) == 1 else more}: {some(named)}"


def some(items):
    """Return the first of many items as text."""
    return ", ".join(map(str, items[:MOST_NAMED])) + (
        f" and {len(items) - MOST_NAMED:,} more" if len(items) > MOST_NAMED else ""
    )


def opened(cell):
    """Return an open picture, its pixels not yet decoded."""
    try:
        from PIL import Image
    except ImportError as error:
        raise UserError("pictures are decoded by Pillow, which is not installed; install the package `pillow`") from error
    what = Path(cell).name if isinstance(cell, str) else "the content"
    Image.MAX_IMAGE_PIXELS = None
    try:
        image = Image.open(cell if isinstance(cell, str) else io.BytesIO(cell))
    except FileNotFoundError as error:
        raise UnreadablePictureError(f"{cell} is not there") from error
    except Exception as error:  # each format of Pillow raises errors of its own
        is_empty = isinstance(cell, str) and Path(cell).is_file() and not Path(cell).stat().st_size
        raise UnreadablePictureError(f"{what} {'is empty' if is_empty else 'is no picture that can be read'}") from error
    if image.width * image.height > MOST_PIXELS:
        raise UnreadablePictureError(f"{what} has {image.width:,} x {image.height:,} pixels, more than {MOST_PIXELS:,} in all")
    return image


def upright(image):
    """Return a picture turned as its camera says."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception as error:  # see `opened`
        raise UnreadablePictureError(f"{_title(image)} is cut or damaged ({error})") from error


def whole(image):
    """Return the whole numbers of a picture of more than 8 bits; negative ones count as 0."""
    try:
        return np.asarray(image).astype("int64").clip(0)
    except Exception as error:  # see `opened`
        raise UnreadablePictureError(f"{_title(image)} is cut or damaged ({error})") from error


def plain(image, mode, shift):
    """Return a picture upright, grey or RGB with 8 bits; what is transparent shows white, of an animation the first picture.

    Values of more than 8 bits lose the last ``shift`` of them.
    """
    from PIL import Image

    try:
        image.load()
        if image.mode.startswith("I"):
            image = Image.fromarray((whole(image) >> shift).clip(0, 255).astype("uint8"))
        if image.mode == "F":
            raise UnreadablePictureError(f"{_title(image)} holds floating-point numbers, and no shades of 8 or 16 bits")
        if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
            above = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)
        return upright(image).convert("L" if mode == GREY else "RGB")
    except UnreadablePictureError:
        raise
    except Exception as error:  # see `opened`
        raise UnreadablePictureError(f"{_title(image)} is cut or damaged ({error})") from error


def _title(image):
    return Path(getattr(image, "filename", "") or "the content").name


def pixels_of(cell, facts):
    """Return the pixels of a picture as uint8; shape (channels, height, width)."""
    image = opened(cell)
    height, width = facts["size"]
    mode = GREY if facts["channels"] == 1 else RGB
    if image.format == "JPEG":
        # Decoded at a fraction of its size where that is still larger than what is wanted.
        image.draft(None, (2 * width, 2 * height))
    array = np.asarray(fitted(plain(image, mode, facts["shift"]), width, height, facts["fit"]))
    return array[None] if mode == GREY else np.moveaxis(array, 2, 0)


def fitted(image, width, height, fit):
    """Return a picture in a size: padded with black, cropped at its sides, or stretched."""
    from PIL import Image, ImageOps

    if image.size == (width, height):
        return image
    if fit == PAD:
        return ImageOps.pad(image, (width, height), method=Image.Resampling.BILINEAR)
    if fit == CROP:
        return ImageOps.fit(image, (width, height), method=Image.Resampling.BILINEAR)
    return image.resize((width, height), Image.Resampling.BILINEAR)


def shape_of(column):
    """Return the shape of the pictures of a described column: channels, height, width."""
    return (column["channels"], *column["size"])


def without_gaps(cells, column):
    """Return the cells of a typed column of pictures, gaps as black pictures; a list of bytes."""
    black = bytes(int(np.prod(shape_of(column))))
    return [cell if isinstance(cell, bytes) else black for cell in cells]


def arrays(values, column):
    """Return a typed column of pictures as uint8, gaps as black pictures; shape (rows, channels, height, width)."""
    return np.frombuffer(b"".join(without_gaps(values, column)), dtype=np.uint8).reshape(-1, *shape_of(column))
