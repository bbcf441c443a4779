# What the rules share: the checked configuration, the plan, every path, and the splits of a job.

import os
import sys
from pathlib import Path

import yaml

WORKFLOW = Path(str(workflow.current_basedir)).parent
sys.path.append(str(WORKFLOW / "scripts"))

from stillhouse.config.checks.export import can_be_exported
from stillhouse.config.checks.configuration import checked
from stillhouse.config.digest import code
from stillhouse.config.completion import CHOICES
from stillhouse.config.dataset import control_of, is_control, origin, locations, presentable, repeats_of
from stillhouse.errors import UserError
from stillhouse.config.checks.locations import is_remote
from stillhouse.config.plan import Plan
from stillhouse.config.models import hint_teacher, method_folder, start, table_of, upstream, verb
from stillhouse.methods import method_file
from stillhouse.splits import ALL, NONE

try:
    SETTINGS = yaml.safe_load((WORKFLOW / "schemas" / "config.schema.yaml").read_text())
    config = checked(config, SETTINGS)
except UserError as error:
    sys.exit(f"stillhouse: {error}")

PLAN = Plan(config)

TABLE = "results/{dataset}/table.parquet"
SCHEMA = "results/{dataset}/schema.json"
FOLDS = "results/{dataset}/folds.parquet"
IMPUTED = "results/{dataset}/prepared/impute-{imputer}/split-{split}"
WEIGHED = "results/{dataset}/prepared/impute-{imputer}/weigh-{weigher}/split-{split}"
RESAMPLED = "results/{dataset}/prepared/impute-{imputer}/weigh-{weigher}/resample-{resampler}/split-{split}"
MODEL = "results/{dataset}/models/{model}/split-{split}"
EVALUATED = "results/{dataset}/models/{model}"


def one_of(names):
    """Return a pattern that matches these names and nothing else."""
    return "|".join(names) or "(?!)"


def made_by(rule):
    """Return a pattern that matches the models which a rule makes."""
    return one_of(name for name, model in PLAN.models.items() if verb(model) == rule)


wildcard_constraints:
    dataset=one_of(PLAN.datasets),
    model=one_of(PLAN.models),
    imputer=one_of(config["imputers"]),
    weigher=one_of(config["weighers"]),
    resampler=one_of(config["resamplers"]),
    split=r"all|none|\d+(\+\d+)*",


def code_with(script, kind, options):
    """Return a function that gives the digest of a script's code and of the methods that it runs for its wildcards."""
    return lambda wildcards: code(script, *(method_file(kind, method) for method in methods_in(options(wildcards))))


def methods_in(options):
    """Return the methods that options name, those of a column-wise imputer included."""
    inner = [*options.get("each", {}).values(), *([options["rest"]] if "rest" in options else [])]
    return sorted({options["method"], *(method for within in inner for method in methods_in(within))})


def chosen(section, wildcard):
    """Return a function that gives the options of the choice which a wildcard names."""
    return lambda wildcards: config[section][wildcards[wildcard]]


def of_model(rule):
    """Return a function that gives the options of a model for the rule that makes it."""
    return lambda wildcards: PLAN.models[wildcards.model][rule]


def planned(dataset, model=None, **chain):
    """Return the splits that are needed of a model, or of a preparation as its wildcards name it."""
    if model:
        return PLAN.model_splits(dataset, model)
    steps = {"imputer": "impute", "weigher": "weigh", "resampler": "resample"}
    return PLAN.prepared_splits(dataset, **{steps[name]: choice for name, choice in chain.items()})


def splits(wildcards):
    """Return descriptions of the splits that a job builds: one, or all that are needed."""
    named = {name: value for name, value in wildcards.items() if name != "split"}
    names = planned(**named) if wildcards.split == ALL else [wildcards.split]
    if unknown := [name for name in names if not PLAN.folds[wildcards.dataset].allows(name)]:
        last = PLAN.folds[wildcards.dataset].count - 1
        sys.exit(
            f"stillhouse: there is no split {unknown[0]!r}: folds are 0 to {last}, in order, some left to learn from"
        )
    return [PLAN.describe(wildcards.dataset, name) for name in names]


def in_files(path, names, **wildcards):
    """Return the files that hold these splits: the one of all splits, or one each."""
    together = config["splits"] == "together" and set(names) <= set(planned(**wildcards))
    return expand(path, split=[ALL] if together else names, **wildcards)


def same_splits(path):
    """Return an input function for the files of an earlier step that hold a job's own splits."""
    return lambda wildcards: in_files(
        path, [split["name"] for split in splits(wildcards)], **wildcards_in(path, wildcards)
    )


def wildcards_in(path, wildcards):
    """Return the values of those wildcards that a path has, the split left out."""
    return {name: value for name, value in wildcards.items() if name != "split" and f"{{{name}}}" in path}


def chain_of(dataset, model, path):
    """Return the wildcards of a path to a model's preparation."""
    prepare = PLAN.models[model]["prepare"]
    chain = {"imputer": prepare["impute"], "weigher": prepare["weigh"], "resampler": prepare["resample"]}
    return {"dataset": dataset, **wildcards_in(path, chain)}
