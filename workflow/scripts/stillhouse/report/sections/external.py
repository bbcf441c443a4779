"""Predictions that were made outside the workflow: what has to be assumed about them."""

ASSUMPTIONS = {
    "none": "The table does not state which rows its makers had seen, so every prediction is treated as one of an unseen row. "
    "If some rows were seen, the scores of this model and of its students are too good.",
    "fold": "The table states that each row was predicted by a model that had not seen the row's fold. That model had seen the "
    "other folds, also the one that a student is scored on, so the scores of its students may be slightly too good.",
    "split": "The table states that each row was predicted by a model that had seen none of the held-out folds.",
}


def sentences(run):
    """Return the assumption on each model whose predictions are read from a table."""
    return [
        f"{run.quoted(name)} is a table of predictions made outside this workflow. {ASSUMPTIONS[model['read']['held_out']]}"
        for name, model in run.models.items()
        if "read" in model
    ]
