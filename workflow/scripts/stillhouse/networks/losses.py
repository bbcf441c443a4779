"""Losses: from outputs, labels and soft targets to one value per row.

Shapes are (…, outputs) for outputs and targets and (…) for losses and ``alpha``, the share of the hard label.
"""

from functools import partial

import torch
import torch.nn.functional as F

from stillhouse.config.models import AUTO


def distillation(logits, hard, soft, alpha, temperature, focus=0):
    """Return ``alpha * CE(hard) + (1 - alpha) * T^2 * KL(teacher_T || student_T)`` per row (Hinton et al. 2015).

    ``hard`` (labels) and ``soft`` (a teacher's) are class probabilities; ``soft`` is None where no row has a teacher. With a
    ``focus`` the cross-entropy is the focal loss, in which each class counts with ``(1 - p) ** focus`` (Lin et al. 2017).
    """
    log_p = F.log_softmax(logits, dim=-1)
    # Above 0, so that the gradient of a power below 1 is finite.
    loss = -(hard * log_p * (-torch.expm1(log_p)).clamp_min(1e-7) ** focus if focus else hard * log_p).sum(dim=-1)
    if soft is None:
        return loss
    target = F.log_softmax(soft.clamp_min(1e-7).log() / temperature, dim=-1)
    student = F.log_softmax(logits / temperature, dim=-1)
    divergence = (target.exp() * (target - student)).sum(dim=-1)
    return alpha * loss + (1 - alpha) * temperature.squeeze(-1) ** 2 * divergence


def distance_loss(distance):
    """Return the loss of a distance: ``alpha * d(hard, f) + (1 - alpha) * d(teacher, f)`` per row, summed over outputs."""

    def loss(outputs, hard, soft, alpha, temperature):
        own = distance(outputs, hard.expand_as(outputs), reduction="none").sum(dim=-1)
        if soft is None:
            return own
        return alpha * own + (1 - alpha) * distance(outputs, soft.expand_as(outputs), reduction="none").sum(dim=-1)

    return loss


def of_probabilities(loss):
    """Return a loss of values, applied to the probabilities of logits."""
    return lambda logits, *targets: loss(logits.softmax(dim=-1), *targets)


DISTANCES = {"mse": distance_loss(F.mse_loss), "mae": distance_loss(F.l1_loss), "huber": distance_loss(F.huber_loss)}


def with_pinball(loss, levels):
    """Return a loss of values, the first output, to which the pinball losses of quantiles, the other ones, are added.

    These learn from labels alone, which targets repeat for every output (Koenker & Bassett 1978).
    """

    def total(outputs, hard, soft, alpha, temperature):
        own = loss(outputs[..., :1], hard[..., :1], soft, alpha, temperature)
        for place, level in enumerate(levels, start=1):
            above = hard[..., place] - outputs[..., place]
            own = own + torch.maximum(level * above, (level - 1) * above)
        return own

    return total


class Loss:
    """The loss of this name; ``auto`` is cross-entropy for classes and the squared error for values.

    ``focus`` is that of the focal loss; ``levels`` are those of the quantiles that are learned beside a value.
    """

    def __init__(self, name, n_classes, focus=0, levels=()):
        self.n_classes = n_classes
        if not n_classes:
            distance = DISTANCES["mse" if name == AUTO else name]
            self.function = with_pinball(distance, list(levels)) if levels else distance
        elif name in (AUTO, "cross_entropy"):
            self.function = distillation
        elif name == "focal":
            self.function = partial(distillation, focus=focus)
        else:
            self.function = of_probabilities(DISTANCES[name])

    def __call__(self, outputs, hard, soft, alpha, temperature):
        """Return the loss of each row."""
        return self.function(outputs, hard, soft, alpha, temperature)

    def pooled(self, outputs):
        """Return the heads' mean value, or the logarithm of their mean probabilities; (…, heads, outputs) to (…, outputs)."""
        if not self.n_classes:
            return outputs.mean(dim=-2)
        return outputs.log_softmax(dim=-1).logsumexp(dim=-2)


def smoothed(hard, share, prior):
    """Return targets with a share of each spread over the classes by their prior (Szegedy et al. 2016, section 7)."""
    return (1 - share) * hard + share * prior


def mixed(values, share):
    """Return each row of a batch mixed with the row before it; values (members, rows, …), share (members, 1, …)."""
    return torch.lerp(values.roll(1, dims=1), values, share)
