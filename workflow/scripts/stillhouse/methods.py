"""A method is a file: ``build("imputers", {"method": "knn", …})`` calls ``make`` of ``preparation/imputers/knn.py``."""

from importlib import import_module
from pathlib import Path

# The package that has the folder of each kind of method.
PACKAGES = {
    "loaders": "intake",
    "imputers": "preparation",
    "weighers": "preparation",
    "resamplers": "preparation",
    "synthesizers": "preparation",
    "readers": "predictions",
    "stackers": "ensembles",
    "architectures": "networks",
    "estimators": "learning",
}


def build(kind, options, **context):
    """Return what ``make`` of the method's file returns for its options and the context of the call."""
    settings = {key: value for key, value in options.items() if key != "method"}
    return import_module(f"stillhouse.{PACKAGES[kind]}.{kind}.{options['method']}").make(**context, **settings)


def method_file(kind, name):
    """Return the path of a method's file below the library."""
    return f"{PACKAGES[kind]}/{kind}/{name}.py"


def is_method(kind, name):
    """Return whether there is a method of this name; the folder is the registry."""
    return (Path(__file__).parent / method_file(kind, name)).is_file()
