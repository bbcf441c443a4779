"""The Lightning module and its callbacks: epochs over stacks, on the Trainer's device and in its precision."""

import io
import logging
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from stillhouse.claims import is_helper
from stillhouse.errors import log
from stillhouse.networks.vectorized.processes import Processes
from stillhouse.networks.vectorized.range_test import find_rates
from stillhouse.networks.vectorized.stack import Stack
from stillhouse.tables import written_beside

# A terminal is told how a job gets on no more often than that.
SECONDS_BETWEEN_LINES = 15
# The share of its time that a training may spend on writing checkpoints, where it is left to choose.
AUTO, SHARE_OF_WRITING = "auto", 0.05


class Training(pl.LightningModule):
    """Groups of members, each trained as a stack, over Python threads with one thread each for the arithmetic.

    One step of the Trainer is one epoch, so that stacks wait for each other once an epoch; how members are cut into groups
    changes the speed and no result.
    """

    def __init__(self, groups, table, shape, settings, loss, threads):
        super().__init__()
        self.automatic_optimization = False
        self.groups, self.table, self.threads = groups, table, threads
        self.parts = shape, settings, loss
        self.members = [member for group in groups for member in group]
        self.stacks, self.saved = [], None

    def on_load_checkpoint(self, checkpoint):
        """Take what ``on_fit_start`` goes on from."""
        self.saved = checkpoint["stacks"]
        self.groups = [[self.members[line["number"]] for line in state["members"]] for state in self.saved]
        for number, outcome in checkpoint["done"].items():
            self.members[number].load(outcome)

    def on_fit_start(self):
        """Lay the stacks out on the device; find rates by a range test where they are to be found."""
        table, precision = self.table.to(self.device), self.trainer.precision_plugin.forward_context
        self.pool = ThreadPoolExecutor(self.threads, initializer=begin_thread, initargs=(self.device,))
        processes = Processes(self.trainer.global_rank, self.trainer.world_size)
        self.stacks = list(self.pool.map(lambda group: Stack(group, table, *self.parts, precision, processes), self.groups))
        if self.saved is not None:
            for stack, state in zip(self.stacks, self.saved, strict=True):
                stack.load(state)
            return
        if self.parts[1]["rate"] == AUTO:
            list(self.pool.map(find_rates, self.stacks))
        list(self.pool.map(Stack.begin, self.stacks))

    def training_step(self, batch, _):
        """Run an epoch of every stack."""
        epoch = self.current_epoch
        list(self.pool.map(lambda stack: stack.run_epoch(epoch), [stack for stack in self.stacks if stack.members]))

    def on_train_epoch_end(self):
        """Stop when no member is left."""
        self.trainer.should_stop = not any(stack.members for stack in self.stacks)

    def on_fit_end(self):
        """Let the threads go."""
        self.pool.shutdown()

    def on_save_checkpoint(self, checkpoint):
        """Add the stacks; members that are done are in there with the networks that they keep."""
        training = [stack for stack in self.stacks if stack.members]
        left = {member.number for stack in training for member in stack.members}
        checkpoint["stacks"] = [stack.state() for stack in training]
        checkpoint["done"] = {member.number: member.outcome() for member in self.members if member.number not in left}

    def configure_optimizers(self):
        """Return nothing, as every stack has an optimiser of its own."""


def begin_thread(device):
    """Give a thread one core for its arithmetic, and its process's GPU, which Lightning chose for the main thread alone."""
    torch.set_num_threads(1)
    if device.type == "cuda":
        torch.cuda.set_device(device)


class ProgressLines(pl.Callback):
    """A line now and then, and in the log after each epoch: losses, members still training, and the time left at most."""

    def __init__(self, title, epochs):
        self.title, self.epochs, self.began = title, epochs, time.monotonic()
        self.said, self.first = self.began, None

    def on_train_start(self, trainer, training):
        """Say where an interrupted training goes on."""
        if training.saved is not None:
            log.info("%s: goes on after epoch %d of an interrupted job", self.title, training.current_epoch)

    def on_train_epoch_end(self, trainer, training):
        """Say how far training is, to the terminal only if it was not said just now."""
        now, epoch = time.monotonic(), training.current_epoch
        self.first = epoch if self.first is None else self.first
        left = (now - self.began) / (epoch - self.first + 1) * (self.epochs - epoch - 1)
        level = logging.DEBUG
        if now - self.said >= SECONDS_BETWEEN_LINES:
            self.said, level = now, logging.INFO
        log.log(level, "%s: %s, at most %s left", self.title, progress(training), _clock(left))


def progress(training):
    """Return the epoch, the mean losses of members still training, and how many these are."""
    running = [member for stack in training.stacks for member in stack.members if not member.stopped]
    lines = [member.history[-1] for member in running or training.members]
    means = [sum(line[name] for line in lines) / len(lines) for name in ("loss", "stop_loss")]
    count = f"{len(running)} of {len(training.members)} networks in training"
    return f"epoch {training.current_epoch + 1}, loss {means[0]:.4f}, stop loss {means[1]:.4f}, {count}"


def _clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d} min" if minutes else f"{seconds} s"


class PlainFiles(TorchCheckpointIO):
    """Writes checkpoints where they are to be, and not first to the folder for temporary files, which may be small."""

    def save_checkpoint(self, checkpoint, path, storage_options=None):
        """Write a checkpoint, as bytes: of a full disk torch tells in words of its own."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        Path(path).write_bytes(content.getbuffer())


class Checkpoints(pl.Callback):
    """Writes a checkpoint now and then, and at a SIGTERM, after which it ends the process.

    ``every`` is a number of epochs or ``auto``: after each epoch, but where epochs are short, so seldom that writing takes a
    twentieth of the time.
    """

    def __init__(self, path, every):
        self.path, self.every, self.is_asked_to_end = path, every, False
        self.written, self.seconds = time.monotonic(), 0.0

    def on_train_start(self, trainer, training):
        """Listen for SIGTERM, now that Lightning has set its own handler, which would make processes wait for each other."""
        self.before = signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_):
        self.is_asked_to_end = True

    def on_train_epoch_end(self, trainer, training):
        """Write a checkpoint where it is time for one."""
        is_time = self.is_asked_to_end or self._is_time(training.current_epoch + 1)
        # The first of several processes speaks for all, as none can save or end without the others.
        is_time, is_last = trainer.strategy.broadcast((is_time, self.is_asked_to_end))
        if not is_time:
            return
        begin = time.monotonic()
        self._save(trainer)
        self.written = time.monotonic()
        self.seconds = self.written - begin
        if is_last:
            log.info("asked to end: training is saved after epoch %d and goes on from there", training.current_epoch + 1)
            # Lightning kills the first process where a helper ends with an error.
            raise SystemExit(0 if is_helper() else 143)

    def _save(self, trainer):
        if not trainer.is_global_zero:
            trainer.save_checkpoint(self.path)
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with written_beside(self.path) as beside:
            trainer.save_checkpoint(beside)

    def _is_time(self, epochs):
        if self.every == AUTO:
            return time.monotonic() - self.written >= self.seconds / SHARE_OF_WRITING
        return epochs % self.every == 0

    def on_train_end(self, trainer, training):
        """Leave SIGTERM to whom it was left before."""
        signal.signal(signal.SIGTERM, self.before)
