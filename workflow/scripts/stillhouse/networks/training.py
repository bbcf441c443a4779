"""Networks: what owns the only Trainer, from the samples of many splits to fitted networks that predict."""

import ctypes
import logging
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import LightningEnvironment
from torch import nn

from stillhouse.claims import get_helpers, is_helper
from stillhouse.ensembles.adaboost import boosted
from stillhouse.errors import UserError
from stillhouse.networks.checkpoints import fingerprint, taken_up
from stillhouse.networks.fitted import outcome
from stillhouse.networks.losses import Loss
from stillhouse.networks.vectorized.lightning import Checkpoints, PlainFiles, ProgressLines, Training
from stillhouse.networks.vectorized.members import Shape, Table
from stillhouse.networks.vectorized.processes import SharedBatches
from stillhouse.seeds import derive

PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed"}


# Operations that a stack should do in one call: with fewer, the time goes into calls; with more, the caches run over.
WORK = 150e6


logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)


# What Lightning warns of that is meant: data that are no DataLoader, optimisers of our own, its own use of torch, no srun.
MEANT = (
    *(".*does not have many workers.*", ".*number of training batches.*", ".*LeafSpec.*", ".*configure_optimizers.*"),
    ".*`srun` command is available.*",
)


def train(sets, threads=1, title="networks", checkpoints=None):
    """Return fitted networks and their history for each training set; like ones are trained as one program.

    What is trained is the same whatever other sets there are, and on however many ``threads``. Under the folder
    ``checkpoints`` a training is kept, to go on when it was interrupted and the same is trained again; whoever has written down
    what it came to removes the folder. Raises ``UserError`` where no network of a set has learned anything.
    """
    boosts = sets[0].options["boost"]
    try:
        found = _boosted(sets, threads, title, checkpoints) if boosts else _trained(sets, threads, title, checkpoints)
    except UserError as error:
        raise UserError(f"{title}: {error}") from error
    if is_helper():
        sys.exit()
    return found


def _boosted(sets, threads, title, checkpoints):
    """Return networks that vote, and an empty history; those of a round are trained for all sets at once."""
    options = sets[0].options

    def fit_all(places, samples, number):
        settings = {**options, "boost": 0}
        again = [
            replace(sets[place], sample=sample, options=settings, seed=derive(sets[place].seed, "round", number))
            for place, sample in zip(places, samples, strict=True)
        ]
        part = f"{title}, round {number + 1} of {options['boost']}"
        return [model for model, _ in _trained(again, threads, part, checkpoints)]

    samples = [training_set.sample for training_set in sets]
    voted = boosted(samples, fit_all, options["boost"], options["vote_rate"], sets[0].n_classes)
    return [(model, pd.DataFrame()) for model in voted]


def _trained(sets, threads, title, checkpoints):
    keep_freed_memory()
    # What a network predicts shall not depend on how many threads there are.
    torch.set_num_threads(1)
    alike = {}
    for place, training_set in enumerate(sets):
        alike.setdefault(training_set.likeness, []).append(place)
    found = [None] * len(sets)
    for number, places in enumerate(alike.values(), start=1):
        part = title if len(alike) == 1 else f"{title}, part {number} of {len(alike)}"
        members = train_alike([sets[place] for place in places], threads, part, checkpoints)
        for place, own in zip(places, members, strict=True):
            found[place] = outcome(sets[place], own)
    return found


def train_alike(sets, threads, title, checkpoints):
    """Train the networks of sets that can be stacked; returns each set's members."""
    options, (_, batch, steps) = sets[0].options, sets[0].likeness
    table, by_set = gathered(sets)
    members = [member for own in by_set for member in own]
    callbacks, path = [ProgressLines(title, options["epochs"])], None
    if checkpoints:
        path = Path(checkpoints) / f"{fingerprint(members, table, options)}.ckpt"
        callbacks.append(Checkpoints(path, options["checkpoint"]))
    groups = cut(members, len(members) if options["devices"] > 1 else size_of_stack(members, batch, threads))
    loss = Loss(options["loss"], sets[0].n_classes)
    training = Training(groups, table, Shape(batch, steps), options, loss, threads)
    with warnings.catch_warnings():
        for message in MEANT:
            warnings.filterwarnings("ignore", message=message)
        new_trainer(options, callbacks).fit(training, [0], ckpt_path=path and taken_up(path))
    return by_set


def gathered(sets):
    """Return the table of the sets, one below the other, and each one's members; the sets let go of their rows."""
    tables, offset = [], 0
    for training_set in sets:
        training_set.offset = offset
        tables.append(training_set.table())
        offset += len(training_set.sample)
    table = Table(**{name: _joined([getattr(part, name) for part in tables]) for name in vars(tables[0])})
    by_set = [training_set.members() for training_set in sets]
    for number, member in enumerate(member for own in by_set for member in own):
        member.number = number
    for training_set in sets:
        training_set.forget()
    return table, by_set


def _joined(parts):
    return None if parts[0] is None else torch.cat(parts)


def size_of_stack(members, batch, threads):
    """Return how many members go into a stack: all on a GPU, on a CPU as many as keep it busy, and one stack a thread."""
    if torch.cuda.is_available():
        return len(members)
    widest = max((layer.weight.numel() for layer in members[0].module.modules() if isinstance(layer, nn.Linear)), default=1)
    return max(1, min(int(WORK / (2 * batch * widest)), -(-len(members) // threads)))


def cut(members, size):
    """Return members in groups of nearly equal size, ``size`` at most."""
    count = -(-len(members) // size)
    return [list(part) for part in np.array_split(np.array(members, dtype=object), count)]


def new_trainer(options, callbacks):
    """Return a Trainer that prints nothing and writes nothing but our checkpoints."""
    devices, found = options["devices"], torch.cuda.device_count()
    if found and devices > found:
        raise UserError(f"devices: {devices} are asked for, and this job has {found}; ask for as many GPUs, or lower it")
    if devices > 1:
        get_helpers()
    return pl.Trainer(
        max_epochs=options["epochs"],
        precision=PRECISIONS[options["precision"]],
        callbacks=callbacks,
        accelerator="cuda" if torch.cuda.is_available() else "cpu",
        devices=devices,
        strategy=SharedBatches() if devices > 1 else "auto",
        # Lightning starts what processes it needs; it would otherwise ask a Slurm job for its tasks, and take its signals.
        plugins=[LightningEnvironment(), PlainFiles()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def keep_freed_memory():
    """Ask glibc to keep what is freed, as it would be wanted again a step later; elsewhere do nothing."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for setting, value in ((-4, 0), (-1, 2**31 - 1), (-2, 64 << 20)):
            libc.mallopt(setting, value)
