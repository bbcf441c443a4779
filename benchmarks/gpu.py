"""What networks cost on a GPU, for docs/benchmarks.md: all in one run, as ratios where machines differ.

    python benchmarks/gpu.py [TABLES]

Seconds of training are the difference between runs of two lengths, so that what happens once (imports, the first use of the
GPU, capturing a step) is left out and stated apart; all take turns, three times, and the least of each counts. With TABLES, the
folder that stands for data/ (see data/README.md), the teacher of config/examples/adult.yaml is trained too.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import networks
import numpy as np
import pandas as pd
import torch

EPOCHS, SHORT, ROUNDS = 22, 2, 3
NAME = "256 x 3"
# Kernels are counted over few epochs, as a profile holds each of them.
PROFILED = 4
LARGE = 200_000


def took(work):
    """Return the seconds of a piece of work, the GPU's included."""
    wait()
    start = time.perf_counter()
    work()
    wait()
    return time.perf_counter() - start


def wait():
    """Wait for the GPU."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def trained(size, path, epochs, draws, folds, **given):
    """Train networks as the workflow does; returns the fitted ones of each fold."""
    from stillhouse.networks.training import train

    return [model for model, _ in train(networks.sets_of(size, path, draws, folds, epochs=epochs, **given))]


def ways(size, path):
    """Return the ways of training that are compared, as functions of the number of epochs."""

    def members(draws, folds, **given):
        return lambda epochs: trained(size, path, epochs, draws, folds, **given)

    accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    return {
        "one as Lightning is written": lambda epochs: networks.as_written(size, path, epochs, accelerator),
        "one member": members(1, 1),
        "twenty": members(4, 5),
        "eighty": members(16, 5),
        "eighty, bfloat16": members(16, 5, precision="bfloat16"),
        "eighty, default inputs": members(16, 5, numbers="piecewise", heads=4),
        "eighty, default inputs, bfloat16": members(16, 5, numbers="piecewise", heads=4, precision="bfloat16"),
    }


def compare(size, path):
    """Print seconds of training and of setting up for each way."""
    found = {name: [] for name in ways(size, path)}
    for _ in range(ROUNDS):
        for name, way in ways(size, path).items():
            found[name].append((took(lambda: way(SHORT)), took(lambda: way(EPOCHS))))  # noqa: B023 (called at once)
    print(f"| {size['rows']} rows, {EPOCHS - SHORT} epochs | seconds of training | beside one as written | seconds before |")
    print("|---|---|---|---|")
    shortest = {name: min(short for short, _ in pairs) for name, pairs in found.items()}
    least = {name: min(long for _, long in pairs) - shortest[name] for name, pairs in found.items()}
    for name in found:
        before = shortest[name] - least[name] * SHORT / (EPOCHS - SHORT)
        print(f"| {name} | {least[name]:.2f} | {least[name] / least['one as Lightning is written']:.2f} | {before:.2f} |")


def rows_a_second(size, path):
    """Print how many rows of a large table five members learn in a second, with plain and with default inputs."""
    large = size | {"rows": LARGE}
    networks.make_table(large, path)
    learned = LARGE * (networks.FOLDS - 1) / networks.FOLDS * 5
    for name, given in (("plain", {}), ("default", {"numbers": "piecewise", "heads": 4})):
        work = {epochs: lambda epochs=epochs, given=given: trained(large, path, epochs, 1, 5, **given) for epochs in (1, 4)}
        short, long = (min(took(work[epochs]) for _ in range(ROUNDS)) for epochs in (1, 4))
        print(f"{LARGE} rows, five members, {name} inputs: {learned * 3 / (long - short) / 1e6:.2f} million rows a second")


def kernels_at_work(size, path):
    """Print for which share of the time of training kernels are at work."""
    from torch.profiler import ProfilerActivity, profile

    def profiled(epochs):
        with profile(activities=[ProfilerActivity.CUDA]) as found:
            seconds = took(lambda: trained(size, path, epochs, 16, 5))
        return seconds, sum(event.self_device_time_total for event in found.key_averages()) / 1e6

    # The first profile also starts the profiler.
    profiled(SHORT)
    (short, few), (long, many) = profiled(SHORT), profiled(SHORT + PROFILED)
    print(f"Kernels of eighty members are at work for {100 * (many - few) / (long - short):.0f} % of training.")


def company(size, path):
    """Print by how much a member differs in the company of seventy-nine and alone, after a step and after training."""
    pairs = {"after one step": {"epochs": 1, "batch": size["rows"] // 2}, "after training": {"epochs": EPOCHS}}
    rows = pd.read_feather(path).head(4000)
    for name, given in pairs.items():
        alone = trained(size, path, folds=1, draws=1, **given)[0].predict(rows)
        together = trained(size, path, folds=5, draws=16, **given)[0]
        first = type(together)(together.members[:1], together.names, together.n_classes, together.centre, together.scale)
        difference = first.predict(rows) - alone
        print(f"A member in company and alone, {name}: {np.abs(difference).max():.1e} at most in a probability, ", end="")
        print(f"{np.abs(difference.mean(axis=0)).max():.1e} in the mean")


def adult_teacher(tables, folder):
    """Print the seconds of the job that trains the teacher of the example of adult."""
    (folder / "data").symlink_to(Path(tables).resolve())
    config = networks.REPOSITORY / "config" / "examples" / "adult.yaml"
    command = [sys.executable, "-m", "snakemake", "--snakefile", networks.REPOSITORY / "Snakefile", "--directory", folder]
    target = "results/adult/models/teacher/split-all/predictions.parquet"
    subprocess.run([*command, "--configfile", config, "--cores", "all", "--quiet", "all", "--", target], check=True)
    benchmark = folder / "logs" / "adult" / "teacher" / "split-all.tsv"
    print(f"The teacher of adult takes {pd.read_csv(benchmark, sep=chr(9))['s'].sum():.0f} s, the whole job.")


def main(tables=None):
    """Print all figures."""
    size = networks.SIZES[NAME]
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}\n")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "table.feather")
        networks.make_table(size, path)
        trained(size, path, 1, 1, 1)
        compare(size, path)
        print()
        kernels_at_work(size, path)
        company(size, path)
        rows_a_second(size, path)
        if tables:
            adult_teacher(tables, Path(folder))


if __name__ == "__main__":
    if not torch.cuda.is_available():
        sys.exit("gpu.py measures a GPU, and torch finds none on this machine")
    main(*sys.argv[1:])
