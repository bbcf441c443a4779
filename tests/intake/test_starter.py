"""`new.py` writes a configuration that runs as it is."""

import subprocess
import sys
from itertools import product

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import REPOSITORY

from stillhouse.config.checks.configuration import checked
from stillhouse.intake.load import load
from stillhouse.intake.presets import FILLED, PRESETS, Size, student_width, synthetic_share
from stillhouse.intake.starter import Starter
from stillhouse.intake.template import leaves

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
    assert "my table.csv: 120 training rows" in done.stdout
    assert "target 'ill': one of 'no', 'yes'; 'yes', the rarer, is taken as positive" in done.stdout
    assert "columns used: 3; left out: 'id'" in done.stdout
    assert "results will be in results/mytable/" in done.stdout
    assert "check: column 'id' is left out: its values seem to identify rows" in done.stdout


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


def written(rows, separator=",", header="x,y,ill", encoding="utf-8"):
    lines = [header] if header else []
    lines += [separator.join(map(str, row)) for row in rows]
    return "\n".join(line.replace(",", separator) if line == header else line for line in lines).encode(encoding)


YES = ["yes" if n % 3 == 0 else "no" for n in range(90)]
TABLES = {
    "semicolons and decimal commas": (
        written([(f"{n},5", n % 7, YES[n]) for n in range(90)], ";"),
        "ill",
        {"separator": ";", "decimal": ","},
        "",
    ),
    "points between thousands": (
        written([(f"{n + 1}.{n + 400}", f"{n},25", YES[n]) for n in range(90)], ";"),
        "ill",
        {"thousands": ".", "decimal": ","},
        "",
    ),
    "commas between thousands": (
        written([(f"{n + 1},{n + 400}", f"{n}.25", YES[n]) for n in range(90)], "\t", "x,y,ill"),
        "ill",
        {"thousands": ",", "separator": "\t"},
        "",
    ),
    "letters of Windows": (
        written([("süd" if n % 2 else "nörd\u2019", n, YES[n]) for n in range(90)], encoding="cp1252"),
        "ill",
        {"encoding": "cp1252"},
        "taken for cp1252",
    ),
    "utf-16": (written([(n % 5, n, YES[n]) for n in range(90)], encoding="utf-16"), "ill", {"encoding": "utf-16"}, ""),
    "no header": (
        written([(n % 5, n, YES[n]) for n in range(90)], header=""),
        "3",
        {"columns": ["column1", "column2", "column3"], "target": "column3"},
        "seems to have no line",
    ),
    "codes among numbers": (
        written([(f"V{n % 4}" if n % 20 == 0 else 250 + n % 30, n % 7, YES[n]) for n in range(90)]),
        "ill",
        {"kinds": {"x": "categorical", "y": "numeric"}},
        "",
    ),
    "a word for a gap": (
        written([("-" if n % 9 == 0 else n * 1.5, n % 7, YES[n]) for n in range(90)]),
        "ill",
        {"missing_in": {"x": ["-"]}},
        "'-' among numbers is taken for a missing value",
    ),
    "a name twice": (
        written([(n * 1.5, n % 7, YES[n]) for n in range(90)], header="x,x,ill"),
        "ill",
        {},
        "is called 'x (2)' here",
    ),
    "row numbers without a name": (
        written([(n, n % 7, YES[n]) for n in range(90)], header=",y,ill"),
        "ill",
        {},
        "is called 'unnamed' here",
    ),
    "grades": (
        written([(n % 5, n % 7, n % 17) for n in range(90)]),
        "ill",
        {"task": "regression"},
        "has 17 different whole numbers, and is taken for a number",
    ),
    "rare classes": (
        written([(n % 5, n % 7, ["a", "b", "c"][n % 3] if n > 5 else f"odd{n % 3}") for n in range(90)]),
        "ill",
        {"labels": {"odd0": "rare", "odd1": "rare", "odd2": "rare"}},
        "have fewer than 4 rows each, and are made one",
    ),
    "a word that may mean none": (
        written([(["NA", "gravel", "paved"][n % 3], n % 7, YES[n]) for n in range(90)]),
        "ill",
        {},
        "'NA', in 30 rows, is read as missing; if it means none",
    ),
    "days or months first": (
        written([(f"{n % 12 + 1}/{(n * 5) % 12 + 1}/2020", n % 7, YES[n]) for n in range(90)]),
        "ill",
        {},
        "dates with the day or the month first",
    ),
    "codes of groups and names of people": (
        written([(n // 3, f"Anna {n}", YES[n]) for n in range(90)], header="patient_id,name,ill"),
        "ill",
        {},
        "column 'name' may hold personal data",
    ),
    "a ticket that some rows share": (
        written([(f"t{n // 2 if n < 40 else n}", n % 7, (YES * 2)[n]) for n in range(120)], header="ticket,y,ill"),
        "ill",
        {},
        "40 rows share one; if rows with one value belong together, name it under `group`",
    ),
    "what is known only afterwards": (
        written([(n % 7, f"{n}5" if n % 3 == 0 and n < 75 else "", YES[n]) for n in range(90)], header="x,body,ill"),
        "ill",
        {},
        "all 25 rows with a value in 'body' are 'yes'",
    ),
    "rows without a label": (
        written([(n % 5, n % 7, YES[n] if n > 9 else "") for n in range(90)]),
        "ill",
        {},
        "10 rows without a value of 'ill' are left out",
    ),
    "rows in time": (
        written([(f"20{n % 90 + 10}", n % 7, YES[n]) for n in range(90)], header="year,y,ill"),
        "ill",
        {},
        "'year' may tell the time",
    ),
    "a target that changes along the file": (
        written([(n % 5, n * 7 % 11, "yes" if n > 60 else "no") for n in range(90)]),
        "ill",
        {},
        "set time: true",
    ),
    "strange names": (
        written([(n % 5, n % 7, YES[n]) for n in range(90)], header=f"a\x85b\u2028: #{{}},{'long ' * 300},ill"),
        "ill",
        {},
        "",
    ),
}


@pytest.mark.parametrize("shape", TABLES)
def test_a_configuration_is_written_that_reads_the_table_and_says_its_doubts(shape, tmp_path, schema, monkeypatch):
    content, target, stated, doubt = TABLES[shape]
    (tmp_path / "table.csv").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    found = Starter("table.csv", target, None)
    config = checked(yaml.safe_load(found.text()), schema)
    (dataset,) = config["datasets"].values()
    assert {key: dataset[key] for key in stated} == stated
    assert any(doubt in line for line in found.summary())
    table, _ = load(dataset, np.random.default_rng(0))
    assert len(table) == {"a ticket that some rows share": 120, "rows without a label": 80}.get(shape, 90)


@pytest.mark.parametrize("is_there", [True, False])
def test_the_stack_has_catboost_where_it_is_installed(table, schema, monkeypatch, is_there):
    monkeypatch.setattr("stillhouse.intake.presets.find_spec", lambda name: "found" if is_there else None)
    monkeypatch.chdir(table)
    written = yaml.safe_load(Starter("my table.csv", "ill", None).text())
    assert ("catboost" in written["models"]) is is_there
    assert ("catboost" in written["models"]["stack"]["stack"]["members"]) is is_there
    checked(written, schema)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_passes_the_door_and_fixes_what_is_made(table, schema, preset):
    done = new(table, "my table.csv", "--target", "ill", "--preset", preset, "-o", "mine.yaml")
    assert done.returncode == 0, done.stderr
    written = yaml.safe_load((table / "mine.yaml").read_text())
    written["datasets"]["mytable"]["train"] = str(table / "my table.csv")
    config = checked(written, schema)
    assert config["folds"]["k"] == (5 if preset in ("balanced", "best") else 4)
    assert ("network" in config["models"]) is (preset in ("light", "balanced", "best"))
    assert config["estimate"]["minutes"] > 0
    assert bool(config["models"]["boosted"]["fit"]["search"]) is (preset == "best")
    members = {name for name in config["models"] if name not in ("stack", "student")}
    assert set(config["models"]["stack"]["stack"]["members"]) == members


@pytest.mark.parametrize(("rows", "least", "forest"), [(800, 1, ""), (70_000, 3, ""), (1_000_000, 50, ", leaf: 50")])
def test_forests_of_large_tables_have_larger_leaves(rows, least, forest):
    assert leaves(rows) == (least, forest)


def test_each_preset_takes_longer_than_the_one_before(table, monkeypatch):
    monkeypatch.chdir(table)
    found = Starter("my table.csv", "ill", None)
    found.speed = 1.0
    for rows, classes in product([300, 5000, 100_000], [1, 2, 9]):
        found.size = Size(rows=rows, numbers=12, categories=3, onehots=20, components=0, characters=0, classes=classes)
        taken = [found.estimated(preset, 2) for preset in PRESETS]
        assert taken == sorted(taken)


def test_minutes_choose_the_longest_preset_that_fits_and_write_its_counts_down(table, monkeypatch, schema):
    monkeypatch.chdir(table)
    found = Starter("my table.csv", "ill", None)
    found.speed = 1.0
    taken = {preset: found.estimated(preset, 2) for preset in PRESETS}
    for preset, following in zip(list(PRESETS)[:-1], list(PRESETS)[1:], strict=True):
        between = (taken[preset] + taken[following]) / 2 / FILLED
        assert found.chosen(between, 2) == preset
    assert found.chosen(1000, 2) == "best"
    written = yaml.safe_load(found.text("light", 2))
    assert written["models"]["network"]["train"]["epochs"] == PRESETS["light"].epochs
    assert written["estimate"] == {"minutes": pytest.approx(taken["light"], abs=0.06), "cores": 2}
    assert found.estimated("light", 4) < taken["light"]


def test_minutes_that_no_preset_fits_are_refused_with_how_many_it_takes(table):
    done = new(table, "my table.csv", "--target", "ill", "--minutes", "0.1", "-o", "mine.yaml")
    assert done.returncode == 1
    assert "stillhouse: --minutes 0.1: the smallest preset takes about" in done.stderr
    assert "minutes or more, or fewer rows" in done.stderr
    assert not (table / "mine.yaml").exists()


def test_a_student_learns_from_synthetic_rows_where_they_can_be_drawn_and_are_not_too_many(table, monkeypatch):
    monkeypatch.chdir(table)
    found = Starter("my table.csv", "ill", None)
    assert [
        yaml.safe_load(found.text(preset))["datasets"]["mytable"].get("synthetic", {}).get("share") for preset in PRESETS
    ] == [
        *(None, 1),
        *[3] * 4,
    ]
    size = Size(rows=1000, numbers=5, categories=3, onehots=0, components=0, characters=0, classes=2)
    assert [synthetic_share(size._replace(rows=rows), 3) for rows in (20_000, 20_001, 40_000, 60_001)] == [3, 2, 1, 0]
    assert synthetic_share(size._replace(components=80), 3) == 0
    student = yaml.safe_load(found.text("light"))["models"]["student"]["distill"]
    assert student["transfer"] == ["synthetic"]


@pytest.mark.parametrize(("columns", "width"), [(5, 128), (38, 128), (39, 64), (65, 64), (500, 32)])
def test_a_student_of_many_columns_is_narrower(columns, width):
    assert student_width(columns) == width
