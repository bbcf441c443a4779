"""Wall time, time of the processor and peak memory of a dry run over many datasets, models and splits, for docs/benchmarks.md.

    python benchmarks/graph.py [datasets]

There are 100 datasets by default, each with 10 models in 5 folds: all of them fitted, or two of them made of others.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
PREPARATIONS = {f"p{number}": {"method": "median", "categories": 10 + number} for number in range(2)}


def configuration(datasets, splits, is_nested):
    """Return a configuration of so many datasets; where it is nested, a stack and its student are two of the ten models."""
    fitted = 8 if is_nested else 10
    models = {f"m{number}": {"prepare": {"impute": f"p{number % 2}"}, "fit": {"method": "tree"}} for number in range(fitted)}
    if is_nested:
        models["stack"] = {"stack": {"method": "linear", "members": ["m0", "m1"]}}
        models["student"] = {"distill": {"method": "mlp", "teacher": "stack"}}
    return {
        "splits": splits,
        "folds": {"k": 5},
        "imputers": PREPARATIONS,
        "datasets": {f"d{number}": {"train": "sklearn:breast_cancer", "target": "target"} for number in range(datasets)},
        "models": models,
    }


def dry_run(config, folder):
    """Return the jobs of a dry run, its wall seconds, those of the processor, and its peak megabytes."""
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile", "--directory", folder]
    command += ["--configfile", folder / "config.yaml", "--cores", "2", "--dry-run", "--quiet", "rules"]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = process.stdout.read().splitlines()
    _, code, usage = os.wait4(process.pid, 0)
    if code:
        sys.exit("\n".join(lines[-20:]))
    jobs = next(line.split()[1] for line in lines if line.startswith("total"))
    return int(jobs), time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    print("| splits | models | jobs | wall seconds | of the processor | peak MB |\n|---|---|---|---|---|---|", flush=True)
    for splits in ("together", "apart"):
        for is_nested in (False, True):
            with tempfile.TemporaryDirectory() as kept:
                jobs, seconds, busy, megabytes = dry_run(configuration(count, splits, is_nested), Path(kept))
            models = "8 fitted, a stack, its student" if is_nested else "10 fitted"
            print(f"| {splits} | {models} | {jobs:,} | {seconds:.0f} | {busy:.0f} | {megabytes:.0f} |", flush=True)
