"""How long runs take beside their estimates, for docs/benchmarks.md and for the constants of `config/estimate.py`.

    python benchmarks/presets.py TABLES FOLDER [--minutes 3] [--presets quick …] [--names phoneme …] [--times 2]

TABLES is the folder that stands for data/. Each table gets the configuration that `new.py` writes for so
many minutes, or for presets, and is run from nothing with two cores. Printed are the minutes that were estimated and taken,
whether the report is there, and for presets the seconds of each part of the run beside those of the estimate.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml
from students import REPOSITORY, labelled_table, seconds_of_run

from stillhouse.config.checks.configuration import checked
from stillhouse.config.estimate import seconds
from stillhouse.config.plan import Plan
from stillhouse.config.settings import load_schema
from stillhouse.intake.starter import Starter

# From 1,000 to 20,600 rows: four of two classes, and one with a number to predict.
TABLES = ("german-credit", "phoneme", "telco-churn", "hr-job-change", "california-housing")
CORES = 2


def configured(folder, *asked):
    """Write the configuration of a table anew and return it, with the arguments of `new.py` that say how much is made."""
    shutil.rmtree(folder / "results", ignore_errors=True)
    shutil.rmtree(folder / "logs", ignore_errors=True)
    (folder / "new.yaml").unlink(missing_ok=True)
    new = [sys.executable, REPOSITORY / "workflow/scripts/new.py", "table.csv", "--target", "target", "-o", "new.yaml"]
    subprocess.run([*new, "--cores", str(CORES), *asked], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    return yaml.safe_load((folder / "new.yaml").read_text())


def print_parts(folder, config):
    """Print the seconds of each model's job beside those of its estimate."""
    found = Starter(str(folder / "table.csv"), "target", None)
    config["datasets"]["table"]["train"] = str(folder / "table.csv")
    estimated = seconds(Plan(checked(config, load_schema())), "table", found.size)
    taken = dict.fromkeys(estimated, 0.0)
    for path in (folder / "logs/table").rglob("*.tsv"):
        name = path.parent.name if path.stem == "split-all" else ""
        taken[name if name in taken else "the rest"] += float(pd.read_csv(path, sep="\t")["s"].iloc[-1])
    print("  " + ", ".join(f"{name} {taken[name]:.0f} ({estimated[name] / found.speed:.0f})" for name in estimated))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("tables", type=lambda text: Path(text).resolve())
    parser.add_argument("folder", type=lambda text: Path(text).resolve())
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--presets", nargs="+", default=[])
    parser.add_argument("--names", nargs="+", default=TABLES)
    parser.add_argument("--times", type=int, default=1)
    given = parser.parse_args()
    ways = [["--preset", preset] for preset in given.presets] or [["--minutes", str(given.minutes)]]
    print("| table | asked | models | estimated | taken | report |\n|---|---|---|---|---|---|", flush=True)
    for asked in ways * given.times:
        for name in given.names:
            folder = given.folder / name
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / "table.csv").exists():
                labelled_table(name, given.tables).to_csv(folder / "table.csv", index=False)
            config = configured(folder, *asked)
            taken, is_there = seconds_of_run(folder) / 60, (folder / "results/table/report.html").is_file()
            cells = [name, " ".join(asked), len(config["models"]), config["estimate"]["minutes"], f"{taken:.1f}", is_there]
            print(f"| {' | '.join(map(str, cells))} |", flush=True)
            if given.presets:
                print_parts(folder, config)
