"""Folders with a file for each row: ``folder:pictures/train`` has a folder for each class, or files of no known class."""

import pandas as pd

from stillhouse.config.dataset import FOLDER
from stillhouse.errors import UserError
from stillhouse.intake.folders import tables_of_folder


def read(location, dataset, notes):
    """Return a table with the path of each picture, or each text, and its class in the column of the target."""
    folder = location.removeprefix(FOLDER)
    parts = list(tables_of_folder(folder, dataset["encoding"], dataset["target"]))
    if len({len(part.columns) for part in parts}) > 1 or parts[0].columns.duplicated().any():
        raise UserError(f"target: {dataset['target']!r} is the name of the column of files; call the target `class`, say")
    return pd.concat(parts, ignore_index=True)
