"""A method is a file: ``build("imputers", {"method": "knn", …})`` calls ``make`` of ``imputers/knn.py``."""

from importlib import import_module
from pathlib import Path


def build(kind, options, **context):
    """Return what ``make`` of the method's file returns for its options and the context of the call."""
    settings = {key: value for key, value in options.items() if key != "method"}
    return import_module(f"stillhouse.{kind}.{options['method']}").make(**context, **settings)


def is_method(kind, name):
    """Return whether there is a method of this name; the folder is the registry."""
    return (Path(__file__).parent / kind / f"{name}.py").is_file()
