"""A model with its preparation, or several that are pooled: from typed rows of a table to predictions."""

from dataclasses import dataclass

import numpy as np

from stillhouse.ensembles.stacking import as_scores
from stillhouse.methods import build
from stillhouse.splits import NONE
from stillhouse.tables import file_of, read_fitted, read_json


@dataclass
class Alone:
    """A preparation and the model that was fitted after it, as ``OnOriginalPrior`` holds it."""

    preparation: object
    model: object

    @property
    def columns(self):
        """Descriptions of the raw columns that are read."""
        return self.preparation.columns

    @property
    def factors(self):
        """What probabilities are multiplied by to decide; None for values."""
        return self.model.factors

    @property
    def n_classes(self):
        """The number of classes, 0 for values."""
        return self.model.model.n_classes

    @property
    def models(self):
        """All fitted models."""
        return [self.model]

    def predict(self, table):
        """Return probabilities (rows, classes) or values (rows, 1) of typed rows."""
        return self.model.predict(self.preparation.transform(table))


@dataclass
class Pooled:
    """Members, and what pools their scores."""

    members: list
    stacker: object
    factors: np.ndarray | None

    @property
    def columns(self):
        """Descriptions of the raw columns that any member reads, each once."""
        return list({column["name"]: column for member in self.members for column in member.columns}.values())

    @property
    def n_classes(self):
        """The number of classes, 0 for values."""
        return self.members[0].n_classes

    @property
    def models(self):
        """All fitted models."""
        return [model for member in self.members for model in member.models]

    def predict(self, table):
        """Return probabilities (rows, classes) or values (rows, 1) of typed rows."""
        scores = np.stack([as_scores(member.predict(table), self.n_classes) for member in self.members])
        return self.stacker.pooled(scores, self.n_classes)


def assembled(name, models, files, split=NONE):
    """Return a model of a split as a whole, from the files that it is made of; ``models`` has options by name."""
    if "stack" not in models[name]:
        return Alone(read_fitted(files[f"preparations_{name}"], split), read_fitted(files[f"fitted_{name}"], split))
    learned = read_json(file_of(files[f"weights_{name}"], split))[split]
    options = models[name]["stack"]
    settings = {key: value for key, value in options.items() if key != "members"}
    stacker = build("stackers", settings).restored(learned | {"weights": [learned["weights"][m] for m in options["members"]]})
    factors = None if learned["factors"] is None else np.array(learned["factors"])
    return Pooled([assembled(member, models, files, split) for member in options["members"]], stacker, factors)
