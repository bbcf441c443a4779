"""Runs that are cut short at a random moment of a random rule, from the state that a run is in when that rule begins."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from conftest import REPOSITORY, ColdRun, write_table_with_categories
from slurm import variables_of

EPOCHS = 40
TRAINED = {"method": "mlp", "width": 64, "epochs": EPOCHS, "patience": EPOCHS, "checkpoint": 1}
RESULTS = "results/cancer"
# Every rule takes part: later batches to be followed, synthetic rows, predictions that somebody else made.
CONFIG = {
    "datasets": {
        "cancer": {
            "train": "table.csv",
            "target": "diagnosis",
            "positive": "malignant",
            "deploy_where": {"site": ["d"]},
            "batches": {"share": 0.2, "count": 2},
            "synthetic": {"share": 0.5},
        }
    },
    "folds": {"k": 4},
    "models": {
        "tree": {"prepare": {"weigh": "logistic"}, "fit": {"method": "tree", "bag": 3}},
        "teacher": {"train": TRAINED},
        "theirs": {"read": {"method": "external", "table": "theirs.csv"}},
        "stack": {"stack": {"method": "linear", "members": ["tree", "teacher"]}},
        "student": {"distill": {**TRAINED, "teacher": "tree", "alpha": 0.5}},
        "pupil": {"distill": {"method": "tree", "teacher": "tree", "alpha": 0.5, "transfer": ["synthetic"]}},
    },
    "export": ["student"],
    "report": {"draws": 100, "control": [], "prepare": {"weigh": "logistic"}},
}
RULES = (REPOSITORY / "workflow" / "rules").glob("*.smk")
VERBS = sorted(verb for path in RULES for verb in re.findall(r"^rule (\w+):", path.read_text(), flags=re.M))
# The models whose training a rule's log tells of.
NETWORKS = {"train": "teacher", "distill": "student"}
VICTIMS, SIGNALS = ("job", "snakemake", "group"), (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class Kill:
    """Who is killed by which signal, at which share of the usual time of a rule's job."""

    rule: str
    victim: str
    signal: int
    moment: float

    def __str__(self):
        return f"{self.rule}-{self.victim}-{signal.Signals(self.signal).name}-{100 * self.moment:.0f}"


