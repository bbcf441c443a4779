"""The learning-rate range test (Smith 2017): a short run at growing rates, for each member of a stack by itself."""

import numpy as np
import torch

from stillhouse.networks.vectorized import draws
from stillhouse.networks.vectorized.optimizers import RowOptimizer
from stillhouse.seeds import derive

LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 100
# A loss so many times the best one ends a member's part of the test.
BLOWN_UP = 4.0
SMOOTHING = 0.8


def find_rates(stack):
    """Give every member a tenth of the rate at which its smoothed loss was least, and the curve, in ``member.curve``."""
    rates = np.geomspace(LOWEST, HIGHEST, STEPS)
    losses = _losses(stack, rates)
    for member, column in zip(stack.members, losses.T, strict=True):
        smooth = running_mean(column)
        member.rate = float(rates[np.argmin(smooth)] / 10)
        curve = enumerate(zip(rates.tolist(), smooth, strict=False))
        member.curve = [{"epoch": step, "loss": loss, "rate": rate} for step, (rate, loss) in curve]


def running_mean(losses):
    """Return the bias-corrected running mean of losses, up to where it is no number or many times its best."""
    mean, result = 0.0, []
    for count, loss in enumerate(losses, start=1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        value = mean / (1 - SMOOTHING**count)
        if result and not value < BLOWN_UP * max(min(result), 1e-12):
            break
        result.append(float(value))
    return result


def _losses(stack, rates):
    before, given = stack.rows.values.clone(), [member.rate for member in stack.members]
    optimizer, average, stack.average = stack.optimizer, stack.average, None
    stack.optimizer = RowOptimizer(stack.rows, stack.settings["optimizer"], stack.settings["momentum"])
    stack.network.train()
    found = []
    for step, rate in enumerate(rates):
        for member in stack.members:
            member.rate = rate
        loss, weight = stack.learn(_batch(stack, step), number=-step - 1, factor=1.0)
        found.append((loss / weight).cpu().numpy())
    stack.rows.values.copy_(before)
    stack.optimizer, stack.average = optimizer, average
    for member, rate in zip(stack.members, given, strict=True):
        member.rate = rate
    return np.array(found)


def _batch(stack, step):
    size = stack.shape.batch
    rows = [draws.shuffled_passes(derive(member.seed, "range"), member.fitted, step * size, size) for member in stack.members]
    return torch.from_numpy(np.stack(rows)).to(stack.table.features.device)
