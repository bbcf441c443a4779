"""A group: members that are trained as one vectorized network, each on its own rows and until its own early stop."""

import copy
from contextlib import contextmanager, nullcontext

import numpy as np
import torch

from stillhouse.distillation.hints import hint_loss, split_hints
from stillhouse.networks.losses import mixed, smoothed
from stillhouse.networks.rows import joined
from stillhouse.networks.vectorized import draws, schedules
from stillhouse.networks.vectorized.captured import Captured, on
from stillhouse.networks.vectorized.layers import BATCH_NORMS, NORMS, vectorized
from stillhouse.networks.vectorized.memory import PROBED_ROWS, rows_at_once
from stillhouse.networks.vectorized.optimizers import RowOptimizer
from stillhouse.networks.vectorized.parameters import Rows, load_row
from stillhouse.networks.vectorized.processes import Processes
from stillhouse.networks.vectorized.steps import Steps, epoch_plan
from stillhouse.seeds import derive

# Stopped members are computed like the others until they are removed, and removing them costs a new layout; so they are
# removed once at most this share of the members still trains.
MOST_ACTIVE_SHARE = 0.75
# After few steps a running mean would mostly consist of the first weights, so its memory grows: steps / (steps + this).
AVERAGE_WARMUP = 10
SINGLE_PROCESS = Processes()


