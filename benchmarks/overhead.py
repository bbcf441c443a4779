"""How much of a run's wall time passes while no rule's script is at work, for docs/benchmarks.md.

    python benchmarks/overhead.py TABLES adult [FOLDER]

Runs an example from nothing on two cores. TABLES is the folder that stands for data/; see data/README.md. The run is kept in
FOLDER where one is named.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

REPOSITORY = Path(__file__).resolve().parent.parent


def run(name, tables, folder):
    """Return when a run of an example began and ended, in seconds of the epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data").symlink_to(Path(tables).resolve())
    config = REPOSITORY / "config" / "examples" / f"{name}.yaml"
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile", "--directory", folder]
    begin = time.time()
    subprocess.run([*command, "--configfile", config, "--cores", "2", "--quiet", "all"], check=True)
    return begin, time.time()


def at_work(folder):
    """Return the first and last second of every script, from the benchmark file that is written as it ends."""
    found = [(path.stat().st_mtime, pd.read_csv(path, sep="\t")["s"].sum()) for path in (folder / "logs").rglob("*.tsv")]
    return sorted((end - seconds, end) for end, seconds in found)


def covered(spans):
    """Return how many seconds lie in at least one of the spans, which are in order of their beginnings."""
    total, reached = 0.0, float("-inf")
    for begin, end in spans:
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def measure(name, tables, folder):
    """Print a line of the table."""
    begin, end = run(name, tables, folder)
    spans = at_work(folder)
    wall, busy = end - begin, covered(spans)
    print("| example | jobs | wall seconds | seconds of scripts | wall with a script at work | overhead |")
    print("|---|---|---|---|---|---|")
    total = sum(last - first for first, last in spans)
    print(f"| {name} | {len(spans)} | {wall:.0f} | {total:.0f} | {busy:.0f} | {100 * (1 - busy / wall):.1f} % |")


if __name__ == "__main__":
    if len(sys.argv) > 3:
        measure(sys.argv[2], sys.argv[1], Path(sys.argv[3]))
    else:
        with tempfile.TemporaryDirectory() as kept:
            measure(sys.argv[2], sys.argv[1], Path(kept))
