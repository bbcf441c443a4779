# What the rules share: the checked configuration, the plan, every path, and inputs that depend on the plan.

import os
import sys
from pathlib import Path

import yaml

WORKFLOW = Path(str(workflow.current_basedir)).parent
sys.path.append(str(WORKFLOW / "scripts"))

from stillhouse.checks import checked, is_remote
from stillhouse.code import files_run_by
from stillhouse.dataset import places
from stillhouse.errors import UserError
from stillhouse.plan import Plan, start, upstream, verb
from stillhouse.splits import ALL, NONE

try:
    config = checked(config, yaml.safe_load((WORKFLOW / "schemas" / "config.schema.yaml").read_text()))
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
    dataset=one_of(config["datasets"]),
    model=one_of(PLAN.models),
    imputer=one_of(config["imputers"]),
    weigher=one_of(config["weighers"]),
    resampler=one_of(config["resamplers"]),
    split=r"all|none|\d+(\+\d+)*",


def code(script, *files):
    """Return the files that a script runs, as inputs; see `stillhouse/code.py`."""
    return [os.path.relpath(path) for path in files_run_by(script, *files)]


def code_with(script, kind, options):
    """Return an input function for the code of a script and of the methods that it runs for its wildcards."""
    return lambda wildcards: code(script, *(f"{kind}/{method}.py" for method in methods_in(options(wildcards))))


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


def chain_of(wildcards, path):
    """Return the wildcards of a path to a model's preparation."""
    prepare = PLAN.models[wildcards.model]["prepare"]
    chain = {"imputer": prepare["impute"], "weigher": prepare["weigh"], "resampler": prepare["resample"]}
    return {"dataset": wildcards.dataset, **wildcards_in(path, chain)}


def prepared(path):
    """Return an input function for the files of a model's preparation that hold the job's splits."""
    return lambda wildcards: in_files(path, [split["name"] for split in splits(wildcards)], **chain_of(wildcards, path))


def predictions_of(source, dataset, learning):
    """Return the files with a model's predictions that splits of another learn from: unseen ones, and those of new rows."""
    needed = [name for split in learning for name in [split["name"], *split["unseen"].values()]]
    names = list(dict.fromkeys(needed))
    return in_files(f"{MODEL}/predictions.parquet", names, dataset=dataset, model=source)


def teacher(wildcards):
    """Return the files with the predictions of a student's teacher."""
    return predictions_of(upstream(PLAN.models[wildcards.model])[0], wildcards.dataset, splits(wildcards))


def started(wildcards):
    """Return the files with the networks that a model's own begin with, for the job's splits; none for most models."""
    source = start(PLAN.models[wildcards.model])
    names = [split["name"] for split in splits(wildcards)]
    return in_files(f"{MODEL}/fitted.joblib", names, dataset=wildcards.dataset, model=source) if source else []


def members(wildcards):
    """Return the files with the predictions of each member of a stack, under its name."""
    learning = splits(wildcards)
    sources = upstream(PLAN.models[wildcards.model])
    return {f"member_{name}": predictions_of(name, wildcards.dataset, learning) for name in sources}


def evaluated_splits(wildcards):
    """Return descriptions of the splits whose predictions are scored."""
    return [PLAN.describe(wildcards.dataset, name) for name in PLAN.evaluated_splits(wildcards.dataset)]


def shift_files(path):
    """Return an input function for a file of the preparation that shift is judged by; none without deploy rows."""
    prepare = config["report"]["prepare"]
    chain = {"imputer": prepare["impute"], "weigher": prepare["weigh"]}

    def files(wildcards):
        names = PLAN.shift_splits(wildcards.dataset)
        return in_files(path, names, dataset=wildcards.dataset, **wildcards_in(path, chain)) if names else []

    return files


def local_files(wildcards):
    """Return the files of a dataset's tables, those behind addresses left out."""
    found = places(config["datasets"][wildcards.dataset])
    return [place for _, place in found if not is_remote(place)]


def shift_report(wildcards):
    """Return the diagnosis of a dataset with deploy rows."""
    return rules.diagnose.output.shift if PLAN.has_deploy(wildcards.dataset) else []


def shown_split(wildcards):
    """Return the split that stands for all where only one is shown: the last that is scored."""
    return PLAN.scored_splits(wildcards.dataset)[-1]


def stack_weights(wildcards):
    """Return the files with the weights of each stack, of the split that is shown."""
    names = [model for model, options in PLAN.models.items() if verb(options) == "stack"]
    shown = [shown_split(wildcards)]
    return [in_files(f"{MODEL}/weights.json", shown, dataset=wildcards.dataset, model=model)[0] for model in names]


def histories(wildcards):
    """Return the files with the histories of all networks, of all splits that are scored."""
    names = [model for model, options in PLAN.models.items() if verb(options) in ("train", "distill")]
    scored = PLAN.scored_splits(wildcards.dataset)
    return [
        path
        for model in names
        for path in in_files(f"{MODEL}/history.parquet", scored, dataset=wildcards.dataset, model=model)
    ]


def shipped(path):
    """Return an input function for a file of split none from a model's own preparation, or from the model itself."""
    return lambda wildcards: in_files(path, [NONE], **chain_of(wildcards, path))


def shipped_teacher(wildcards):
    """Return the files with the predictions that a shipped student learned from, none for other models."""
    learning = [PLAN.describe(wildcards.dataset, NONE)]
    return [
        path
        for name in upstream(PLAN.models[wildcards.model])
        for path in predictions_of(name, wildcards.dataset, learning)
    ]


def steps_of(wildcards):
    """Return the options of every step that a shipped model is made by."""
    model = PLAN.models[wildcards.model]
    return {
        "imputer": config["imputers"][model["prepare"]["impute"]],
        "weigher": config["weighers"][model["prepare"]["weigh"]],
        "resampler": config["resamplers"][model["prepare"]["resample"]],
        "model": model[verb(model)],
        "stop": config["folds"]["stop"],
        "split": PLAN.describe(wildcards.dataset, NONE),
    }


def files_of_steps(wildcards):
    """Return the method files that making a shipped model anew runs."""
    kinds = {"imputer": "imputers", "weigher": "weighers", "resampler": "resamplers", "model": "networks"}
    steps = steps_of(wildcards)
    return [f"{kinds[step]}/{name}.py" for step in kinds for name in methods_in(steps[step])]


def drift_files(wildcards):
    """Return what became of each exported model in the later batches of a dataset, where it has any."""
    if wildcards.dataset not in FOLLOWED:
        return []
    return expand(rules.drift.output.drift, dataset=wildcards.dataset, model=config["export"])
