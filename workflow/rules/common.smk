# What the rules share: the checked configuration, the plan, every path, and the splits of a job.

import os
import sys
from dataclasses import asdict
from pathlib import Path

WORKFLOW = Path(str(workflow.current_basedir)).parent
sys.path.append(str(WORKFLOW / "scripts"))

from stillhouse.config import inputs
from stillhouse.config.checks.configuration import checked
from stillhouse.config.checks.export import can_be_exported
from stillhouse.config.completion import CHOICES, ConfigError
from stillhouse.config.dataset import (
    control_of,
    embargo_of,
    imputations_of,
    is_control,
    origin,
    presentable,
    repeats_of,
    shares_of,
)
from stillhouse.config.digest import code
from stillhouse.config.models import hint_teacher, start, table_of, upstream
from stillhouse.config.plan import Plan
from stillhouse.config.settings import load_schema
from stillhouse.errors import UserError
from stillhouse.methods import use_methods_of
from stillhouse.splits import ALL, NONE

if " " in sys.executable:
    sys.exit(
        f"stillhouse: this run's Python is {sys.executable}, and Snakemake starts no job with a Python that lies in a folder "
        "with a space in its name; rename the folder, or make the environment elsewhere"
    )

try:
    use_methods_of(config.get("methods"))
    SETTINGS = load_schema()
    config = checked(config, SETTINGS)
except UserError as error:
    sys.exit(f"stillhouse: {error}")

PLAN = Plan(config)

if "estimate" in config and workflow.is_main_process:
    print("stillhouse: estimated at {minutes} minutes on {cores} cores".format(**config["estimate"]), file=sys.stderr)

TABLE = "results/{dataset}/table.parquet"
SCHEMA = "results/{dataset}/schema.json"
FOLDS = "results/{dataset}/folds.parquet"
IMPUTED = "results/{dataset}/prepared/impute-{imputer}/split-{split}"
WEIGHED = "results/{dataset}/prepared/impute-{imputer}/weigh-{weigher}/split-{split}"
RESAMPLED = "results/{dataset}/prepared/impute-{imputer}/weigh-{weigher}/resample-{resampler}/split-{split}"
MODEL = "results/{dataset}/models/{model}/split-{split}"
EVALUATED = "results/{dataset}/models/{model}"


def intermediate(path):
    """Return an output that is removed once no job of a run needs it, if the configuration says so."""
    return temp(path) if config["intermediates"] == "remove" else path


def shown(path, caption, category, title):
    """Return an output that Snakemake's own report shows, with its caption, in a category, for each dataset."""
    labels = {"dataset": "{dataset}", "result": title}
    return report(path, caption=f"../report/{caption}.rst", category=category, labels=labels)


def one_of(names):
    """Return a pattern that matches these names and nothing else."""
    return "|".join(names) or "(?!)"


def made_by(rule):
    """Return a pattern that matches the models that a rule makes."""
    return one_of(inputs.models_made_by(PLAN, rule))


wildcard_constraints:
    dataset=one_of(PLAN.datasets),
    model=one_of(PLAN.models),
    imputer=one_of(config["imputers"]),
    weigher=one_of(config["weighers"]),
    resampler=one_of(config["resamplers"]),
    split=r"all|none|\d+(\+\d+)*",


def code_with(script, kind, options):
    """Return a function that gives the digest of a script and of the methods that its options name."""
    return lambda wildcards: code(script, *inputs.method_files(kind, options(wildcards)))


def report_settings(*names):
    """Return the settings of the report that a rule uses, so that a change of the others does not rerun it."""
    return {name: config["report"][name] for name in names}


METRIC_SETTINGS = report_settings("draws", "level", "precision", "quantile")
SET_SETTINGS = report_settings("coverage", "by_class", "sets", "penalty", "penalty_from")


def synthetic_options(wildcards):
    """Return the options that a dataset draws synthetic rows by; ``lookup`` would part names of repeats at their slash."""
    return PLAN.datasets[wildcards.dataset]["synthetic"]


def splits(wildcards):
    """Return descriptions of the splits that a job makes: one, or all that are needed."""
    try:
        return inputs.job_splits(PLAN, **wildcards)
    except ConfigError as error:
        sys.exit(f"stillhouse: {error}")


def split_names(wildcards):
    """Return the names of the splits that a job makes."""
    return [split.name for split in splits(wildcards)]


def split_params(wildcards):
    """Return the splits that a job makes as plain dictionaries, for its parameters."""
    return list(map(asdict, splits(wildcards)))


def in_files(path, names, **wildcards):
    """Return the files that hold these splits: one file of all splits, or one for each."""
    needed = inputs.needed_splits(PLAN, **wildcards)
    together = config["splits"] == "together" and set(names) <= set(needed)
    return expand(path, split=[ALL] if together else names, **wildcards)


def wildcards_in(path, wildcards):
    """Return the values of those wildcards that a path has, without the split."""
    return {name: value for name, value in wildcards.items() if name != "split" and f"{{{name}}}" in path}


def chain_of(dataset, model, path):
    """Return the wildcards of a path to a model's preparation."""
    return {"dataset": dataset, **wildcards_in(path, inputs.preparation_wildcards(PLAN.models[model]["prepare"]))}
