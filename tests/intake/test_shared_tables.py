"""Published tables load from what is said of them, and hold what is said of them."""

import numpy as np
import pytest
import yaml
from conftest import REPOSITORY, SCHEMA

from stillhouse.config.checks.tables import check_dataset
from stillhouse.config.completion import fill, validate
from stillhouse.intake.kinds import written
from stillhouse.intake.load import load

TABLES = sorted(path.stem for path in (REPOSITORY / "tests" / "tables").glob("*.yaml"))
# Columns that the configuration drops, or that intake reads as labels or keys, have no missing share of their own.
DEFINITION = SCHEMA["$defs"]["dataset"]


@pytest.fixture(scope="module", params=TABLES)
def loaded(request, tmp_path_factory):
    from conftest import SHARED

    if not SHARED.is_dir():
        pytest.skip(f"the folder of real tables is absent: {SHARED} (set STILLHOUSE_TABLES)")
    folder = tmp_path_factory.mktemp("tables")
    (folder / "data").symlink_to(SHARED)
    dataset = yaml.safe_load((REPOSITORY / "tests" / "tables" / f"{request.param}.yaml").read_text())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        dataset = fill(dataset, DEFINITION, SCHEMA)
        validate(dataset, DEFINITION, SCHEMA, where=("datasets", request.param))
        check_dataset(request.param, dataset)
        table, schema = load(dataset, np.random.default_rng(0))
    return table, schema, dataset, yaml.safe_load((SHARED / request.param / "meta.yaml").read_text())


def files_of(meta, dataset):
    """The descriptions of the files that a configuration names."""
    named = str([dataset["train"], dataset.get("test")])
    return [file for file in meta["files"] if f"/{file['file']}'" in named]


def test_eighteen_tables_are_configured():
    assert len(TABLES) == 18


def test_no_row_is_lost_but_those_without_a_label(loaded):
    table, _, dataset, meta = loaded
    files = files_of(meta, dataset)
    unlabelled = sum(round(file.get("missing_by_column", {}).get(dataset["target"], 0) * file["rows"]) for file in files)
    assert len(table) == pytest.approx(sum(file["rows"] for file in files) - unlabelled, abs=2)


def test_every_class_has_as_many_rows_as_stated(loaded):
    _, schema, dataset, meta = loaded
    if schema["task"] == "regression":
        assert meta["task"].startswith("regression")
        return
    stated = {}
    for file in files_of(meta, dataset):
        for label, rows in file["class_balance"].items():
            name = dataset["labels"].get(str(label), written(str(label)))
            stated[name] = stated.get(name, 0) + rows
    assert schema["class_rows"] == stated
    assert "positive" not in dataset or schema["classes"][-1] == written(dataset["positive"])


def test_every_column_has_the_missing_share_that_is_stated(loaded):
    table, schema, dataset, meta = loaded
    files = files_of(meta, dataset)
    rows = sum(file["rows"] for file in files)
    gaps = {}
    for file in files:
        for name, share in file.get("missing_by_column", {}).items():
            gaps[name] = gaps.get(name, 0) + share * file["rows"]
    found = {column["source"]: column["missing"] for column in schema["columns"]}
    for name, missing in found.items():
        assert missing == pytest.approx(gaps.get(name, 0) / rows, abs=2e-4 if len(table) == rows else 2e-3), name
    assert set(gaps) <= {*found, *dataset["drop"], dataset["target"]}
