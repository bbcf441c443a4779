"""Losses: outputs and targets to one value per row; hard and soft labels act here and nowhere else.

Shapes are (…, outputs) for outputs and targets and (…) for losses and ``alpha``, the share of the hard label.
"""

import torch
import torch.nn.functional as F


def distillation(logits, hard, soft, alpha, temperature):
    """Return ``alpha * CE(hard) + (1 - alpha) * T^2 * KL(teacher_T || student_T)`` per row (Hinton et al. 2015).

    ``hard`` and ``soft`` are class probabilities; ``soft`` is None where no row has a teacher.
    """
    loss = -(hard * F.log_softmax(logits, dim=-1)).sum(dim=-1)
    if soft is None:
        return loss
    target = F.log_softmax(soft.clamp_min(1e-7).log() / temperature, dim=-1)
    student = F.log_softmax(logits / temperature, dim=-1)
    divergence = (target.exp() * (target - student)).sum(dim=-1)
    return alpha * loss + (1 - alpha) * temperature.squeeze(-1) ** 2 * divergence


def between(distance):
    """Return the loss of a distance: ``alpha * d(hard, f) + (1 - alpha) * d(teacher, f)`` per row, summed over outputs."""

    def loss(outputs, hard, soft, alpha, temperature):
        own = distance(outputs, hard.expand_as(outputs), reduction="none").sum(dim=-1)
        if soft is None:
            return own
        return alpha * own + (1 - alpha) * distance(outputs, soft.expand_as(outputs), reduction="none").sum(dim=-1)

    return loss


def of_probabilities(loss):
    """Return a loss of values as one of the probabilities that logits stand for."""
    return lambda logits, *targets: loss(logits.softmax(dim=-1), *targets)


AUTO = "auto"
DISTANCES = {"mse": between(F.mse_loss), "mae": between(F.l1_loss), "huber": between(F.huber_loss)}


class Loss:
    """The loss of a name; ``auto`` is cross-entropy for classes and the squared error for values."""

    def __init__(self, name, n_classes):
        self.n_classes = n_classes
        if not n_classes:
            self.function = DISTANCES["mse" if name == AUTO else name]
        elif name in (AUTO, "cross_entropy"):
            self.function = distillation
        else:
            self.function = of_probabilities(DISTANCES[name])

    def __call__(self, outputs, hard, soft, alpha, temperature):
        """Return the loss of each row."""
        return self.function(outputs, hard, soft, alpha, temperature)

    def pooled(self, outputs):
        """Return the mean value, or logits of the mean probabilities, of heads; (…, heads, outputs) to (…, outputs)."""
        if not self.n_classes:
            return outputs.mean(dim=-2)
        return outputs.log_softmax(dim=-1).logsumexp(dim=-2)


def smoothed(hard, share, prior):
    """Return targets of which a share is spread over classes by their prior (Szegedy et al. 2016, section 7)."""
    return (1 - share) * hard + share * prior


def mixed(values, share):
    """Return each row of a batch mixed with the row before it; values (members, rows, …), share (members, 1, …)."""
    return torch.lerp(values.roll(1, dims=1), values, share)
