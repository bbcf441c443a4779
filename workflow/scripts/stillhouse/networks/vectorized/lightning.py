"""The Lightning module and its callbacks: epochs over groups of members, on the Trainer's device and in its precision."""

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
from stillhouse.config.models import AUTO
from stillhouse.errors import log
from stillhouse.networks.vectorized.captured import on
from stillhouse.networks.vectorized.group import Group
from stillhouse.networks.vectorized.processes import Processes
from stillhouse.networks.vectorized.range_test import find_rates
from stillhouse.progress import SECONDS_BETWEEN_LINES, clock
from stillhouse.tables import written_beside

# With `checkpoint: auto`, the largest share of the training time that is spent on writing checkpoints.
SHARE_OF_WRITING = 0.05


class Training(pl.LightningModule):
    """Groups of members, trained in parallel Python threads, each of which computes on one core.

    One step of the Trainer is one epoch, so that groups wait for each other once in an epoch. Splits of unequal size or with
    other features have layouts of their own; their groups are trained side by side like those of one layout.
    """

    def __init__(self, layouts, settings, threads):
        super().__init__()
        self.automatic_optimization = False
        self.layouts, self.settings, self.threads = layouts, settings, threads
        self.members = [member for layout in layouts for member in layout.members]
        self.partition = [(layout, members) for layout in layouts for members in layout.partition]
        self.groups, self.saved = [], None

    def on_load_checkpoint(self, checkpoint):
        """Keep the state from which ``on_fit_start`` resumes."""
        self.saved = checkpoint["groups"]
        layout_of = {member.number: layout for layout in self.layouts for member in layout.members}
        by_number = {member.number: member for member in self.members}
        numbers = [[line["number"] for line in state["members"]] for state in self.saved]
        self.partition = [(layout_of[own[0]], [by_number[number] for number in own]) for own in numbers]
        for number, outcome in checkpoint["done"].items():
            by_number[number].load(outcome)

    def on_fit_start(self):
        """Set the groups up on the device, and find learning rates by a range test for ``rate: auto``."""
        precision = self.trainer.precision_plugin.forward_context
        processes = Processes(self.trainer.global_rank, self.trainer.world_size)
        # Several processes must take the steps of groups in the same order; a GPU works on many groups for one thread.
        threads = self.threads if processes.count == 1 and self.device.type == "cpu" else 1
        self.pool = ThreadPoolExecutor(threads, initializer=begin_thread, initargs=(self.device,))
        tables = {id(layout.table): layout.table.to(self.device) for layout in self.layouts}

        def group_of(part):
            layout, members = part
            stream = new_stream(self.device) if processes.count == 1 else None
            with on(stream):
                return Group(members, tables[id(layout.table)], layout.program, precision, processes, stream)

        self.groups = list(self.pool.map(group_of, self.partition))
        if self.saved is not None:
            for group, state in zip(self.groups, self.saved, strict=True):
                with group.on_stream():
                    group.load(state)
            return
        if self.settings["rate"] == AUTO:
            self._each(find_rates)
        self._each(Group.score_warm_starts)

    def training_step(self, batch, _):
        """Run an epoch of every group; a GPU has the work of all of them before the first is waited for."""
        self._each(Group.launch, self.current_epoch)
        self._each(Group.finish, self.current_epoch)

    def _each(self, work, *given):
        def run(group):
            with group.on_stream():
                work(group, *given)

        list(self.pool.map(run, [group for group in self.groups if group.members]))

    def on_train_epoch_end(self):
        """Stop when no member is left."""
        self.trainer.should_stop = not any(group.members for group in self.groups)

    def on_fit_end(self):
        """End the threads, and let go of the groups."""
        self.pool.shutdown()
        for group in self.groups:
            group.close()

    def on_save_checkpoint(self, checkpoint):
        """Add the groups, and the kept networks of stopped members."""
        training = [group for group in self.groups if group.members]
        if self.device.type == "cuda":
            # Tensors are saved from another stream than the groups'.
            torch.cuda.synchronize(self.device)
        left = {member.number for group in training for member in group.members}
        checkpoint["groups"] = [group.state() for group in training]
        checkpoint["done"] = {member.number: member.outcome() for member in self.members if member.number not in left}

    def configure_optimizers(self):
        """Return nothing: every group has its own optimiser."""


