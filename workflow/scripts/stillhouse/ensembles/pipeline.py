"""Pipelines: a model with its preparation, or a stack of such models; from typed rows to predictions."""

from dataclasses import dataclass

import numpy as np

from stillhouse.ensembles.stacking import as_scores
from stillhouse.methods import build
from stillhouse.splits import NONE
from stillhouse.tables import file_of, read_fitted, read_json


@dataclass
class SinglePipeline:
    """A fitted preparation and the model that was fitted on its features, an ``OnOriginalPrior``."""

    preparation: object
    model: object

    @property
    def columns(self):
        """The descriptions of the raw columns that the preparation reads."""
        return self.preparation.columns

    @property
    def factors(self):
        """The factors by which classes are decided for; None for values."""
        return self.model.factors

    @property
    def n_classes(self):
        """The number of classes, 0 for values."""
        return self.model.model.n_classes

    @property
    def levels(self):
        """The levels of the quantiles that follow the value."""
        return self.model.model.levels

    @property
    def models(self):
        """All fitted models."""
        return [self.model]

    def predict(self, table):
        """Return probabilities (rows, classes) or values (rows, 1) of typed rows."""
        return self.outputs(table)[:, : self.n_classes or 1]

    def outputs(self, table):
        """Return what ``predict`` does, and after a value its quantiles; shape (rows, outputs)."""
        return self.model.predict(self.preparation.transform(table))


@dataclass
class StackedPipeline:
    """The pipelines of a stack's members, and its fitted stacker."""

    members: list
    stacker: object
    factors: np.ndarray | None

    @property
    def columns(self):
        """The descriptions of the raw columns that some member reads, each once."""
        return list({column["name"]: column for member in self.members for column in member.columns}.values())

    @property
    def n_classes(self):
        """The number of classes, 0 for values."""
        return self.members[0].n_classes

    @property
    def levels(self):
        """The levels of the quantiles that follow the value: a stack has none."""
        return ()

    @property
    def models(self):
        """All fitted models."""
        return [model for member in self.members for model in member.models]

    def predict(self, table):
        """Return probabilities (rows, classes) or values (rows, 1) of typed rows."""
        return self.outputs(table)

    def outputs(self, table):
        """Return what ``predict`` does; a stack has no quantiles."""
        scores = np.stack([as_scores(member.predict(table), self.n_classes) for member in self.members])
        return self.stacker.pooled(scores, self.n_classes)


def load_pipeline(name, models, files, split=NONE):
    """Return the pipeline of a model in a split, read from ``files``; ``models`` has the options of models by name."""
    if "stack" not in models[name]:
        return SinglePipeline(read_fitted(files[f"preparations_{name}"], split), read_fitted(files[f"fitted_{name}"], split))
    learned = read_json(file_of(files[f"weights_{name}"], split))[split]
    options = models[name]["stack"]
    settings = {key: value for key, value in options.items() if key != "members"}
    stacker = build("stackers", settings).restored(learned | {"weights": [learned["weights"][m] for m in options["members"]]})
    factors = None if learned["factors"] is None else np.array(learned["factors"])
    return StackedPipeline([load_pipeline(member, models, files, split) for member in options["members"]], stacker, factors)
