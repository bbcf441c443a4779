"""Whatever is killed, whenever: the same command goes on, and ends with the very results of an unbroken run."""

import signal

import pytest
from conftest import ColdRun
from killing import VERBS, Kill, as_it_was_when, assert_unbroken, epochs_lost, finished_run, kills, log_of, recover, strike

SEED, COUNT = 20261125, len(VERBS)
# Beside those that are drawn, trainings are killed in the midst of their epochs by what leaves them no time.
KILLS = [*kills(COUNT, SEED), Kill("train", "job", signal.SIGKILL, 0.6), Kill("distill", "group", signal.SIGKILL, 0.3)]
# Those that continuous integration has time for, a training among them.
SHORT = (0, 1, COUNT)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return finished_run(tmp_path_factory.mktemp("chaos") / "finished")


@pytest.mark.chaos
@pytest.mark.parametrize(
    "kill",
    [
        pytest.param(kill, id=str(kill), marks=[pytest.mark.slow] if number in SHORT else [])
        for number, kill in enumerate(KILLS)
    ],
)
def test_a_killed_run_ends_as_an_unbroken_one(kill, finished, tmp_path):
    run = ColdRun(tmp_path / "run")
    run.folder.rmdir()
    strike(kill, run.folder, as_it_was_when(kill.rule, finished, run.folder))
    killed = log_of(run.folder, kill.rule)
    recover(run)
    assert_unbroken(run.folder, finished)
    if (lost := epochs_lost(killed, log_of(run.folder, kill.rule))) is not None:
        print(f"{kill}: {lost} epochs lost")
        assert lost <= 1


def test_kills_are_spread_over_rules_victims_and_signals():
    assert len(VERBS) == 22
    assert {kill.rule for kill in KILLS} == set(VERBS)
    assert len({(kill.victim, kill.signal) for kill in KILLS}) == 9
    assert kills(COUNT, SEED) == KILLS[:COUNT]
