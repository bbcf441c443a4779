"""Losses: logits and a batch to one value per row; weights, hard and soft labels act here and nowhere else."""

import torch
import torch.nn.functional as F


def distillation(logits, label, soft, alpha, temperature):
    """Return ``alpha * CE(label) + (1 - alpha) * T^2 * KL(teacher_T || student_T)`` per row (Hinton et al. 2015).

    ``soft`` has the teacher's probabilities, shape (rows, classes); rows of NaN have no teacher and learn from their
    label alone.
    """
    hard = F.cross_entropy(logits, label, reduction="none")
    taught = ~soft[:, 0].isnan()
    teacher = torch.where(taught[:, None], soft, 1.0).clamp_min(1e-7).log()
    target = F.log_softmax(teacher / temperature, dim=1)
    student = F.log_softmax(logits / temperature, dim=1)
    divergence = F.kl_div(student, target, log_target=True, reduction="none").sum(dim=1)
    return torch.where(taught, alpha * hard + (1 - alpha) * temperature**2 * divergence, hard)


def regression(output, label, soft, alpha):
    """Return ``alpha * (y - f)^2 + (1 - alpha) * (teacher - f)^2`` per row; rows of NaN have no teacher."""
    value = output[:, 0]
    hard = (value - label) ** 2
    taught = ~soft[:, 0].isnan()
    teacher = torch.where(taught, soft[:, 0], 0.0)
    return torch.where(taught, alpha * hard + (1 - alpha) * (value - teacher) ** 2, hard)
