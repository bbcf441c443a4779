"""A job that takes longer than some seconds says how far it is."""

import pytest

from stillhouse import errors, progress


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_long_work_is_told_now_and_then_with_the_time_that_is_left(clock, caplog, monkeypatch):
    monkeypatch.setattr(errors, "_logs", ["logs/clinic/forest/split-all.log"])
    with caplog.at_level("INFO"):
        for _ in progress.told(range(10), "splits"):
            clock[0] += 6
    assert [record.message for record in caplog.records] == [
        f"clinic/forest/split-all: {done} of 10 splits done, about {6 * (10 - done)} s left" for done in (2, 4, 6, 8)
    ]


def test_short_work_is_done_in_silence_and_yields_every_item(clock, caplog):
    with caplog.at_level("INFO"):
        assert list(progress.told("abc", "splits")) == ["a", "b", "c"]
    assert not caplog.records


@pytest.mark.parametrize(("seconds", "said"), [(4.4, "4 s"), (59.6, "1:00 min"), (754, "12:34 min")])
def test_times_are_written_for_people(seconds, said):
    assert progress.clock(seconds) == said
