"""One network on several devices: each sees its part of every batch, and all of them together what one alone would see."""

import os
import subprocess
import sys

import pytest
import torch
from conftest import REPOSITORY
from test_networks import options, sample_of, scores

from stillhouse.stacked.processes import Processes
from stillhouse.training import train
from stillhouse.training_sets import TrainingSet

SETTINGS = {"epochs": 4, "dropout": 0.0, "seeds": 2, "checkpoint": 1}
PROGRAM = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
import test_devices as tests
import torch
torch.save(tests.predicted(devices=2, checkpoints=Path({folder!r}) / "unfinished"), Path({folder!r}) / "found.pt")
"""


def predicted(devices, **given):
    sets = [TrainingSet(sample_of(), None, options(**SETTINGS, devices=devices), 2, seed) for seed in (1, 2)]
    return [torch.tensor(scores(model)) for model, _ in train(sets, **given)]


def test_two_processes_learn_what_one_learns(tmp_path):
    (tmp_path / "program.py").write_text(
        PROGRAM.format(paths=[str(REPOSITORY / "workflow" / "scripts"), str(REPOSITORY / "tests")], folder=str(tmp_path))
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, tmp_path / "program.py"]
    done = subprocess.run(command, env={**environment, "CUDA_VISIBLE_DEVICES": ""}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(list((tmp_path / "unfinished").glob("*.ckpt"))) == 1
    for one, other in zip(torch.load(tmp_path / "found.pt"), predicted(devices=1), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


@pytest.mark.parametrize("rows", [7, 8, 256])
def test_the_parts_of_a_batch_are_the_batch(rows):
    index = torch.arange(3 * rows).view(3, rows)
    parts = [Processes(rank, count=4).part(index) for rank in range(4)]
    assert torch.equal(torch.cat(parts, dim=1), index)
    assert max(part.shape[1] for part in parts) - min(part.shape[1] for part in parts) <= 1


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="no two GPUs")
def test_two_gpus_learn_what_one_learns():
    for one, other in zip(predicted(devices=2), predicted(devices=1), strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=0)
