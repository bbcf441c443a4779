"""Names are data: whatever a file, a column, a word or a class is called, nothing is run, escaped or lost by it."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, Run

pytestmark = pytest.mark.workflow
NAMES = [
    "two words",
    "semi;colon",
    "comma, comma",
    "it's",
    'say "so"',
    "`touch trap`",
    "$(touch trap)",
    "$HOME",
    "a $ b $ c_{x",
    "a && touch trap",
    "| touch trap",
    "> trap",
    "-rf",
    "--help",
    "*",
    "~",
    "#hash",
    "{dataset}",
    "{{braces}}",
    "{",
    "%s %(name)s",
    "back\\slash",
    "new\nline",
    "tab\ttab",
    "<script>document.title='trap'</script>",
    "<b onclick=alert(1)>&amp;",
    "größe µ²",
    "数字",
    "🥃",
    "a\u0301 combined",
    "\u202eright to left",
    "row",
    "label",
    "split",
    "p_yes",
    "decision",
    "None",
    "1e5",
    "a: b",
    "[1, 2]",
    "!!python/object:os.system",
    "=cmd|' C calc'!A0",
    "../../trap",
    "/trap",
]
CLASSES = ["$(touch\ntrap)", "<script>document.title='trap'</script>", "../it's {a} \\class"]
WORD, TRAP = "a word", "trap"


def table(rows, seed):
    """A column of each name, half of them numbers and half words, and a target that they say something of."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, rows)
    columns = {}
    for place, name in enumerate(NAMES):
        numbers = rng.normal(size=rows) + label * (place % 4 == 0)
        columns[name] = numbers.round(4) if place % 2 else np.array(NAMES)[(place + rng.integers(0, 2, rows)) % len(NAMES)]
    return pd.DataFrame(
        {**columns, WORD: np.array(NAMES)[np.arange(rows) % len(NAMES)], "the $ {target}": np.array(CLASSES)[label]}
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd") / "it's a $(touch trap) {folder} µ"
    # A file name has no slash, and what Snakemake takes for a pattern is refused at the door.
    files = [f"{name.replace('/', '∕')}.csv" for name in NAMES if not set("{<") & set(name)]
    config = {
        "datasets": {
            "odd": {"train": files, "target": "the $ {target}", "source": "the `file`", "slices": ['say "so"', "a: b"]}
        },
        "folds": {"k": 4},
        "models": {
            "tree": {"fit": {"method": "tree"}},
            "network": {"prepare": {"resample": "over"}, "train": {"method": "mlp", "width": 8, "epochs": 2}},
            "student": {"distill": {"method": "mlp", "width": 8, "epochs": 2, "teacher": "tree"}},
        },
        "export": ["student"],
        "report": {"draws": 100},
    }
    run = Run(folder, config)
    rows = table(10 * len(files), seed=0)
    for number, name in enumerate(files):
        rows[number :: len(files)].to_csv(folder / name, index=False, quoting=csv.QUOTE_ALL)
    run()
    return run


def test_enough_odd_names_go_the_whole_way(finished):
    assert len(NAMES) >= 25
    schema = json.loads((finished / "results/odd/schema.json").read_text())
    assert {column["source"] for column in schema["columns"]} >= {*NAMES, WORD}
    assert len(schema["files"]) >= 25
    assert sorted(schema["classes"]) == sorted(CLASSES)


def test_nothing_was_run(finished):
    places = [*finished.folder.parents, finished.folder, REPOSITORY, Path.cwd(), Path.home()]
    assert not [place for place in places if (place / TRAP).exists()]
    assert not [path for path in finished.folder.rglob("*") if path.name == TRAP]


def test_the_second_run_does_nothing(finished):
    assert finished.jobs() == {}


def test_the_shipped_model_reads_the_same_names(finished):
    rows = table(50, seed=1)
    rows.to_csv(finished / "new $(rows).csv", index=False, quoting=csv.QUOTE_ALL)
    command = [sys.executable, REPOSITORY / "workflow/scripts/predict.py", "results/odd/deploy/student.onnx", "new $(rows).csv"]
    subprocess.run([*command, "-o", "out `put`.csv"], cwd=finished.folder, check=True)
    found = pd.read_csv(finished / "out `put`.csv")
    assert [name for name in found if name.startswith("p_")] == [f"p_{name}" for name in sorted(CLASSES)]
    assert set(found["decision"]) <= set(CLASSES)


def test_the_report_shows_names_and_runs_none(finished):
    page = (finished / "results/odd/report.html").read_text()
    assert page.count("<script>") == 1
    assert "document.title=&#39;trap&#39;" in page
    assert "onclick=alert" not in page.replace("&lt;b onclick=alert", "")
