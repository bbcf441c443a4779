"""Training sets: the sample of a split as tensors, and the members (networks to be trained) that learn from it."""

import copy
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import torch

from stillhouse.columns import LABEL, STOP, TOKEN, WEIGHT, feature_kind, features
from stillhouse.config.models import AUTO, TAUGHT
from stillhouse.distillation.soft_targets import candidates, hard_targets
from stillhouse.errors import UserError
from stillhouse.methods import build
from stillhouse.networks.architecture import initialise, inputs_of, tokens_of
from stillhouse.networks.rows import scale_of, tensors_of
from stillhouse.networks.vectorized.members import Member, Table, steps_an_epoch
from stillhouse.seeds import derive

# The settings of training; all others are settings of the architecture.
TRAINING_SETTINGS = (
    *("batch", "epochs", "patience", "rate", "rates", "only_norms", "optimizer", "momentum", "decay", "l1", "clip"),
    *(
        "schedule",
        "warmup",
        "cycles",
        "loss",
        "focus",
        "quantiles",
        "smoothing",
        "mixup",
        "curriculum",
        "average",
        "snapshots",
        "precision",
    ),
    *("checkpoint", "devices", "seeds", "bag", "boost", "vote_rate", "refit", "initialization", "bins", "start", "new_head"),
    *TAUGHT,
)
# An automatic batch size is a power of two. Up to 256 rows it gives an epoch 8 steps or more, if there are enough rows; larger
# ones, up to the last limit, give it 256 or more, so that a large table does not take as many times the steps as it has rows.
SMALLEST_BATCH, USUAL_BATCH, LARGEST_BATCH = 32, 256, 1024


