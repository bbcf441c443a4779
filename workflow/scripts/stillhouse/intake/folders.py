"""Folders with a file for each row: pictures or texts, those of a class in a folder with the name of the class."""

from pathlib import Path

import pandas as pd

from stillhouse.config.dataset import is_left_out
from stillhouse.errors import UserError
from stillhouse.intake.kinds import IDENTIFIER, IMAGE
from stillhouse.intake.kinds import TEXT as WRITTEN
from stillhouse.intake.pictures import SUFFIXES
from stillhouse.intake.text import CHUNK

TEXT_SUFFIX = ".txt"
PICTURE, TEXT, FILE = "picture", "text", "file"
# What the columns hold, unless the configuration says otherwise.
KINDS = {PICTURE: IMAGE, TEXT: WRITTEN, FILE: IDENTIFIER}


def tables_of_folder(folder, encoding, target=None):
    """Yield the rows of a folder in the order of their paths, at most 50,000 at a time: pictures by their paths, or texts.

    With ``target`` a column of this name has the folder of each file, its class, where there are such folders. Raises
    ``UserError`` for a folder that holds anything else.
    """
    files = files_of_folder(folder)
    has_classes = files[0].parent != Path(folder)
    for start in range(0, len(files), CHUNK):
        part = files[start : start + CHUNK]
        columns = {PICTURE: list(map(str, part))}
        if part[0].suffix.lower() == TEXT_SUFFIX:
            columns = {FILE: [path.name for path in part], TEXT: [text_of(path, encoding) for path in part]}
        if target and has_classes:
            columns[target] = [path.parent.name for path in part]
        yield pd.DataFrame(columns, dtype="str")


def files_of_folder(folder):
    """Return the files of a folder, or of the folders of classes within it, in the order of their paths."""
    if not Path(folder).is_dir():
        raise UserError(f"there is no folder {str(folder)!r}")
    inner = [path for path in sorted(Path(folder).iterdir()) if not is_left_out(path)]
    classes = [path for path in inner if path.is_dir()]
    if classes and len(classes) < len(inner):
        loose = next(path for path in inner if path.is_file())
        raise UserError(f"{folder}: holds folders of classes and beside them the file {loose.name!r}; move it into one of them")
    of_folders = {one: [path for path in sorted(one.iterdir()) if not is_left_out(path)] for one in classes or [Path(folder)]}
    if empty := [one for one, found in of_folders.items() if not found]:
        raise UserError(f"{empty[0]}: has no files in it; put a picture or a text of each row there, or remove the folder")
    files = [path for found in of_folders.values() for path in found]
    if deeper := [path for path in files if path.is_dir()]:
        raise UserError(f"{deeper[0]}: is a folder in the folder of a class; each class has one folder, with files alone")
    wanted = (TEXT_SUFFIX,) if files[0].suffix.lower() == TEXT_SUFFIX else SUFFIXES
    if other := [path for path in files if path.suffix.lower() not in wanted]:
        what = "text like the others" if wanted == (TEXT_SUFFIX,) else f"picture, by its ending: {', '.join(SUFFIXES)}"
        raise UserError(f"{other[0]}: is no {what}; remove it, or give it another ending")
    return files


def text_of(path, encoding):
    """Return the text in a file."""
    try:
        return path.read_text(encoding=encoding)
    except UnicodeDecodeError as error:
        advice = "save it as UTF-8, or name its encoding under `encoding`"
        raise UserError(f"{path}: is not in {encoding}; {advice}") from error
    except LookupError as error:
        raise UserError(f"encoding: there is no encoding {encoding!r}; take utf-8 or latin-1, say") from error