class Group:
    """Members in training; ``program`` has what all of them share.

    On a GPU all work of a group is put on its ``stream``, where a step is captured and repeated; without one, each step is
    launched anew.
    """

    def __init__(self, members, table, program, precision=nullcontext, processes=SINGLE_PROCESS, stream=None):
        self.table, self.shape, self.settings, self.loss = table, program.shape, program.settings, program.loss
        self.precision, self.processes, self.stream = precision, processes, stream
        self.taken = torch.zeros((), dtype=torch.float64, device=table.features.device)
        self._lay_out(members)
        self.kept = self.rows.values.new_zeros(self.settings["snapshots"], *self.rows.values.shape)
        self.recent = self.kept.clone() if self.settings["snapshots"] > 1 else None
        self.average = self.rows.values.clone() if self.settings["average"] else None

    def _lay_out(self, members):
        device = self.table.features.device
        self.members, self.steps, self.next_plan = members, None, None
        self.step = Captured(self._step, self.stream)
        self.network, self.keys = vectorized([member.module for member in members])
        self.network.to(device)
        self.rows = Rows(self.network, self._traits)
        self.optimizer = RowOptimizer(self.rows, self.settings["optimizer"], self.settings["momentum"])
        norms = [item for item in self.network.named_modules() if isinstance(item[1], BATCH_NORMS)]
        self.frozen_norms = [norm for name, norm in norms if f"{name}.weight" not in self.rows.trained]
        self.gradient = torch.zeros_like(self.rows.values[:, : self.rows.width])
        like = {"device": device, "dtype": self.table.features.dtype}
        self.sums = self.gradient.new_zeros(2, len(members))
        self.stop_sums = self.sums.clone()
        self.seeds = torch.tensor([derive(member.seed, "dropout") for member in members], device=device)
        self.rates = torch.zeros(len(members), dtype=torch.float64, device=device)
        self.decays = torch.tensor([member.decay for member in members], dtype=torch.float64, device=device)
        self.clips = torch.tensor([member.clip for member in members], **like)[:, None]
        self.l1 = torch.tensor([member.l1 for member in members], **like)[:, None]
        # Asked once, as the answer of a tensor on a GPU is waited for.
        self.has_l1 = any(member.l1 for member in members)
        self.alpha = torch.tensor([member.alpha for member in members], **like)[:, None]
        self.temperature = torch.tensor([member.temperature for member in members], **like)
        means = [float(self.table.weight[torch.from_numpy(member.fitted)].double().mean()) for member in members]
        self.scale = torch.tensor([1 / mean for mean in means], **like)[:, None]
        self.prior = (
            torch.tensor(np.array([member.prior for member in members]), **like) if self.settings["smoothing"] else None
        )
        self.stop_blocks = self._blocks(device)

    def _traits(self, name):
        part, owner, kind = name.split(".", 1)[0], *name.rpartition(".")[::2]
        is_norm = isinstance(self.network.get_submodule(owner), NORMS)
        is_frozen = self.settings["only_norms"] and not is_norm and part != "head"
        return 0.0 if is_frozen else self.settings["rates"][part], kind == "weight" and not is_norm

    def _blocks(self, device):
        # Blocks of a fixed size on a CPU: a member's sums do not change when other members have more rows.
        longest = max(len(member.stop) for member in self.members)
        size = 4 * self.shape.batch
        if device.type != "cpu":
            size = max(1, min(longest, rows_at_once(self.members[0].module, self.table.first(PROBED_ROWS), len(self.members))))
        most = -(-longest // size) * size
        rows = np.stack([np.resize(member.stop, most) for member in self.members])
        counts = np.array([[len(member.stop)] for member in self.members])
        is_own = torch.from_numpy(np.arange(most) < counts).to(device)
        return list(zip(torch.from_numpy(rows).to(device).split(size, dim=1), is_own.split(size, dim=1), strict=True))

    def state(self):
        """Return the state for a checkpoint, as plain values and tensors."""
        matrices = {"values": self.rows.values, "kept": self.kept, "recent": self.recent, "average": self.average}
        members = [member.progress() for member in self.members]
        return {**matrices, "optimizer": self.optimizer.checkpoint(), "taken": self.taken, "members": members}

    def load(self, state):
        """Restore the state of a checkpoint of these members."""
        for member, progress in zip(self.members, state["members"], strict=True):
            member.load(progress)
        self.rows.values.copy_(state["values"])
        self.optimizer.load(state["optimizer"])
        for name in ("kept", "recent", "average"):
            setattr(self, name, None if state[name] is None else state[name].to(self.rows.values.device))
        self.taken.copy_(state["taken"])

    def on_stream(self):
        """Return a context in which the device's work is put on this group's stream."""
        return on(self.stream)

    def score_warm_starts(self):
        """Score warm-started members before the first epoch, so that they keep their weights where no epoch is better."""
        if any(member.is_warm_started for member in self.members):
            self.add_stop_losses()
            self.judge(-1, [float("nan")] * len(self.members), self.processes.agreed(means(self.stop_sums)))

    def launch(self, epoch):
        """Train an epoch and sum the losses of stop rows; a GPU is not waited for."""
        self.train_epoch(epoch)
        if self.stream is not None and epoch + 1 < self.settings["epochs"]:
            # Drawn while the GPU is at work.
            self.next_plan = epoch_plan(self, epoch + 1)
        self.add_stop_losses()

    def finish(self, epoch):
        """Score every member on its stop rows after an epoch, and remove those that have stopped."""
        self.judge(epoch, means(self.sums), self.processes.agreed(means(self.stop_sums)))
        self.release(is_last=epoch + 1 == self.settings["epochs"])

    def train_epoch(self, epoch):
        """Train the members for the steps of an epoch; ``sums`` gets their weighted losses and weights."""
        self.network.train()
        for norm in self.frozen_norms:
            norm.eval()
        self.begin(self.next_plan or epoch_plan(self, epoch), [member.rate * member.slowed for member in self.members])
        self.next_plan = None
        for _ in range(len(self.steps)):
            self.step()

    def begin(self, plan, rates):
        """Have the next steps be those of a plan, at these rates of the members, and sum their losses anew."""
        if self.steps is None or len(self.steps) != len(plan):
            self.steps = Steps(plan, self.table.features.device)
        else:
            self.steps.begin(plan)
        self.rates.copy_(torch.tensor(rates, dtype=torch.float64))
        self.sums.zero_()

    def _step(self):
        step = self.steps.take()
        self.sums += self.learn(smooth=self.prior is not None, **step)

    def learn(self, rows, salts, factors, shares=None, smooth=False):
        """Take one step on a batch of rows; return each member's sums of weighted losses and of weights, shape (2, members).

        The other arguments are those of a step in ``Plan``. Of several processes, each sees its part of the rows.
        """
        self.keys.of_step = draws.hashed(self.seeds + salts)
        losses, weight = self.losses(self.processes.part(rows), shares, smooth)
        weighted = (losses * weight).sum(dim=1)
        self.take_step(weighted.sum() / self.shape.batch, factors)
        return self.processes.total(torch.stack([weighted.detach(), weight.sum(dim=1)]))

    def losses(self, index, share=None, smooth=False):
        """Return the losses and weights of rows (members, rows); with ``share``, each row is mixed with the one before it.

        In training the losses of several heads are averaged, so that each head learns by itself; in evaluation, their
        predictions are averaged.
        """
        batch = {name: _taken(values, index) for name, values in vars(self.table).items()}
        features, hard, soft = joined(batch["features"], batch["pixels"]), batch["hard"], batch["soft"]
        weight = batch["weight"] * self.scale
        alpha = self.alpha if soft is None else torch.where(batch["taught"], self.alpha, 1.0)
        if smooth:
            hard = smoothed(hard, self.settings["smoothing"], self.prior[:, None])
        if share is not None:
            features, hard = mixed(features, share[..., None]), mixed(hard, share[..., None])
            weight, alpha = mixed(weight, share), mixed(alpha.expand_as(weight), share)
            soft = None if soft is None else mixed(soft, share[..., None])
        with self.precision():
            outputs, hint_outputs = split_hints(self.network(features), hard.shape[-1])
            losses = self._own_losses(outputs, hard, soft, alpha)
            if self.network.training and batch["hints"] is not None:
                losses = losses + self.settings["hints"] * hint_loss(hint_outputs, batch["hints"])
        return losses, weight

    def _own_losses(self, outputs, hard, soft, alpha):
        if outputs.dim() == 4 and not self.network.training:
            outputs = self.loss.pooled(outputs)
        if outputs.dim() == 3:
            return self.loss(outputs, hard, soft, alpha, self.temperature[:, None, None])
        soft = None if soft is None else soft[:, :, None]
        return self.loss(outputs, hard[:, :, None], soft, alpha[..., None], self.temperature[:, None, None, None]).mean(dim=2)

    def take_step(self, loss, factor):
        """Update every member by the gradient of a loss that is summed over members."""
        self.rows.gradient(loss, into=self.gradient)
        self.processes.total(self.gradient)
        if self.has_l1:
            for segment in (part for part in self.rows.segments if part.decays):
                part = slice(segment.start, segment.stop)
                self.gradient[:, part] += self.l1 * self.rows.values[:, part].sign()
        norm = torch.linalg.vector_norm(self.gradient, dim=1, keepdim=True)
        self.gradient.mul_((self.clips / (norm + 1e-6)).clamp_(max=1.0))
        self.optimizer.step(self.gradient, self.rates * factor, self.decays)
        if self.average is not None:
            self.taken += 1
            kept = (self.taken / (self.taken + AVERAGE_WARMUP)).clamp_max(self.settings["average"])
            self.average.lerp_(self.rows.values, (1 - kept).to(self.average.dtype))

    @torch.no_grad()
    def add_stop_losses(self):
        """Sum the members' weighted losses and weights of their stop rows in ``stop_sums``."""
        self.network.eval()
        self.stop_sums.zero_()
        with self._averaged():
            for index, is_own in self.stop_blocks:
                losses, weight = self.losses(index)
                weight = weight * is_own
                self.stop_sums += torch.stack([(losses * weight).sum(dim=1), weight.sum(dim=1)])

    def judge(self, epoch, losses, stop_losses):
        """Record an epoch: keep the weights of members that improved, slow down or stop those that have not for long."""
        counts = epoch < 0 or schedules.ends_cycle(self.settings, epoch)
        if counts and self.recent is not None:
            self.recent = torch.cat([self.recent[1:], self._current()[None]])
        better = []
        for index, (member, loss, stop_loss) in enumerate(zip(self.members, losses, stop_losses, strict=True)):
            if member.stopped or (epoch < 0 and not member.is_warm_started):
                continue
            if member.follows:
                better += [index] if counts and member.followed(epoch, loss) else []
                continue
            member.write_down(epoch, loss, stop_loss)
            better += [index] if counts and member.judged(epoch, stop_loss, self.settings) else []
        kept = self._current()[None] if self.recent is None else self.recent
        self.kept[:, better] = kept[:, better]

    def release(self, is_last=False):
        """Once few enough members still train, give the others their kept weights and remove them."""
        staying = [index for index, member in enumerate(self.members) if not (member.stopped or is_last)]
        if len(staying) > MOST_ACTIVE_SHARE * len(self.members):
            return
        for index, member in enumerate(self.members):
            if index not in staying:
                rows = self.kept[len(self.kept) - member.snapshots :, index].to("cpu", copy=True)
                member.kept = [load_row(copy.deepcopy(member.module), self.network, self.rows, row) for row in rows]
        if staying:
            self._narrow(staying)
        else:
            self.close()

    def close(self):
        """Let go of the members and of all memory, which the captured step would else hold until Python collects it."""
        self.members, self.step, self.steps, self.next_plan, self.stop_blocks = [], None, None, None, []
        self.network = self.rows = self.optimizer = self.gradient = self.kept = self.recent = self.average = None

    def _narrow(self, staying):
        before, optimizer = self.rows.values, self.optimizer
        self._lay_out([self.members[index] for index in staying])
        self.rows.values.copy_(before[staying])
        self.optimizer.load(optimizer.checkpoint(), staying)
        self.kept = self.kept[:, staying]
        self.recent = None if self.recent is None else self.recent[:, staying]
        self.average = None if self.average is None else self.average[staying]

    def _current(self):
        return self.rows.values if self.average is None else self.average

    @contextmanager
    def _averaged(self):
        if self.average is None:
            yield
            return
        own = self.rows.values.clone()
        self.rows.values.copy_(self.average)
        yield
        self.rows.values.copy_(own)


def means(sums):
    """Return the weighted means of sums of losses and of weights, shape (2, members); on a GPU, its work is waited for."""
    return (sums[0] / sums[1]).tolist()


def _taken(values, index):
    if values is None:
        return None
    return values.index_select(0, index.reshape(-1)).view(*index.shape, *values.shape[1:])
