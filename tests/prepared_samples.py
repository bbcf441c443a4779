"""Preparations that tests of several files make, with the settings of methods completed."""

from conftest import SCHEMA

from stillhouse.config.completion import complete_choice, complete_options, with_imputers
from stillhouse.preparation.features import preparation


def options(kind, method, **given):
    return complete_options(SCHEMA, kind, {"method": method, **given}, where=(kind,))


# What a method cannot do without, for the columns of the table of gaps.
NEEDED = {"group": {"by": "site"}, "columns": {"each": {"dose": "knn"}, "rest": "median"}}


def imputer_options(method, **given):
    settings = {"method": method, **NEEDED.get(method, {}), **given}
    found = complete_choice(SCHEMA, "imputers", settings, where=("imputers", "it"))
    return with_imputers({"imputers": {}}, SCHEMA, found, where="imputers.it") if method == "columns" else found


def prepared_by(columns, method, classes=("no", "yes"), **given):
    return preparation(columns, imputer_options(method, **given), classes=classes and list(classes), seed=3)
