"""The parts of a group: the table that its members read, the members, and the shape that they have in common."""

import copy
import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import nn

from stillhouse.networks.rows import blocks

PROGRESS = ("number", "rate", "best", "best_epoch", "slowed", "times_judged", "snapshots", "stopped", "history", "curve")


@dataclass
class Table:
    """The rows of all splits, concatenated; every tensor has one entry for each row.

    ``hard`` has class probabilities or values, shape (rows, outputs); ``soft`` has the same from a teacher, or is None, and
    ``taught`` says which rows have a soft target. ``hints`` has the targets of the hint outputs, or is None. ``pixels`` has
    those of whole pictures, which networks read behind the features, or is None; see ``rows.py``.
    """

    features: torch.Tensor
    hard: torch.Tensor
    weight: torch.Tensor
    soft: torch.Tensor | None = None
    taught: torch.Tensor | None = None
    hints: torch.Tensor | None = None
    pixels: torch.Tensor | None = None

    def first(self, count):
        """Return what networks read of the first rows."""
        return next(blocks(self.features, self.pixels, count))

    def to(self, device):
        """Return the table on a device."""
        moved = {name: None if value is None else value.to(device) for name, value in vars(self).items()}
        return Table(**moved)


@dataclass
class Member:
    """One network among many, its data and settings; ``fitted`` and ``stop`` are positions in the table.

    ``easiest`` has the fitted rows in order of difficulty, for a curriculum; ``prior`` has the class prior that labels are
    smoothed towards. A member that ``follows`` another has no stop rows: it keeps its weights, slows down and stops whenever
    the other does.
    """

    module: nn.Module
    fitted: np.ndarray
    stop: np.ndarray
    seed: int
    rate: float
    decay: float = 0.0
    clip: float = float("inf")
    l1: float = 0.0
    alpha: float = 1.0
    temperature: float = 1.0
    prior: np.ndarray | None = None
    easiest: np.ndarray | None = None
    is_warm_started: bool = False
    follows: "Member | None" = None
    number: int = 0
    best: float = float("inf")
    best_epoch: int = -1
    slowed: float = 1.0
    times_judged: int = 0
    snapshots: int = 0
    stopped: bool = False
    history: list = field(default_factory=list)
    curve: list = field(default_factory=list)
    kept: list = field(default_factory=list)

    def write_down(self, epoch, loss, stop_loss):
        """Append an epoch to the history; losses are means over rows."""
        rate = self.rate * self.slowed
        self.history.append({"epoch": epoch, "loss": loss, "stop_loss": stop_loss, "rate": rate, "kept": False})

    def judged(self, epoch, stop_loss, settings):
        """Return whether an epoch's stop loss is the lowest so far; lower the rate, or stop, if none has been lower for
        long.
        """
        self.times_judged += 1
        is_better = self.history[-1]["kept"] = stop_loss < self.best
        if is_better:
            self.best, self.best_epoch = stop_loss, epoch
            self.snapshots = min(settings["snapshots"], self.times_judged)
        waited = epoch - self.best_epoch
        if settings["schedule"] == "plateau" and waited and waited % max(1, settings["patience"] // 3) == 0:
            self.slowed /= 3
        self.stopped = waited >= settings["patience"] or not math.isfinite(stop_loss)
        return is_better

    def followed(self, epoch, loss):
        """Return whether the member that this one follows has just been at its best; slow down and stop as that one does."""
        self.slowed, self.stopped = self.follows.slowed, self.follows.stopped
        is_better = self.follows.best_epoch == epoch and (epoch < 0 or math.isfinite(loss))
        if is_better:
            self.best_epoch, self.snapshots = epoch, self.follows.snapshots
        return is_better

    def progress(self):
        """Return what changes of a member in training, without the kept networks."""
        return {name: getattr(self, name) for name in PROGRESS}

    def outcome(self):
        """Return a stopped member, as plain values and tensors."""
        return {**self.progress(), "kept": [module.state_dict() for module in self.kept]}

    def load(self, outcome):
        """Restore what ``progress`` or ``outcome`` returned."""
        states = outcome.get("kept", [])
        vars(self).update({name: outcome[name] for name in PROGRESS})
        self.kept = [copy.deepcopy(self.module) for _ in states]
        for module, state in zip(self.kept, states, strict=True):
            module.load_state_dict(state)


@dataclass(frozen=True)
class Shape:
    """What members must have in common to be vectorized, besides their layers: batch size and steps in an epoch."""

    batch: int
    steps: int


@dataclass(frozen=True)
class Program:
    """How the members of a group are trained: their shape, the options of the network, and the loss."""

    shape: Shape
    settings: dict
    loss: object


@dataclass(frozen=True)
class Layout:
    """Members that can be vectorized together, the table that they read, and the program by which they are trained.

    ``partition`` has the members of each group; it affects the speed and no result.
    """

    table: Table
    program: Program
    partition: list

    @property
    def members(self):
        """All members."""
        return [member for members in self.partition for member in members]


def steps_an_epoch(rows, batch):
    """Return the steps of an epoch, rounded down to four binary digits, so that splits of similar size can share a group.

    Batches are drawn from an endless stream of passes, so the rounding loses no row.
    """
    steps = max(1, rows // batch)
    unit = 1 << max(0, steps.bit_length() - 4)
    return steps // unit * unit