def kills(count, seed):
    """Return kills drawn by a seed: each rule is hit before one is hit again, each way is taken equally often."""
    rng = random.Random(seed)
    rules = [verb for _ in range(-(-count // len(VERBS))) for verb in rng.sample(VERBS, len(VERBS))][:count]
    ways = [(victim, number) for victim in VICTIMS for number in SIGNALS]
    ways = [way for _ in range(-(-count // len(ways))) for way in rng.sample(ways, len(ways))][:count]
    return [Kill(rule, *way, round(rng.uniform(0.05, 0.95), 2)) for rule, way in zip(rules, ways, strict=True)]


def write_inputs(folder):
    """Write the table, and predictions of its rows that know a little."""
    write_table_with_categories(folder / "table.csv", ["mean texture", "mean area", "mean concavity", "worst symmetry"])
    table = pd.read_csv(folder / "table.csv")
    p = 0.3 + 0.4 * (table["diagnosis"] == "malignant")
    pd.DataFrame({"row": table.index, "p_benign": 1 - p, "p_malignant": p}).to_csv(folder / "theirs.csv", index=False)


def finished_run(folder):
    """Run the workflow to its end, and return the folder."""
    run = ColdRun(folder, CONFIG)
    write_inputs(folder)
    run()
    return folder


def as_it_was_when(rule, finished, folder):
    """Copy a finished run as it was when a job of a rule began; return how many seconds that job took."""
    shutil.copytree(finished, folder, symlinks=True)
    jobs = [job for job in jobs_of(folder) if job["rule"] == rule and NETWORKS.get(rule, "") in job["log"]]
    job = min(jobs, key=lambda job: job["begin"])
    for path in [*(folder / "results").rglob("*"), *(folder / "logs").rglob("*")]:
        if path.is_file() and path.stat().st_mtime > job["begin"]:
            path.unlink()
    for path in folder.rglob("figures"):
        if not any(path.iterdir()):
            path.rmdir()
    return job["end"] - job["begin"]


def jobs_of(folder):
    """Return the jobs of a finished run with the first and last second of their scripts, as Snakemake's records have them."""
    found = {}
    for path in (folder / ".snakemake" / "metadata").iterdir():
        record = json.loads(path.read_text())
        log = Path(folder / record["log"][0])
        benchmark = log.with_suffix(".tsv")
        end = benchmark.stat().st_mtime
        begin = end - float(pd.read_csv(benchmark, sep="\t")["s"].iloc[-1])
        found[str(log)] = {"rule": record["rule"], "log": record["log"][0], "begin": begin, "end": end}
    return list(found.values())


def started(folder):
    """Start the workflow in a process group of its own."""
    output = (folder / "killed.txt").open("w")
    return subprocess.Popen(ColdRun(folder).command(), cwd=folder, stdout=output, stderr=output, start_new_session=True)


def at_the_moment(moment, rule, folder, seconds, snakemake):
    """Wait until a rule's job is at a share of its work, and return its process and the variables that it was started with.

    The work of networks is counted in epochs, by their log; of all else in the seconds that it took before. One that is faster
    this time is over by then.
    """
    log = folder / "logs" / "cancer" / NETWORKS.get(rule, "") / "split-all.log"
    is_at_work = (lambda: epochs_in(log_of(folder, rule))[int(moment * EPOCHS) :]) if rule in NETWORKS else (lambda: True)
    while not (jobs := scripts_of(folder, rule)) or not is_at_work():
        assert snakemake.poll() is None, (folder / "killed.txt").read_text()[-3000:]
        time.sleep(0.02)
    if rule in NETWORKS:
        jobs = [job for job in jobs if any(opened.resolve() == log.resolve() for opened in Path(f"/proc/{job}/fd").iterdir())]
        return jobs[0], variables_of(jobs[0])
    variables = variables_of(jobs[0])
    time.sleep(moment * seconds)
    return jobs[0], variables


def scripts_of(folder, rule):
    """Return the processes that run a rule's script in a folder."""
    return [number for number, words in processes_in(folder) if re.search(rf"\.snakemake/scripts/\w+\.{rule}\.py", words)]


def processes_in(folder):
    """Return the processes whose working directory is a folder, with their command lines."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if (entry / "cwd").resolve() == folder.resolve() and (words := (entry / "cmdline").read_text()):
                    found.append((int(entry.name), words.replace("\0", " ")))
            except OSError:
                continue
    return found


def strike(kill, folder, seconds):
    """Start the workflow, kill as is said while the rule is at work, and wait until Snakemake has ended."""
    snakemake = started(folder)
    job, _ = at_the_moment(kill.moment, kill.rule, folder, seconds, snakemake)
    if kill.victim == "group":
        os.killpg(snakemake.pid, kill.signal)
    elif kill.victim == "snakemake":
        snakemake.send_signal(kill.signal)
    else:
        # Where the job is over, whatever is at work is hit.
        alive = [number for number, _ in processes_in(folder) if number != snakemake.pid]
        os.kill(job if job in alive else (alive or [snakemake.pid])[0], kill.signal)
    snakemake.wait(300)


def recover(run):
    """Give the same command again; where it says that a lock stands, do what it says."""
    run(check=False)
    if run.code and "--unlock" in run.printed:
        run("--unlock")
        run()
    assert run.code == 0, run.printed[-3000:]


def wait_for_the_end_of_all(folder, seconds=30):
    """Wait until no process of a killed run is left."""
    end = time.monotonic() + seconds
    while left := processes_in(folder):
        assert time.monotonic() < end, left
        time.sleep(0.2)


def log_of(folder, rule):
    """Return the log of a rule's network; nothing for rules that train none."""
    path = folder / "logs" / "cancer" / NETWORKS.get(rule, "") / "split-all.log"
    return path.read_text() if rule in NETWORKS and path.exists() else ""


def epochs_lost(killed_log, log):
    """Return how many whole epochs a training did twice, None where it was not in the midst of them.

    A SIGINT to Snakemake alone lets jobs end, which it then makes anew: nothing is cut short there.
    """
    done, again = epochs_in(killed_log), re.findall(r"resumes after epoch (\d+)", log)
    is_begun_anew = killed_log.split("\n", 1)[0] != log.split("\n", 1)[0]
    if not is_begun_anew or not done or done[-1] == EPOCHS:
        return None
    # It may have gone on between the look at its log and the kill.
    return max(0, done[-1] - (int(again[-1]) if again else 0))


def epochs_in(log):
    """Return the numbers of the epochs that a log tells of, in its order."""
    return [int(number) for number in re.findall(r"epoch (\d+), loss", log)]


def assert_unbroken(folder, finished):
    """Assert that a run has the very results of a finished one, and that nothing of its accidents is left."""
    wait_for_the_end_of_all(folder)
    (expected, all_expected), (found, all_found) = results_of(finished), results_of(folder)
    assert all_found == all_expected
    assert [name for name in expected if found[name] != expected[name]] == []
    assert not [path for name in ("locks", "incomplete") for path in (folder / ".snakemake" / name).rglob("*")]


def results_of(folder):
    """Return the files of results that say how good models are, by name, and the names of all files."""
    files = [path for path in (folder / "results").rglob("*") if path.is_file()]
    equal = ("metrics.json", "predictions.parquet", "comparison.csv", "pairs.csv", "drift.json", "shift.json")
    contents = {str(path.relative_to(folder)): path.read_bytes() for path in files if path.name in equal}
    return contents, sorted(str(path.relative_to(folder)) for path in files)
