"""`new.py` writes a configuration that runs as it is."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import REPOSITORY

from stillhouse.config.checks.configuration import checked

SCRIPT = REPOSITORY / "workflow" / "scripts" / "new.py"


def new(folder, *arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], cwd=folder, capture_output=True, text=True)


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    columns = {
        "id": [f"p{n}" for n in range(120)],
        'a "quoted": $(name)': rng.normal(size=120),
        "site": rng.choice(list("ab"), 120),
    }
    frame = pd.DataFrame({**columns, "höhe": rng.normal(size=120), "ill": rng.choice(["yes", "no"], 120, p=[0.2, 0.8])})
    frame.loc[::9, "höhe"] = np.nan
    frame.to_csv(tmp_path / "my table.csv", index=False, sep=";")
    return tmp_path


def test_the_configuration_passes_the_door_and_says_what_columns_hold(table, schema, monkeypatch):
    done = new(table, "my table.csv", "--target", "ill", "-o", "mine.yaml")
    assert done.returncode == 0, done.stderr
    text = (table / "mine.yaml").read_text()
    monkeypatch.chdir(table)
    config = checked(yaml.safe_load(text), schema)
    dataset = config["datasets"]["mytable"]
    assert dataset["positive"] == "yes"
    assert dataset["separator"] == ";"
    assert dataset["kinds"] == {'a "quoted": $(name)': "numeric", "site": "categorical", "höhe": "numeric"}
    assert '# "id": identifier, left out' in text
    assert '"höhe": numeric  # 12 % missing' in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no.csv", "--target", "ill"], "stillhouse: datasets.new.train: there is no file 'no.csv'"),
        (["my table.csv", "--target", "il"], "has no column 'il'; did you mean 'ill'?"),
        (["my table.csv", "--target", "ill", "-o", "my table.csv"], "my table.csv is there already"),
        (["my table.csv", "--target", "ill", "-o", "no/where.yaml"], "no/where.yaml: cannot be written"),
    ],
)
def test_a_mistake_ends_in_one_line(table, arguments, said):
    done = new(table, *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
