"""Run example configurations from nothing and print a table of their scores and times, for docs/benchmarks.md.

    python benchmarks/examples.py TABLES adult heart-disease …

TABLES is the folder that stands for data/; see data/README.md.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent


def run(name, tables, folder):
    """Return the seconds that an example takes on two cores, from nothing to its report."""
    (folder / "data").symlink_to(Path(tables).resolve())
    config = REPOSITORY / "config" / "examples" / f"{name}.yaml"
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile", "--directory", folder]
    begin = time.perf_counter()
    subprocess.run([*command, "--configfile", config, "--cores", "2", "--quiet", "all"], check=True)
    return time.perf_counter() - begin


def scores(name, folder):
    """Yield a line of the table for each model of an example."""
    for dataset in yaml.safe_load((REPOSITORY / "config" / "examples" / f"{name}.yaml").read_text())["datasets"]:
        for path in sorted((folder / "results" / dataset / "models").glob("*/metrics.json")):
            populations = json.loads(path.read_text())
            cells = [interval_of(populations.get(population)) for population in ("held_out", "deploy_weighted", "deploy")]
            yield f"| {dataset} | {path.parent.name} | {' | '.join(cells)} |"


def interval_of(assessed):
    """Return the AUC, or of a regression R², with its interval."""
    if assessed is None:
        return ""
    metric = "auc" if "auc" in assessed["metrics"] else "r2"
    found = assessed["metrics"][metric]
    return f"{found['value']:.4f} ({found['low']:.4f} to {found['high']:.4f})"


def shift_and_drift(folder):
    """Yield what was found of shift and of drift in each dataset."""
    for path in sorted((folder / "results").glob("*/shift.json")):
        shift = json.loads(path.read_text())
        yield f"{path.parent.name}: {shift['reason']} {shift['weights'].get('note', '')}"
    for path in sorted((folder / "results").glob("*/models/*/drift.json")):
        drift = json.loads(path.read_text())
        for state in drift["batches"][0]["states"]:
            values = [batch["states"][state]["auc"]["value"] for batch in drift["batches"]]
            yield f"{path.parent.name}, {state}: AUC by batch {' '.join(f'{value:.3f}' for value in values)}"
        yield f"{path.parent.name}: alarms after rows {[alarm['after_rows'] for alarm in drift['alarms']]}"


print("| dataset | model | held-out rows | weighted for deploy | labelled deploy rows |\n|---|---|---|---|---|")
for name in sys.argv[2:]:
    with tempfile.TemporaryDirectory() as folder:
        seconds = run(name, sys.argv[1], Path(folder))
        print("\n".join(scores(name, Path(folder))), f"| {name} | all: {seconds:.0f} s | | | |", sep="\n", flush=True)
        print("\n".join(shift_and_drift(Path(folder))), file=sys.stderr, flush=True)
