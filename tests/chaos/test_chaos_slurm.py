"""Whatever befalls jobs, nodes or Snakemake on a cluster: the run, or the same command, goes on to the very results of an unbroken one."""

import os
import random
import re
import shutil
import signal
import subprocess
from contextlib import suppress

import pytest
from killing import (
    NETWORKS,
    VERBS,
    as_it_was_when,
    assert_unbroken,
    at_the_moment,
    epochs_lost,
    finished_run,
    log_of,
    recover,
)
from slurm import ClusterRun, Slurm

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(not shutil.which("sbatch"), reason="Slurm is not installed (make chaos installs it)"),
]
SEED, WAYS = 20261125, ("cancelled", "out of time", "node dies", "preempted", "Snakemake killed")


def accidents(seed):
    """Return each way twice, each time at another rule and moment; trainings are among the rules."""
    rng = random.Random(seed)
    rules = rng.sample(
        [*NETWORKS, *rng.sample([verb for verb in VERBS if verb not in NETWORKS], 2 * len(WAYS) - len(NETWORKS))], 10
    )
    return [(way, rule, round(rng.uniform(0.1, 0.8), 2)) for way, rule in zip(2 * WAYS, rules, strict=True)]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    with Slurm(tmp_path_factory.mktemp("slurm") / "lab") as running:
        yield running


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return finished_run(tmp_path_factory.mktemp("chaos") / "finished")


@pytest.mark.parametrize(("way", "rule", "moment"), accidents(SEED), ids=lambda value: str(value))
def test_an_accident_on_a_cluster_changes_no_result(way, rule, moment, slurm, finished, tmp_path):
    run = ClusterRun(tmp_path / "run", slurm)
    shutil.rmtree(run.folder)
    seconds = as_it_was_when(rule, finished, run.folder)
    with (run / "killed.txt").open("w") as output:
        snakemake = subprocess.Popen(run.command(), cwd=run.folder, env=run.environment, stdout=output, stderr=output)
    script, variables = at_the_moment(moment, rule, run.folder, seconds, snakemake)
    killed = log_of(run.folder, rule)
    befall(way, slurm, variables["SLURM_JOB_ID"], script, snakemake, run)
    assert snakemake.wait(600) == 0 or way == "Snakemake killed", (run / "killed.txt").read_text()[-3000:]
    recover(run)
    assert_unbroken(run.folder, finished)
    if (lost := epochs_lost(killed, log_of(run.folder, rule))) is not None:
        print(f"{way}, {rule}: {lost} epochs lost")
        assert lost <= 1


def befall(way, slurm, job, script, snakemake, run):
    """Let a job, its node or Snakemake come to harm."""
    node = slurm.jobs()[job][2]
    if way == "cancelled":
        slurm("scancel", job)
    elif way == "out of time":
        # A job that hangs is ended by its limit, which Slurm looks at twice a minute.
        with suppress(ProcessLookupError):
            os.kill(script, signal.SIGSTOP)
        slurm("scontrol", "update", f"JobId={job}", "TimeLimit=1", check=False)
        slurm.wait_until(lambda: slurm.jobs()[job][0] in ("TIMEOUT", "COMPLETED"), 180)
    elif way == "node dies":
        slurm.kill_node(node)
        slurm.start_node(node)
    elif way == "preempted":
        slurm(*f"sbatch --partition urgent --nodelist {node} --cpus-per-task 2 --output /dev/null --wrap".split(), "sleep 3")
    else:
        snakemake.kill()
        snakemake.wait()
        # As docs/cluster.md says: jobs go on running, and are to be cancelled first.
        run_id = re.search(r"SLURM run ID: (\S+)", (run / "killed.txt").read_text())[1]
        slurm("scancel", "--name", run_id)
        slurm.wait_until(lambda: not slurm("squeue", "-h", "-t", "running,completing,pending", "--name", run_id), 60)


def test_accidents_are_spread_over_ways_and_rules():
    found = accidents(SEED)
    assert len(found) == len({rule for _, rule, _ in found}) == 10
    assert {way for way, *_ in found} == set(WAYS)
    assert set(NETWORKS) < {rule for _, rule, _ in found}
