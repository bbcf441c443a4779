"""Whatever is killed, whenever: the same command goes on, and ends with the very results of an unbroken run."""

import pytest
from conftest import Run
from killing import (
    CONFIG,
    VERBS,
    as_it_was_when,
    epochs_lost,
    kills,
    recover,
    results_of,
    strike,
    wait_for_the_end_of_all,
    write_inputs,
)

SEED, COUNT, SHORT = 20261125, len(VERBS), 3
KILLS = kills(COUNT, SEED)
NETWORKS = {"train": "teacher", "distill": "student"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("chaos") / "finished", CONFIG)
    write_inputs(run.folder)
    run()
    return run.folder


@pytest.mark.chaos
@pytest.mark.parametrize(
    "kill",
    [pytest.param(kill, id=str(kill), marks=[pytest.mark.slow] if number < SHORT else []) for number, kill in enumerate(KILLS)],
)
def test_a_killed_run_ends_as_an_unbroken_one(kill, finished, tmp_path):
    folder = tmp_path / "killed"
    strike(kill, folder, as_it_was_when(kill.rule, finished, folder))
    log = folder / "logs" / "cancer" / NETWORKS.get(kill.rule, "") / "split-all.log"
    killed = log.read_text() if kill.rule in NETWORKS else ""
    recover(folder)
    wait_for_the_end_of_all(folder)
    expected, found = results_of(finished), results_of(folder)
    assert found[1] == expected[1]
    assert [name for name in expected[0] if found[0][name] != expected[0][name]] == []
    assert not [path for name in ("locks", "incomplete") for path in (folder / ".snakemake" / name).rglob("*")]
    if kill.rule in NETWORKS and (lost := epochs_lost(killed, log.read_text())) is not None:
        print(f"{kill}: {lost} epochs lost")
        assert lost <= 1


def test_kills_are_spread_over_rules_victims_and_signals():
    assert len(VERBS) == 21
    assert {kill.rule for kill in KILLS} == set(VERBS)
    assert len({(kill.victim, kill.signal) for kill in KILLS}) == 9
    assert kills(COUNT, SEED) == KILLS
