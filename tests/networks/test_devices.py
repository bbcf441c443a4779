"""One network on several devices: each sees its part of every batch, and all of them together what one alone would see."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from conftest import REPOSITORY
from network_samples import options, sample_of, scores

from stillhouse.claims import HELPER_OF, is_helper
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.networks.vectorized.processes import Processes

SETTINGS = {"patience": 400, "dropout": 0.0, "seeds": 2, "checkpoint": 1}
PROGRAM = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
import test_devices as tests
import torch
found = tests.predicted(devices=2, epochs={epochs}, checkpoints=Path({folder!r}) / "unfinished")
torch.save(found, Path({folder!r}) / "found.pt")
"""


def program(folder, epochs):
    """Start a program that trains with two processes."""
    paths = [str(REPOSITORY / "workflow" / "scripts"), str(REPOSITORY / "tests"), str(REPOSITORY / "tests" / "networks")]
    (folder / "program.py").write_text(PROGRAM.format(paths=paths, folder=str(folder), epochs=epochs))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, folder / "program.py"]
    return subprocess.Popen(command, env={**environment, "CUDA_VISIBLE_DEVICES": ""}, stderr=subprocess.PIPE, text=True)


def predicted(devices, epochs=4, **given):
    sets = [TrainingSet(sample_of(), None, options(**SETTINGS, epochs=epochs, devices=devices), 2, seed) for seed in (1, 2)]
    return [torch.tensor(scores(model)) for model, _ in train(sets, **given)]


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(tmp_path):
    running = program(tmp_path, epochs=4)
    _, said = running.communicate(timeout=300)
    assert running.returncode == 0, said[-3000:]
    assert len(list((tmp_path / "unfinished").glob("*.ckpt"))) == 1
    for one, other in zip(torch.load(tmp_path / "found.pt"), predicted(devices=1), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_two_processes_that_are_asked_to_end_do_so_together_and_leave_a_checkpoint(tmp_path):
    running = program(tmp_path, epochs=400)
    while not list((tmp_path / "unfinished").glob("*.ckpt")):
        assert running.poll() is None, running.stderr.read()[-3000:]
        time.sleep(0.05)
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=120)
    assert running.returncode == 143, said[-3000:]
    assert not (tmp_path / "found.pt").exists()
    assert len(list((tmp_path / "unfinished").glob("*"))) == 1


def test_what_another_launcher_says_makes_no_helper(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert not is_helper()
    monkeypatch.setenv(HELPER_OF, str(os.getppid()))
    assert is_helper()


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
