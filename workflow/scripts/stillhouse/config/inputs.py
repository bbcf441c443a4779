"""What a job reads: which splits, models, choices and method files. The rules turn the answers into paths.

Standard library only, as the workflow reads this on every job.
"""

from dataclasses import asdict
from pathlib import Path

from stillhouse.config.completion import CHOICES, ENCODERS, ConfigError
from stillhouse.config.dataset import FOLDER, is_left_out, is_remote, locations
from stillhouse.config.models import method_folder, verb
from stillhouse.methods import method_file
from stillhouse.splits import ALL, NONE

# The most cores of one job.
MOST_CORES = 4
# The wildcards that name the choices of a preparation, each with its step in the configuration.
STEPS = {"imputer": "impute", "weigher": "weigh", "resampler": "resample"}


def preparation_wildcards(prepare):
    """Return the wildcards that name a preparation, such as ``{"imputer": "median", …}``."""
    return {wildcard: prepare[step] for wildcard, step in STEPS.items() if step in prepare}


def needed_splits(plan, dataset, model=None, **chain):
    """Return the names of the splits that are needed for a model, or for a preparation with these wildcards."""
    if model:
        return plan.model_splits(dataset, model)
    return plan.prepared_splits(dataset, **{STEPS[wildcard]: choice for wildcard, choice in chain.items()})


def job_splits(plan, split, dataset, **named):
    """Return descriptions of the splits that a job makes: the one that its path names, or all that are needed.

    Raises ``ConfigError`` for a split that the dataset does not have.
    """
    names = needed_splits(plan, dataset, **named) if split == ALL else [split]
    if unknown := [name for name in names if not plan.folds[dataset].allows(name)]:
        last = plan.folds[dataset].count - 1
        raise ConfigError(
            f"there is no split {unknown[0]!r}: a split names the folds that it holds out, 0 to {last} in ascending order, "
            "such as 0+2, and leaves some to learn from"
        )
    return [plan.describe(dataset, name) for name in names]


def splits_of_sources(splits):
    """Return the names of the splits whose predictions of other models a job reads: its own, and their unseen splits."""
    return list(dict.fromkeys(name for split in splits for name in [split.name, *split.unseen.values()]))


def models_made_by(plan, *rules):
    """Return the names of the models that some rules make."""
    return [name for name, model in plan.models.items() if verb(model) in rules]


def pipeline_parts(plan, models):
    """Return the names of all models that pipelines are put together from, with whether each is a stack."""
    names = dict.fromkeys(part for model in models for part in plan.parts(model))
    return {name: "stack" in plan.models[name] for name in names}


def uses_synthetic_rows(plan, dataset):
    """Return whether synthetic rows of a dataset are drawn: it asks for them, and some student learns from them."""
    return "synthetic" in plan.datasets[dataset] and plan.transfers("synthetic")


def methods_in(options):
    """Return the names of the methods in options, including the imputers inside `columns`."""
    inner = [*options.get("each", {}).values(), *([options["rest"]] if "rest" in options else [])]
    return sorted({options["method"], *(method for within in inner for method in methods_in(within))})


def method_files(kind, options):
    """Return the files of the methods in options, those of the encoders of texts and pictures among them."""
    encoders = [file for key, kind in ENCODERS.items() if key in options for file in method_files(kind, options[key])]
    return [*(method_file(kind, method) for method in methods_in(options)), *encoders]


def encoder_files(options):
    """Return the files that the encoders of an imputer name."""
    return [options[key]["file"] for key in ENCODERS if "file" in options.get(key, {})]


def cores(plan, methods, model):
    """Return how many cores a fit of an estimator can use, of those that a run has; ``methods`` has the marks of methods."""
    options = plan.models[model]["fit"]
    return MOST_CORES if methods["estimators"][options["method"]].get("uses_cores") else 1


def student_file(plan, model):
    """Return the method file of a student."""
    student = plan.models[model]
    return method_file(method_folder(student), student["distill"]["method"])


def shipped_steps(plan, dataset, model):
    """Return the options of every step by which a shipped model is made."""
    config, options = plan.config, plan.models[model]
    choices = {
        wildcard: config[CHOICES[STEPS[wildcard]]][choice]
        for wildcard, choice in preparation_wildcards(options["prepare"]).items()
    }
    stop, split = config["folds"]["stop"], plan.describe(dataset, NONE)
    return {**choices, "model": options[verb(options)], "stop": stop, "split": asdict(split)}


def files_of_shipped_steps(plan, dataset, model):
    """Return the method files that run when a shipped model is made from scratch."""
    steps = shipped_steps(plan, dataset, model)
    kinds = {wildcard: CHOICES[step] for wildcard, step in STEPS.items()} | {"model": method_folder(plan.models[model])}
    return [file for step, kind in kinds.items() for file in method_files(kind, steps[step])]


def recipe(plan, dataset, model):
    """Return all settings by which an exported model, and the models upstream of it, are made."""
    config, models = plan.config, plan.with_upstream(model)
    prepared = [options["prepare"] for options in models.values() if "prepare" in options]
    choices = {section: {one[step]: config[section][one[step]] for one in prepared} for step, section in CHOICES.items()}
    made_from = dataset_options(plan, dataset)
    return {"seed": config["seed"], "folds": config["folds"], "dataset": made_from, "models": models, **choices}


def dataset_options(plan, dataset):
    """Return the options of a dataset that its rows are read by: all but the columns by which scores alone are divided."""
    return {key: value for key, value in plan.datasets[dataset].items() if key not in ("slices", "sets_by")}


def table_files(plan, dataset):
    """Return the files of a dataset's tables; tables at addresses and in libraries have none.

    Of a folder with a file for each row they are the folder and those within, whose times tell of files that came or went.
    """
    here = [location for _, location in locations(plan.datasets[dataset]) if not is_remote(location)]
    return [path for location in here for path in (folders_in(location) if location.startswith(FOLDER) else [location])]


def folders_in(location):
    """Return the path of a folder with a file for each row, and those of the folders in it."""
    folder = Path(location.removeprefix(FOLDER))
    return [str(folder), *(str(path) for path in sorted(folder.iterdir()) if path.is_dir() and not is_left_out(path))]
