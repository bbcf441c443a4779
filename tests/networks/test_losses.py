"""Losses: limits, closed forms and gradients of distillation."""

import numpy as np
import pytest
import torch
from scipy.special import softmax

from stillhouse.networks.losses import Loss, distillation


def loss(logits, label, soft, alpha=0.0, temperature=1.0):
    logits, soft = (torch.tensor(values, dtype=torch.float64) for values in (logits, soft))
    return distillation(logits, torch.eye(3)[label], soft, alpha, torch.tensor([temperature]))


LOGITS = [[0.3, -1.2, 0.8], [2.0, 0.1, -0.4]]


SOFT = [[0.2, 0.5, 0.3], [0.7, 0.2, 0.1]]


def test_with_alpha_one_the_loss_is_the_cross_entropy_of_the_label():
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(LOGITS, dtype=torch.float64), torch.tensor([0, 2]), reduction="none"
    )
    assert loss(LOGITS, [0, 2], SOFT, alpha=1.0, temperature=3.0).tolist() == pytest.approx(expected.tolist())


def test_with_alpha_zero_the_loss_is_t_squared_times_the_divergence():
    T = 3.0
    teacher, student = softmax(np.log(SOFT) / T, axis=1), softmax(np.array(LOGITS) / T, axis=1)
    expected = T**2 * (teacher * (np.log(teacher) - np.log(student))).sum(axis=1)
    assert loss(LOGITS, [0, 2], SOFT, temperature=T).tolist() == pytest.approx(expected.tolist())


def test_at_high_temperature_the_gradient_is_that_of_matched_logits():
    # For T → ∞ the gradient tends to (z - v) / classes with centred logits z and v (Hinton et al. 2015, eq. 4).
    logits = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
    soft = torch.tensor(SOFT, dtype=torch.float64)
    distillation(logits, torch.eye(3)[[0, 0]], soft, 0.0, torch.tensor([1e4])).sum().backward()
    z, v = np.array(LOGITS), np.log(SOFT)
    expected = (z - z.mean(axis=1, keepdims=True) - v + v.mean(axis=1, keepdims=True)) / 3
    assert logits.grad.numpy() == pytest.approx(expected, abs=1e-3)


def test_the_focal_loss_counts_sure_rows_less_and_without_focus_is_the_cross_entropy():
    logits, hard = torch.tensor(LOGITS, dtype=torch.float64), torch.eye(3, dtype=torch.float64)[[0, 2]]
    p = softmax(np.array(LOGITS), axis=1)[[0, 1], [0, 2]]
    for focus in (0.5, 2.0, 5.0):
        expected = -((1 - p) ** focus) * np.log(p)
        assert Loss("focal", 3, focus)(logits, hard, None, 1.0, None).tolist() == pytest.approx(expected.tolist())
    assert distillation(logits, hard, None, 1.0, None).tolist() == pytest.approx((-np.log(p)).tolist())


def test_the_focal_loss_of_a_row_that_is_certain_has_a_finite_gradient():
    logits = torch.tensor([[90.0, 0.0, 0.0]], requires_grad=True)
    Loss("focal", 3, 0.5)(logits, torch.eye(3)[[0]], None, 1.0, None).sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_a_regression_mixes_squared_distances_to_label_and_teacher():
    output, label, soft = (torch.tensor([[value]]) for value in (1.0, 0.0, 3.0))
    assert Loss("auto", 0)(output, label, soft, 0.25, None).tolist() == pytest.approx([0.25 * 1 + 0.75 * 4])