def begin_thread(device):
    """Have a thread compute on one core, and on the process's GPU, which Lightning sets for the main thread alone."""
    torch.set_num_threads(1)
    if device.type == "cuda":
        torch.cuda.set_device(device)


def new_stream(device):
    """Return a stream of a GPU that begins after the work of the current one; None for another device."""
    if device.type != "cuda":
        return None
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    return stream


class ProgressLines(pl.Callback):
    """Lines of progress, after each epoch in the log and now and then on the terminal: losses, active members, time left."""

    def __init__(self, title, epochs):
        self.title, self.epochs, self.started = title, epochs, time.monotonic()
        self.logged, self.first = self.started, None

    def on_train_start(self, trainer, training):
        """Log the epoch from which an interrupted training resumes."""
        if training.saved is not None:
            log.info("%s: resumes after epoch %d of an interrupted job", self.title, training.current_epoch)

    def on_train_epoch_end(self, trainer, training):
        """Log the progress, to the terminal only if the last line is some time ago."""
        now, epoch = time.monotonic(), training.current_epoch
        self.first = epoch if self.first is None else self.first
        left = (now - self.started) / (epoch - self.first + 1) * (self.epochs - epoch - 1)
        level = logging.DEBUG
        if now - self.logged >= SECONDS_BETWEEN_LINES:
            self.logged, level = now, logging.INFO
        log.log(level, "%s: %s, at most %s left", self.title, progress(training), clock(left))


def progress(training):
    """Return a line with the epoch, and the number and mean losses of the members that are still training."""
    running = [member for group in training.groups for member in group.members if not member.stopped]
    lines = [member.history[-1] for member in running or training.members if not member.follows]
    means = [sum(line[name] for line in lines) / len(lines) for name in ("loss", "stop_loss")]
    count = f"{len(running)} of {len(training.members)} networks in training"
    return f"epoch {training.current_epoch + 1}, loss {means[0]:.4f}, stop loss {means[1]:.4f}, {count}"


class PlainFiles(TorchCheckpointIO):
    """Writes checkpoints directly to their folder; Lightning would first use the temporary folder, which may be small."""

    def save_checkpoint(self, checkpoint, path, storage_options=None):
        """Write a checkpoint as bytes, so that a full disk raises ``OSError`` and not an error of torch's own."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        Path(path).write_bytes(content.getbuffer())


class Checkpoints(pl.Callback):
    """Writes checkpoints in training, and one at SIGTERM, after which it ends the process.

    ``every`` is a number of epochs, or ``auto``: after each epoch, or less often where writing would take more than a
    twentieth of the time.
    """

    def __init__(self, path, every):
        self.path, self.every, self.is_asked_to_end = path, every, False
        self.written, self.seconds = time.monotonic(), 0.0

    def on_train_start(self, trainer, training):
        """Handle SIGTERM here; Lightning's own handler, set just before, would have processes wait for each other."""
        self.before = signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_):
        self.is_asked_to_end = True

    def on_train_epoch_end(self, trainer, training):
        """Write a checkpoint if one is due."""
        is_time = self.is_asked_to_end or self._is_time(training.current_epoch + 1)
        # The first of several processes decides for all, as none can save or end without the others.
        is_time, is_last = trainer.strategy.broadcast((is_time, self.is_asked_to_end))
        if not is_time:
            return
        begin = time.monotonic()
        self._save(trainer)
        self.written = time.monotonic()
        self.seconds = self.written - begin
        if is_last:
            log.info(
                "asked to end: training is saved after epoch %d, and the next run resumes there", training.current_epoch + 1
            )
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
        """Restore the previous handler of SIGTERM."""
        signal.signal(signal.SIGTERM, self.before)