def automatic_batch(rows):
    """Return the number of rows in a batch for so many rows to fit on."""
    small, large = (1 << max(1, rows // steps).bit_length() - 1 for steps in (8, USUAL_BATCH))
    return max(SMALLEST_BATCH, min(USUAL_BATCH, small), min(LARGEST_BATCH, large))


@dataclass(eq=False)
class TrainingSet:
    """The sample of a split, as its networks learn from it; it can be trained once, as training discards the rows.

    ``soft`` has soft targets for the rows of the sample (NaN for rows without a teacher's prediction), or is None; rows
    without a label always have a soft target. ``start`` has fitted networks for a warm start, ``hints`` the targets of the
    hint outputs (see ``hints.py``). The labels of a regression are standardized over the rows that are not stop rows. A set
    that ``follows`` another has no stop rows: its networks take as many steps as the other's best ones. ``kept`` is the
    position of the first member of the candidate that is kept.
    """

    sample: pd.DataFrame
    soft: np.ndarray | None
    options: dict
    n_classes: int
    seed: int
    start: object = None
    split: str = ""
    hints: np.ndarray | None = None
    follows: "TrainingSet | None" = None
    offset: int = field(default=0, init=False)
    kept: int = field(default=0, init=False)

    @cached_property
    def names(self):
        """The names of the features, in the networks' order."""
        return self.start.names if self.start else features(self.sample)

    @cached_property
    def fitted(self):
        """Positions of the rows that networks are fitted on."""
        return np.flatnonzero(~self.sample[STOP].to_numpy())

    @cached_property
    def stop(self):
        """Positions of the stop rows."""
        return np.flatnonzero(self.sample[STOP].to_numpy())

    @cached_property
    def units(self):
        """The centre and scale by which a regression's labels are standardized; 0 and 1 for classes."""
        if self.start:
            return self.start.centre, self.start.scale
        labels = self.sample[LABEL].iloc[self.fitted]
        return (0.0, 1.0) if self.n_classes else (float(labels.mean()), float(labels.std(ddof=0)) or 1.0)

    @property
    def n_outputs(self):
        """The number of classes, or of the value and its quantiles."""
        return self.n_classes or 1 + len(self.options["quantiles"])

    @cached_property
    def candidates(self):
        """The pairs (temperature, alpha) to train with; a single one without a teacher."""
        return [(1.0, 1.0)] if self.soft is None else candidates(self.options, len((self.follows or self).fitted))

    @property
    def batch(self):
        """Rows in a batch; raises ``UserError`` where the settings ask for more than there are."""
        if self.follows:
            return self.follows.batch
        rows, asked = len(self.fitted), self.options["batch"]
        if asked == AUTO:
            return min(rows, automatic_batch(rows))
        if asked > rows:
            raise UserError(
                f"batch: {asked} rows in a batch are more than the {rows} rows to fit on; take fewer, or write auto"
            )
        return asked

    @property
    def signature(self):
        """What sets must share for their networks to be trained together: features, batch size, steps in an epoch."""
        rows = len((self.follows or self).fitted)
        return tuple(self.names), self.tokens, self.batch, steps_an_epoch(rows, self.batch)

    @cached_property
    def tokens(self):
        """How many tokens of each column of texts are read and known; a set that follows another has those of the other."""
        if self.follows:
            return self.follows.tokens
        return tokens_of(self.names, self._tensors[0].numpy()[self.fitted]) if self._has_tokens else ()

    @property
    def _has_tokens(self):
        return any(feature_kind(name) == TOKEN for name in self.names)

    @cached_property
    def pictures(self):
        """The shape and scale of each column of whole pictures; see ``rows.py``."""
        pixels = self._tensors[1]
        return () if pixels is None else scale_of(pixels.numpy()[self.fitted], self.names)

    @cached_property
    def _tensors(self):
        return tensors_of(self.sample, self.names)

    def table(self):
        """Return features, targets and weights as tensors."""
        centre, scale = self.units
        hard = (hard_targets(self.sample, self.soft, self.n_classes) - centre) / scale
        # Each quantile has the label as its target.
        repeated = np.repeat(hard, 1 + len(self.options["quantiles"]), axis=1)
        table = Table(
            self._tensors[0],
            torch.from_numpy(repeated.astype(np.float32)),
            torch.tensor(self.sample[WEIGHT].to_numpy(np.float32)),
            pixels=self._tensors[1],
        )
        if self.soft is not None:
            taught = ~np.isnan(self.soft[:, 0])
            table.taught = torch.from_numpy(taught)
            table.soft = torch.from_numpy(np.where(taught[:, None], (self.soft - centre) / scale, hard).astype(np.float32))
        if self.hints is not None:
            table.hints = torch.from_numpy(self.hints.astype(np.float32))
        return table

    def members(self):
        """Return the members; their row positions count from ``offset``, where this set starts in the common table."""
        bins = self.options["bins"] if self.options["numbers"] == "piecewise" else 0
        fitted = self._tensors[0].numpy()[self.fitted] if bins else None
        inputs = inputs_of(self.names, fitted, bins, self.tokens, self.pictures)
        easiest = self._easiest_first() if self.options["curriculum"] else None
        seeds = range(self.options["seeds"])
        return [self._member(number, inputs, easiest, *pair) for pair in self.candidates for number in seeds]

    def forget(self):
        """Discard the rows that only training needs; stop rows stay, and all rows stay for the out-of-bag score of a bag."""
        _ = self.names, self.units, self.fitted, self.stop, self.candidates, self.tokens
        vars(self).pop("_tensors", None)
        if not self.options["bag"]:
            self.sample = self.sample.iloc[self.stop]

    def _member(self, number, inputs, easiest, temperature, alpha):
        seed, options = derive(self.seed, "network", number), self.options
        fitted = self.fitted
        if options["bag"]:
            fitted = np.random.default_rng(derive(seed, "bag")).choice(fitted, len(fitted))
        if easiest is not None:
            easiest = self.offset + np.repeat(easiest, np.bincount(fitted, minlength=len(self.sample))[easiest])
        return Member(
            module=self._module(number, inputs, seed),
            fitted=self.offset + fitted,
            stop=self.offset + self.stop,
            seed=derive(seed, "training"),
            rate=1e-3 if options["rate"] == AUTO else options["rate"],
            decay=options["decay"],
            clip=options["clip"],
            l1=options["l1"],
            alpha=alpha,
            temperature=temperature,
            prior=self._prior() if options["smoothing"] else None,
            easiest=easiest,
            is_warm_started=bool(self.start) and not options["new_head"],
        )

    def _module(self, number, inputs, seed):
        if not self.start:
            return self._new(inputs, seed)
        network = copy.deepcopy(self.start.members[number % len(self.start.members)][-1])
        if self.options["new_head"]:
            network.head = self._new(inputs, seed).head
        return network

    def _new(self, inputs, seed):
        hinted = 0 if self.hints is None else self.hints.shape[1]
        architecture = {key: value for key, value in self.options.items() if key not in TRAINING_SETTINGS}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(seed, "weights"))
            network = build("architectures", architecture, inputs=inputs, n_outputs=self.n_outputs + hinted)
            return initialise(network, self.options["initialization"])

    def _prior(self):
        hard = hard_targets(self.sample, self.soft, self.n_classes)[self.fitted]
        return np.average(hard, axis=0, weights=self.sample[WEIGHT].to_numpy()[self.fitted])

    def _easiest_first(self):
        """Return the fitted positions in order of the loss of a simple model, the lowest first."""
        from sklearn.linear_model import LogisticRegression, Ridge

        X = self.sample[self.names].to_numpy()[self.fitted]
        hard = hard_targets(self.sample, self.soft, self.n_classes)[self.fitted]
        y = hard.argmax(axis=1) if self.n_classes else hard[:, 0]
        if not self.n_classes:
            loss = np.abs(Ridge().fit(X, y).predict(X) - y)
        elif len(np.unique(y)) == 1:
            loss = np.zeros(len(y))
        else:
            model = LogisticRegression(max_iter=1000).fit(X, y)
            loss = -model.predict_proba(X)[np.arange(len(y)), np.searchsorted(model.classes_, y)]
        return self.fitted[np.argsort(loss, kind="stable")]
