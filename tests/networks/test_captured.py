"""A training step reads tensors alone, so that a GPU can repeat it: shown on the CPU by repeating its recorded operations."""

from contextlib import contextmanager

import pytest
import torch
from network_samples import ROWS, WAYS, member_of, options, table_of
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from stillhouse.networks.losses import Loss
from stillhouse.networks.vectorized.captured import CALLS_BEFORE, Captured
from stillhouse.networks.vectorized.group import Group
from stillhouse.networks.vectorized.members import Program, Shape
from stillhouse.networks.vectorized.optimizers import STATE_NAMES

WAITS = {torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default, torch.ops.aten.is_nonzero.default}


class Recording(TorchDispatchMode):
    """Records operations, with the tensors that they read and write, as a CUDA graph does; refuses those that wait for a GPU."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        assert operation not in WAITS, operation
        result = operation(*args, **(kwargs or {}))
        self.calls.append((operation, args, kwargs or {}, result))
        return result

    @torch.no_grad()
    def replay(self):
        """Run the operations again, on the same tensors: results are written where they were."""
        for operation, args, kwargs, before in self.calls:
            found = operation(*args, **kwargs)
            for old, new in zip(tree_leaves(before), tree_leaves(found), strict=True):
                if isinstance(old, torch.Tensor) and old.data_ptr() != new.data_ptr():
                    old.copy_(new)


class RecordedGraph:
    """Stands for ``torch.cuda.CUDAGraph`` on the CPU; unlike there, recording also runs the step."""

    def __init__(self):
        self.recording = Recording()

    def replay(self):
        if self.recording.calls and not hasattr(self, "is_recorded"):
            self.is_recorded = True
            return
        self.recording.replay()


@contextmanager
def recorded(graph, stream):
    with graph.recording:
        yield


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """Captured steps are recorded, and optimisers take tensors alone."""
    monkeypatch.setattr(torch.cuda, "CUDAGraph", RecordedGraph)
    monkeypatch.setattr(torch.cuda, "graph", recorded)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: pytest.fail("no stream is entered inside a step"))


def group_of(settings, stream=None, fuses=False, dtype=torch.float32, device="cpu", numbers=(0, 1, 2)):
    members = [member_of(number, settings, clip=1.0, rate=0.003 * (1 + number)) for number in numbers]
    for member in members:
        member.module.to(dtype)
    program = Program(Shape(32, 4), settings, Loss("auto", 2))
    group = Group(members, table_of(ROWS, dtype).to(device), program, stream=stream)
    group.optimizer.fuses = fuses
    return group


SETTINGS = [*WAYS.values(), *({"optimizer": name, "schedule": "cosine"} for name in STATE_NAMES)]


@pytest.mark.parametrize("given", SETTINGS, ids=[*WAYS, *STATE_NAMES])
def test_repeating_the_operations_of_one_step_takes_the_next_steps(given, as_on_a_gpu):
    settings = options(**{"epochs": 8, **{key: value for key, value in given.items() if value is not None}})
    launched, repeated = group_of(settings), group_of(settings, stream="a stream")
    for epoch in range(3):
        launched.train_epoch(epoch)
        repeated.train_epoch(epoch)
        assert torch.equal(launched.sums, repeated.sums)
        assert torch.equal(launched.rows.values, repeated.rows.values)
    assert repeated.step._graph.recording.calls


def test_a_step_that_cannot_be_captured_is_launched_each_time_and_the_log_says_why(monkeypatch, caplog):
    @contextmanager
    def refusing(graph, stream):
        try:
            raise RuntimeError("operation not permitted when stream is capturing\nCompile with ...")
        finally:
            # As torch does when it ends a capture that has failed.
            raise RuntimeError("operation failed due to a previous error during capture")
        yield

    monkeypatch.setattr(Captured, "fails", False)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: None)
    monkeypatch.setattr(torch.cuda, "graph", refusing)
    called = []
    step = Captured(lambda: called.append(1), stream="a stream")
    with caplog.at_level("INFO"):
        for _ in range(CALLS_BEFORE + 5):
            step()
        another = Captured(lambda: called.append(1), stream="a stream")
        for _ in range(CALLS_BEFORE + 5):
            another()
    assert len(called) == 2 * (CALLS_BEFORE + 5)
    assert [record.message for record in caplog.records] == [
        "training launches each step anew, as a step cannot be captured as a CUDA graph: "
        "operation not permitted when stream is capturing"
    ]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_adam_in_plain_tensors_is_the_fused_one(name, dtype, tolerance):
    settings = options(epochs=8, optimizer=name)
    fused, plain = (group_of(settings, fuses=fuses, dtype=dtype) for fuses in (True, False))
    for epoch in range(2):
        fused.train_epoch(epoch)
        plain.train_epoch(epoch)
    assert float((fused.rows.values - plain.rows.values).abs().max()) < tolerance


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("given", [WAYS["plain"], WAYS["batch norm, piecewise, heads"]], ids=["plain", "heads"])
def test_on_a_gpu_a_captured_step_does_what_a_launched_one_does_and_a_member_is_the_same_alone(given):
    settings = options(**{"epochs": 8, **given})
    captured, launched, alone = (
        group_of(settings, stream, False, torch.float64, "cuda", numbers)
        for stream, numbers in ((torch.cuda.Stream(), (0, 1, 2)), (None, (0, 1, 2)), (None, (0,)))
    )
    torch.cuda.synchronize()
    for group in (captured, launched, alone):
        for epoch in range(3):
            with group.on_stream():
                group.train_epoch(epoch)
        torch.cuda.synchronize()
    assert captured.step._graph is not None
    assert float((captured.rows.values - launched.rows.values).abs().max()) < 1e-8
    assert float((launched.rows.values[:1] - alone.rows.values).abs().max()) < 1e-8
