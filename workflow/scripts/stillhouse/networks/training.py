"""Training of networks: from the samples of many splits, by one Lightning Trainer, to fitted networks."""

import ctypes
import gc
import logging
import sys
import warnings
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.environments import LightningEnvironment

from stillhouse.claims import is_helper, mark_helpers
from stillhouse.ensembles.adaboost import boosted
from stillhouse.errors import UserError
from stillhouse.networks.checkpoints import fingerprint, intact_checkpoint
from stillhouse.networks.fitted import outcome
from stillhouse.networks.losses import Loss
from stillhouse.networks.vectorized.lightning import Checkpoints, PlainFiles, ProgressLines, Training
from stillhouse.networks.vectorized.members import Layout, Program, Shape, Table
from stillhouse.networks.vectorized.partition import gpu_bytes, group_size, in_groups, parts_that_fit
from stillhouse.networks.vectorized.processes import SharedBatches
from stillhouse.seeds import derive

PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed"}


logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)


# Lightning's warnings of what is intended: data without a DataLoader, own optimisers, its own use of torch, no srun.
EXPECTED_WARNINGS = (
    *(".*does not have many workers.*", ".*number of training batches.*", ".*LeafSpec.*", ".*configure_optimizers.*"),
    ".*`srun` command is available.*",
)


def train(sets, threads=1, title="networks", checkpoints=None):
    """Return the fitted networks and the history of each training set; networks of the same shape are vectorized.

    A set that follows another comes after it, and its result is None where all its networks diverged. The result of a set
    depends neither on the other sets nor on ``threads``. Checkpoints are written to the folder
    ``checkpoints``, from which an interrupted training resumes; the caller removes it once the results are written. Raises
    ``UserError`` where no network of a set has learned anything.
    """
    boosts = sets[0].options["boost"]
    try:
        outcomes = _boosted(sets, threads, title, checkpoints) if boosts else _trained(sets, threads, title, checkpoints)
    except UserError as error:
        raise UserError(f"{title}: {error}") from error
    if is_helper():
        sys.exit()
    return outcomes


def _boosted(sets, threads, title, checkpoints):
    """Return boosted networks and an empty history for each set; the networks of a round are trained together."""
    options = sets[0].options

    followed = {index: sets.index(own.follows) for index, own in enumerate(sets) if own.follows}

    def fit_all(indices, samples, number):
        settings, again = {**options, "boost": 0}, {}
        for index, sample in zip(indices, samples, strict=True):
            seed, follows = derive(sets[index].seed, "round", number), again.get(followed.get(index))
            again[index] = replace(sets[index], sample=sample, options=settings, seed=seed, follows=follows)
        part = f"{title}, round {number + 1} of {options['boost']}"
        return [model for model, _ in _trained(list(again.values()), threads, part, checkpoints)]

    samples = [training_set.sample for training_set in sets]
    voted = boosted(samples, fit_all, options["boost"], options["vote_rate"], sets[0].n_classes, followed)
    return [(model, pd.DataFrame()) for model in voted]


def _trained(sets, threads, title, checkpoints):
    keep_freed_memory()
    # Predictions must not depend on the number of threads.
    torch.set_num_threads(1)
    options = sets[0].options
    by_signature = {}
    for training_set in sets:
        by_signature.setdefault(training_set.signature, []).append(training_set)
    gathered_sets = [gathered(own) for own in by_signature.values()]
    members_of = {training_set: members for _, found in gathered_sets for training_set, members in found.items()}
    count = number_members(members_of.values())
    layouts = []
    for (*_, batch, steps), (table, found) in zip(by_signature, gathered_sets, strict=True):
        members = [member for own in found.values() for member in own]
        size = len(members) if options["devices"] > 1 else group_size(members, batch, -(-count // threads))
        loss = Loss(options["loss"], sets[0].n_classes, options["focus"], options["quantiles"])
        program = Program(Shape(batch, steps), options, loss)
        layouts.append(Layout(table, program, in_groups(members, size)))
    # Several processes divide batches and not members.
    parts = parts_that_fit(layouts, gpu_bytes() if options["devices"] == 1 else None, title)
    for number, part in enumerate(parts, start=1):
        fit(part, options, threads, title if len(parts) == 1 else f"{title}, part {number} of {len(parts)}", checkpoints)
    return [outcome(training_set, members_of[training_set]) for training_set in sets]


def fit(layouts, options, threads, title, checkpoints):
    """Train all members, by one Trainer; ``checkpoints`` is the folder for checkpoints, or None."""
    callbacks, path = [ProgressLines(title, options["epochs"])], None
    if checkpoints:
        path = Path(checkpoints) / f"{fingerprint(layouts, options)}.ckpt"
        callbacks.append(Checkpoints(path, options["checkpoint"]))
    training = Training(layouts, options, threads)
    with warnings.catch_warnings():
        for message in EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", message=message)
        new_trainer(options, callbacks).fit(training, [0], ckpt_path=path and intact_checkpoint(path))
    if torch.cuda.is_available():
        # The Trainer and the module refer to each other, so that only a collection frees what they hold on the GPU.
        del training, callbacks
        gc.collect()
        torch.cuda.empty_cache()


def gathered(sets):
    """Return the concatenated table of sets with the same signature, and each set's members; the sets discard their rows."""
    tables, offset = [], 0
    for training_set in sets:
        training_set.offset = offset
        tables.append(training_set.table())
        offset += len(training_set.sample)
    table = Table(**{name: _joined([getattr(part, name) for part in tables]) for name in vars(tables[0])})
    members = {training_set: training_set.members() for training_set in sets}
    for training_set in filter(lambda one: one.follows, sets):
        for member, other in zip(members[training_set], members[training_set.follows], strict=True):
            member.follows = other
    for training_set in sets:
        training_set.forget()
    return table, members


def number_members(by_set):
    """Number the members of all sets, and return how many there are."""
    members = [member for own in by_set for member in own]
    for number, member in enumerate(members):
        member.number = number
    return len(members)


def _joined(parts):
    return None if parts[0] is None else torch.cat(parts)


def new_trainer(options, callbacks):
    """Return a Trainer that prints nothing, and writes nothing but the checkpoints of ``callbacks``."""
    devices, available = options["devices"], torch.cuda.device_count()
    if available and devices > available:
        raise UserError(f"devices: {devices} are asked for, and this job has {available}; ask for as many GPUs, or lower it")
    if devices > 1:
        mark_helpers()
    return pl.Trainer(
        max_epochs=options["epochs"],
        precision=PRECISIONS[options["precision"]],
        callbacks=callbacks,
        accelerator="cuda" if torch.cuda.is_available() else "cpu",
        devices=devices,
        strategy=SharedBatches() if devices > 1 else "auto",
        # Lightning starts the processes itself; otherwise it would use the tasks of a Slurm job, and handle its signals.
        plugins=[LightningEnvironment(), PlainFiles()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def keep_freed_memory():
    """Ask glibc to keep freed memory, which the next step needs again; do nothing elsewhere."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for setting, value in ((-4, 0), (-1, 2**31 - 1), (-2, 64 << 20)):
            libc.mallopt(setting, value)
