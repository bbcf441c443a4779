"""The learning-rate range test (Smith 2017): a short run at growing rates, for every member of a group."""

import numpy as np
import torch

from stillhouse.networks.vectorized import draws
from stillhouse.networks.vectorized.optimizers import RowOptimizer
from stillhouse.networks.vectorized.steps import plan
from stillhouse.seeds import derive

LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 100
# The test of a member ends when its loss is this many times the best one.
BLOWN_UP = 4.0
SMOOTHING = 0.8


def find_rates(group):
    """Set every member's rate to a tenth of that with its lowest smoothed loss, and record the curve in ``member.curve``.

    A member that follows another has that one's rate.
    """
    rates = np.geomspace(LOWEST, HIGHEST, STEPS)
    losses = _losses(group, rates)
    for member, column in zip(group.members, losses.T, strict=True):
        if member.follows:
            member.rate = member.follows.rate
            continue
        smooth = running_mean(column)
        member.rate = float(rates[np.argmin(smooth)] / 10)
        curve = enumerate(zip(rates.tolist(), smooth, strict=False))
        member.curve = [{"epoch": step, "loss": loss, "rate": rate} for step, (rate, loss) in curve]


def running_mean(losses):
    """Return the bias-corrected running mean of losses, up to where it is NaN or many times its lowest value."""
    mean, result = 0.0, []
    for count, loss in enumerate(losses, start=1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        value = mean / (1 - SMOOTHING**count)
        if result and not value < BLOWN_UP * max(min(result), 1e-12):
            break
        result.append(float(value))
    return result


def _losses(group, rates):
    before, optimizer, average = group.rows.values.clone(), group.optimizer, group.average
    group.average, group.optimizer = None, RowOptimizer(group.rows, group.settings["optimizer"], group.settings["momentum"])
    group.network.train()
    count = len(rates) * group.shape.batch
    orders = [draws.shuffled_passes(derive(member.seed, "range"), member.fitted, 0, count) for member in group.members]
    # Their numbers are those of no step in training.
    group.begin(plan(orders, rates, -torch.arange(1, len(rates) + 1), group.processes), [1.0] * len(group.members))
    losses = []
    for _ in rates:
        loss, weight = group.learn(**group.steps.take())
        losses.append((loss / weight).cpu().numpy())
    group.rows.values.copy_(before)
    # What training steps read has another shape.
    group.optimizer, group.average, group.steps = optimizer, average, None
    return np.array(losses)
