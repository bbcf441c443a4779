"""What a model of the configuration is: the rule that makes it, what it learns from, and what it is compared with."""

from stillhouse.config.dataset import as_list
from stillhouse.methods import is_method
from stillhouse.splits import NONE

# The rules that make models, and the folder of the methods that each of them runs.
KINDS = {"train": "architectures", "fit": "estimators", "distill": "estimators", "stack": "stackers", "read": "readers"}
# What a student has and its twin has not.
TAUGHT = ("teacher", "pool", "alpha", "temperature", "transfer", "transfer_weight", "hints")


def verb(model):
    """Return the rule that makes a model, such as ``train``."""
    return next(verb for verb in KINDS if verb in model)


def kind(model):
    """Return the folder of the method that makes a model, such as ``networks``; a student may be of any kind that learns."""
    made_by = verb(model)
    is_student_network = made_by == "distill" and is_method("architectures", model[made_by].get("method"))
    return "architectures" if is_student_network else KINDS[made_by]


def upstream(model):
    """Return the names of the models that a model learns from."""
    options = model[verb(model)]
    return as_list(options.get("members") or options.get("teacher") or [])


def table_of(model, dataset):
    """Return the file with the predictions that somebody else made of a dataset's rows, or None."""
    table = model[verb(model)].get("table")
    return table and table.replace("{dataset}", dataset)


def start(model):
    """Return the name of the model whose weights a network begins with, or None."""
    return model[verb(model)].get("start")


def hinting(model):
    """Return the name of the teacher whose last hidden layer a student is mapped onto, or None."""
    return upstream(model)[0] if model[verb(model)].get("hints") else None


def twin_name(student):
    """Return the name of the model that is a student in all but its teacher."""
    return f"{student}twin"


def beginning(model, name):
    """Return a network that begins with the weights of another model."""
    return {**model, verb(model): {**model[verb(model)], "start": name}}


def plain_name(balanced):
    """Return the name of the model that is another in all but its resampling, of which it has none."""
    return f"{balanced}plain"


def twins(models):
    """Return for each student its twin: the same method with the same budget, on hard labels alone."""
    found = {name: _twin(model) for name, model in models.items() if "distill" in model}
    return {
        name: beginning(model, twin_name(start(model))) if start(model) in found else model for name, model in found.items()
    }


def _twin(student):
    options = {key: value for key, value in student["distill"].items() if key not in TAUGHT}
    return {"prepare": student["prepare"], "train" if kind(student) == "architectures" else "fit": options}


def plains(models, resamplers):
    """Return for each model that learns from resampled rows the same model without resampling."""
    return {
        name: {**model, "prepare": {**model["prepare"], "resample": NONE}}
        for name, model in models.items()
        if "prepare" in model and resamplers[model["prepare"]["resample"]]["method"] != NONE
    }
