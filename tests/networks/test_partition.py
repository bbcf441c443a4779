"""Which networks are trained together follows from the memory that they need, known beforehand, and changes no result."""

import numpy as np
import pytest
import torch
from network_samples import ROWS, member_of, options, sample_of, scores, table_of

from stillhouse.networks import training
from stillhouse.networks.training import train
from stillhouse.networks.training_sets import TrainingSet
from stillhouse.networks.vectorized.layers import vectorized
from stillhouse.networks.vectorized.members import Layout, Program, Shape
from stillhouse.networks.vectorized.memory import bytes_for_gradient, member_bytes, table_bytes
from stillhouse.networks.vectorized.partition import parts_that_fit


def layout_of(members, batch=32, **given):
    settings = options(**given)
    members = [member_of(number, settings) for number in members]
    return Layout(table_of(ROWS), Program(Shape(batch, 4), settings, None), [members])


def numbers_in(parts):
    return [[member.number for layout in part for member in layout.members] for part in parts]


def test_what_a_layer_keeps_for_its_gradient_is_counted():
    network, _ = vectorized([torch.nn.Sequential(torch.nn.Linear(10, 30), torch.nn.Tanh(), torch.nn.Linear(30, 2))])
    rows = torch.zeros(1, 64, 10)
    # The inputs, the one hidden layer after its activation, and the outputs, padded to lanes of 64 bytes.
    assert bytes_for_gradient(network, rows) == pytest.approx(4 * 64 * (10 + 30 + 2), rel=0.15)


@pytest.mark.parametrize("given", [{}, {"numbers": "piecewise", "heads": 4}, {"method": "transformer", "width": None}])
def test_memory_grows_with_the_batch_and_with_what_is_kept(given):
    given = {name: value for name, value in given.items() if value is not None}
    small, large, many = (
        member_bytes(layout.members[0], layout)
        for layout in (
            layout_of([1], batch=32, **given), layout_of([1], batch=256, **given), layout_of([1], 32, snapshots=9, **given)
        )
    )  # fmt: skip
    assert large > 2 * small
    assert many > small


def test_layouts_that_fit_together_are_trained_together_and_others_in_parts(caplog):
    layouts = [layout_of(range(6)), layout_of(range(6, 10), width=16)]
    needed = [member_bytes(layout.members[0], layout) for layout in layouts]
    rows = sum(table_bytes(layout.table) for layout in layouts)
    everything = 6 * needed[0] + 4 * needed[1]
    with caplog.at_level("INFO"):
        assert parts_that_fit(layouts, None, "teacher") == [layouts]
        assert numbers_in(parts_that_fit(layouts, rows + everything, "teacher")) == [list(range(10))]
        assert not caplog.records
        parts = parts_that_fit(layouts, rows + 2.5 * needed[0], "teacher")
    assert sorted(np.concatenate(numbers_in(parts)).tolist()) == list(range(10))
    for part in parts:
        cost = sum(needed[0 if member.number < 6 else 1] for layout in part for member in layout.members)
        assert cost <= 2.5 * needed[0] or sum(len(layout.members) for layout in part) == 1
    assert caplog.records[0].message.startswith("teacher: 10 networks take about")
    assert caplog.records[0].message.endswith(f"are trained in {len(parts)} parts")


def test_what_is_trained_in_parts_is_what_it_is_together(monkeypatch):
    def sets():
        found = [TrainingSet(sample_of(rows, rows), None, options(epochs=3, seeds=3), 2, rows) for rows in (300, 310, 700)]
        found.append(TrainingSet(sample_of(700, 8), None, options(epochs=3, seeds=3), 2, 8, follows=found[2]))
        return found

    together = train(sets())
    fits, original = [], training.fit
    monkeypatch.setattr(training, "fit", lambda part, *rest: (fits.append(part), original(part, *rest)))
    monkeypatch.setattr(training, "gpu_bytes", lambda: 0.3e6)
    apart = train(sets())
    assert len(fits) > 2
    assert all((scores(left) == scores(right)).all() for (left, _), (right, _) in zip(together, apart, strict=True))
    for part in fits:
        own = [member for layout in part for member in layout.members]
        assert all(any(one is member.follows for one in own) for member in own if member.follows)
