"""The steps of an epoch: what each step reads, on the device, so that nothing in a step waits for the processor."""

from dataclasses import dataclass, fields

import numpy as np
import torch

from stillhouse.networks.vectorized import draws, schedules
from stillhouse.seeds import derive


@dataclass(frozen=True)
class Plan:
    """What the steps of an epoch read: an entry for each step.

    ``rows`` are positions in the table, shape (steps, members, batch); ``salts`` make the draws of steps differ; ``factors``
    are the schedule's, on the members' rates; ``shares`` are the coefficients of mixup, shape (steps, members, 1), or None.
    """

    rows: torch.Tensor
    salts: torch.Tensor
    factors: torch.Tensor
    shares: torch.Tensor | None = None

    def __len__(self):
        return len(self.rows)


def epoch_plan(group, epoch):
    """Return the plan of an epoch of a group; each member's part depends on its own seed and rows alone."""
    settings, shape, members = group.settings, group.shape, group.members
    count = shape.steps * shape.batch
    orders = [_rows_of(member, settings["curriculum"], epoch, count, shape.batch) for member in members]
    factors = [schedules.factor(settings, epoch + step / shape.steps) for step in range(shape.steps)]
    numbers = torch.arange(epoch * shape.steps + 1, (epoch + 1) * shape.steps + 1)
    shares = None
    if settings["mixup"]:
        drawn = [draws.mixing_shares(member.seed, epoch, shape.steps, settings["mixup"]) for member in members]
        shares = torch.from_numpy(np.stack(drawn, axis=1)).to(group.scale.dtype)[..., None]
    return plan(orders, factors, numbers, group.processes, shares)


def plan(orders, factors, numbers, processes, shares=None):
    """Return a plan of the members' rows, in order, and of the steps' factors and numbers."""
    rows = torch.from_numpy(np.stack(orders)).view(len(orders), len(factors), -1).transpose(0, 1)
    # Of several processes, each has draws of its own.
    salts = draws.salts(numbers * processes.count + processes.rank)
    return Plan(rows, salts, torch.tensor(factors, dtype=torch.float64), shares)


def _rows_of(member, curriculum, epoch, count, batch):
    if epoch >= curriculum:
        return draws.shuffled_passes(member.seed, member.fitted, epoch * count, count)
    count_easy = -(-len(member.easiest) * (epoch + 1) // (curriculum + 1))
    return draws.shuffled_passes(derive(member.seed, "easy", epoch), member.easiest[: max(count_easy, batch)], 0, count)


class Steps:
    """The plan of the current epoch in tensors that stay where they are on the device, and the number of the next step."""

    def __init__(self, plan, device):
        self._plan = Plan(**{name: None if values is None else values.to(device, copy=True) for name, values in _parts(plan)})
        self._next = torch.zeros(1, dtype=torch.int64, device=device)

    def __len__(self):
        return len(self._plan)

    def begin(self, plan):
        """Take over the plan of an epoch with as many steps."""
        given = dict(_parts(plan))
        for name, values in _parts(self._plan):
            if values is not None:
                values.copy_(given[name])
        self._next.zero_()

    def take(self):
        """Return what the next step reads, with the names of ``Plan``'s parts, and count it."""
        found = {name: None if values is None else values.index_select(0, self._next)[0] for name, values in _parts(self._plan)}
        self._next += 1
        return found


def _parts(plan):
    return [(field.name, getattr(plan, field.name)) for field in fields(plan)]
