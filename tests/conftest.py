"""Tables that tests share: real ones that come with scikit-learn, small ones written out, and the shared folder."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import preloaded
import pytest
import yaml

from stillhouse.config.completion import complete_options, shared_options
from stillhouse.config.settings import load_schema
from stillhouse.methods import PACKAGES

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("STILLHOUSE_TABLES", REPOSITORY.parent / "shared" / "data"))
SNAKEMAKE = [sys.executable, "-m", "snakemake"]
SCHEMA = load_schema()


def network_options(method="mlp", **given):
    """The settings of a student, completed with their defaults."""
    shared = {name: part for name, part in shared_options(SCHEMA, "distill", "architectures").items() if name != "teacher"}
    return complete_options(SCHEMA, "architectures", {"method": method, **given}, where=(), shared=shared)


def model_options(method, **given):
    """The settings of a model of ``fit``, completed with their defaults."""
    shared = shared_options(SCHEMA, "fit", "estimators")
    return complete_options(SCHEMA, "estimators", {"method": method, **given}, where=(), shared=shared)


def trained(sample, options, n_classes=2, seed=1, soft=None):
    """Fitted networks and their history, of one sample."""
    from stillhouse.networks.training import train
    from stillhouse.networks.training_sets import TrainingSet

    return train([TrainingSet(sample, soft, options, n_classes, seed)])[0]


def methods(kind):
    """The names of the methods of a kind: the files of its folder."""
    folder = REPOSITORY / "workflow" / "scripts" / "stillhouse" / PACKAGES[kind] / kind
    return sorted(file.stem for file in folder.glob("[a-z]*.py"))


def resamplers_of_classes():
    """Return the names of the resamplers that balance classes."""
    return [name for name in methods("resamplers") if SCHEMA["$defs"]["methods"]["resamplers"][name].get("only") != "values"]


def report_run(**given):
    """What the report reads of a run, of which a test gives only what it looks at."""
    from dataclasses import fields

    from stillhouse.report.run import Run

    usual = {"titles": {}, "config": {"report": {"level": 0.95}}}
    return Run(**{field.name: None for field in fields(Run)} | usual | given)


@pytest.fixture(scope="session")
def schema():
    """The schema of the configuration."""
    return SCHEMA


@pytest.fixture(scope="session")
def shared_tables():
    """The folder of real tables; tests that need it skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the folder of real tables is absent: {SHARED} (set STILLHOUSE_TABLES)")
    return SHARED


class Run:
    """A folder in which the workflow runs, and what it printed; ``options`` say where its jobs run."""

    options = ("--cores", "2")

    def __init__(self, folder, config=None):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        if config is not None:
            self.write(config)

    def write(self, config):
        """Write the configuration."""
        (self.folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    def __call__(self, *targets, check=True, snakefile=REPOSITORY / "Snakefile"):
        """Run the workflow and return all that it printed."""
        self.code, self.printed = self.execute(self.arguments(*targets, snakefile=snakefile))
        assert not check or self.code == 0, self.printed[-5000:]
        return self.printed

    def execute(self, arguments):
        """Run Snakemake and return its exit code and what it and its jobs printed."""
        with tempfile.NamedTemporaryFile() as output:
            return preloaded.run(arguments, self.folder, output.name), Path(output.name).read_text()

    def arguments(self, *targets, snakefile=REPOSITORY / "Snakefile"):
        """Return what follows ``snakemake`` on the command line that runs the workflow."""
        named = ["--snakefile", snakefile, "--directory", self.folder, "--configfile", self.folder / "config.yaml"]
        return list(map(str, [*named, *self.options, *targets]))

    def jobs(self, *targets, **kwargs):
        """Return the rules that a dry run would run, with how often."""
        lines = self("--dry-run", *targets, **kwargs).splitlines()
        if not any(line.startswith("Job stats") for line in lines):
            return {}
        table = lines[max(number for number, line in enumerate(lines) if line.startswith("Job stats")) + 3 :]
        counts = dict(line.split() for line in table[: table.index("")] if len(line.split()) == 2)
        return {rule: int(count) for rule, count in counts.items() if rule not in ("total", "all")}

    def __truediv__(self, path):
        return self.folder / path


class ColdRun(Run):
    """A run whose Snakemake and jobs are started as its users start them, in the variables of ``environment``."""

    environment = None

    def execute(self, arguments):
        command = [*SNAKEMAKE, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, env=self.environment)
        return done.returncode, done.stdout + done.stderr

    def command(self, *targets):
        """Return the whole command line that runs the workflow."""
        return [*SNAKEMAKE, *self.arguments(*targets)]


@pytest.fixture
def run(tmp_path):
    """Return a function that makes a folder to run the workflow in from a configuration."""
    return lambda config=None, name="run": Run(tmp_path / name, config)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """A copy of the workflow whose files a test may touch and edit."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("workflow", "profiles", "config"):
        shutil.copytree(REPOSITORY / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "Snakefile", folder)
    return folder


def write_table_with_categories(path, columns=None):
    """Write a real table with a category that the folds' training rows do not all hold, for configurations to name.

    ``columns`` are those of its numbers that are kept; by default all 30.
    """
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer(as_frame=True).frame[::2].reset_index(drop=True)
    table["site"] = pd.qcut(table["mean texture"], 4, labels=list("abcd")).astype(str)
    table.loc[[3, 60], "site"] = "a rare one"
    table["diagnosis"] = table.pop("target").map({0: "malignant", 1: "benign"})
    table[[*(columns or table.columns.drop(["site", "diagnosis"])), "site", "diagnosis"]].to_csv(path, index=False)


@pytest.fixture
def gappy():
    """A table with gaps of every kind, as intake hands it on, and the descriptions of its columns."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "row": np.arange(60),
            "age": rng.normal(50, 10, 60),
            "dose": rng.exponential(2, 60),
            "smoker": rng.integers(0, 2, 60).astype(float),
            "site": rng.choice(["a", "b", "c"], 60),
        }
    )
    table.loc[::7, "age"] = np.nan
    table.loc[3::11, "smoker"] = np.nan
    table["site"] = table["site"].mask(table.index % 9 == 0)
    kinds = {"age": "numeric", "dose": "numeric", "smoker": "boolean", "site": "categorical"}
    columns = [{"name": name, "source": name, "position": n, "kind": kind} for n, (name, kind) in enumerate(kinds.items())]
    return table, columns


@pytest.fixture
def imbalanced():
    """A sample of 40 and 10 rows with numbers, categories, weights and folds."""
    rng = np.random.default_rng(0)
    label = np.r_[np.zeros(40), np.ones(10)]
    site = rng.integers(0, 3, 50)
    return pd.DataFrame(
        {
            "row": np.arange(50),
            "n0:age": (rng.normal(size=50) + label).astype(np.float32),
            "n1:dose": rng.normal(size=50).astype(np.float32),
            **{f"c2:site={name}": (site == code).astype(np.float32) for code, name in enumerate("abc")},
            "fold": np.arange(50) % 4 + 1,
            "label": label,
            "weight": rng.uniform(0.5, 1.5, 50),
            "stop": False,
        }
    )
