"""A method is a file: ``build("imputers", {"method": "knn", …})`` calls ``make`` of ``preparation/imputers/knn.py``.

Its settings are described in ``settings.yaml`` beside it (loaders, which are chosen by a table's location, have none). Users
may have a folder with methods of their own, and in it a folder for each kind: ``my_methods/imputers/guess.py``. Jobs find it
through an environment variable, which the workflow sets.
"""

import os
from importlib import import_module
from pathlib import Path

from stillhouse.errors import UserError, nearest

# The package that has the folder of each kind of method.
PACKAGES = {
    "loaders": "intake",
    "imputers": "preparation",
    "text_encoders": "preparation",
    "picture_encoders": "preparation",
    "weighers": "preparation",
    "resamplers": "preparation",
    "synthesizers": "preparation",
    "readers": "predictions",
    "stackers": "ensembles",
    "architectures": "networks",
    "estimators": "learning",
}
# The environment variable with the folder of the user's methods.
USERS_FOLDER = "STILLHOUSE_METHODS"


def build(kind, options, **context):
    """Return what ``make`` of the method's file returns for its options and the context of the call."""
    settings = {key: value for key, value in options.items() if key != "method"}
    return module_of(kind, options["method"]).make(**context, **settings)


def module_of(kind, name):
    """Return the module of a method."""
    import_packages()
    return import_module(f"stillhouse.{PACKAGES[kind]}.{kind}.{name}")


def check_rows(kind, name, rows, instead):
    """Raise ``UserError`` for more rows than a method can take, which its file states as ``MOST_ROWS``, before it begins."""
    most = getattr(module_of(kind, name), "MOST_ROWS", None)
    if most and rows > most:
        raise UserError(
            f"{name} takes more than an hour or 16 GB for more than {most:,} rows, and there are {rows:,}; choose {instead}"
        )


def method_folders(kind):
    """Return the folders with the methods of a kind: Stillhouse's own and, where there is one, the user's."""
    users = os.environ.get(USERS_FOLDER)
    users = Path(users) / kind if users else None
    return [Path(__file__).parent / PACKAGES[kind] / kind, *([users] if users and users.is_dir() else [])]


def method_file(kind, name):
    """Return the path of a method's file."""
    paths = [folder / f"{name}.py" for folder in method_folders(kind)]
    return next((path for path in paths if path.is_file()), paths[0])


def is_method(kind, name):
    """Return whether there is a method of this name; the folders are the registry."""
    return method_file(kind, name).is_file()


def import_packages():
    """Have Python find the user's methods in the packages of Stillhouse's own, also when it reads what they have fitted."""
    for kind, package in PACKAGES.items():
        module = import_module(f"stillhouse.{package}.{kind}")
        for folder in map(str, method_folders(kind)[1:]):
            if folder not in module.__path__:
                module.__path__.append(folder)


def use_methods_of(folder):
    """Use the methods in a folder of the user's, or none where it is None; raises ``UserError`` for an impossible folder."""
    os.environ.pop(USERS_FOLDER, None)
    if folder is None:
        return
    path = Path(folder)
    if not path.is_dir():
        raise UserError(f"methods: there is no folder {folder!r}; name one with a folder for each kind, such as imputers")
    kinds = [kind for kind in PACKAGES if kind != "loaders"]
    inner = sorted(found.name for found in path.iterdir() if found.is_dir() and not found.name.startswith((".", "_")))
    if unknown := [name for name in inner if name not in kinds]:
        raise UserError(f"methods: {path / unknown[0]} is not a kind of method; {nearest(unknown[0], kinds)}")
    os.environ[USERS_FOLDER] = str(path.resolve())
