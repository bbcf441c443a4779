"""What a model of the configuration is: the rule that makes it, what it learns from, and what it is compared with."""

from stillhouse.config.dataset import as_list
from stillhouse.methods import is_method
from stillhouse.splits import NONE

# The value of a setting that is chosen from the data.
AUTO = "auto"
# The rules that make models, each with the folder of the methods that it runs.
METHOD_FOLDERS = {
    "train": "architectures",
    "fit": "estimators",
    "distill": "estimators",
    "stack": "stackers",
    "read": "readers",
}
# The settings of a student that its twin does not have.
TAUGHT = ("teacher", "pool", "alpha", "auto_rows", "temperature", "transfer", "transfer_weight", "hints")


def verb(model):
    """Return the rule that makes a model, such as ``train``."""
    return next(verb for verb in METHOD_FOLDERS if verb in model)


def method_folder(model):
    """Return the folder of the method that makes a model, such as ``architectures``; a student is a network or an estimator."""
    made_by = verb(model)
    is_student_network = made_by == "distill" and is_method("architectures", model[made_by].get("method"))
    return "architectures" if is_student_network else METHOD_FOLDERS[made_by]


def upstream(model):
    """Return the names of the models that a model learns from."""
    options = model[verb(model)]
    return as_list(options.get("members") or options.get("teacher") or [])


def table_of(model, dataset):
    """Return the file with predictions of a dataset's rows that were made outside the workflow, or None."""
    table = model[verb(model)].get("table")
    return table and table.replace("{dataset}", dataset)


def start(model):
    """Return the name of the model whose weights a network is warm-started with, or None."""
    return model[verb(model)].get("start")


def hint_teacher(model):
    """Return the name of the teacher whose last hidden layer a student learns to predict (hints), or None."""
    return upstream(model)[0] if model[verb(model)].get("hints") else None


def twin_name(student):
    """Return the name of a student's twin: the same model, trained on labels alone."""
    return f"{student}twin"


def with_start(model, name):
    """Return the model with ``start`` set: it is warm-started with the weights of another."""
    return {**model, verb(model): {**model[verb(model)], "start": name}}


def plain_name(balanced):
    """Return the name of a model's counterpart without resampling."""
    return f"{balanced}plain"


def twins(models):
    """Return the twin of each student by its name: the same method and budget, trained on labels alone."""
    made = {name: _twin(model) for name, model in models.items() if "distill" in model}
    return {name: with_start(model, twin_name(start(model))) if start(model) in made else model for name, model in made.items()}


def _twin(student):
    options = {key: value for key, value in student["distill"].items() if key not in TAUGHT}
    return {"prepare": student["prepare"], "train" if method_folder(student) == "architectures" else "fit": options}


def plains(models, resamplers):
    """Return the counterpart without resampling of each model that has resampling, by the model's name."""
    return {
        name: {**model, "prepare": {**model["prepare"], "resample": NONE}}
        for name, model in models.items()
        if "prepare" in model and resamplers[model["prepare"]["resample"]]["method"] != NONE
    }
