"""Tables in databases and partitioned folders are the rows that they hold, in an order that is stated and kept."""

import sqlite3

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pytest
from conftest import SCHEMA

from stillhouse.config.checks.tables import check_dataset
from stillhouse.config.completion import fill
from stillhouse.errors import UserError
from stillhouse.intake.load import load

ILL = ["yes" if row % 3 == 0 else "no" for row in range(60)]
# Rows are written out of the order of their key.
VISITS = pd.DataFrame(
    {
        "visit": np.random.default_rng(0).permutation(60),
        "dose": [None if row % 7 == 0 else row / 4 for row in range(60)],
        "site": [None if row % 11 == 0 else "pqr"[row % 3] for row in range(60)],
        "ill": ILL,
    }
)


def write_sqlite(path, **tables):
    with sqlite3.connect(path) as database:
        for name, table in tables.items():
            table.to_sql(name, database, index=False)


def write_duckdb(path, **tables):
    with duckdb.connect(str(path)) as database:
        for name, table in tables.items():
            database.register("given", table)
            database.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
            database.unregister("given")


WRITE = {"visits.sqlite": write_sqlite, "visits.db": write_sqlite, "visits.duckdb": write_duckdb}


def loaded(path, **options):
    dataset = fill({"train": str(path), "target": "ill", **options}, SCHEMA["$defs"]["dataset"], SCHEMA)
    check_dataset("d", dataset)
    return load(dataset, np.random.default_rng(0))


@pytest.fixture(params=WRITE)
def database(request, tmp_path):
    path = tmp_path / request.param
    WRITE[request.param](path, visits=VISITS, notes=VISITS.head(3))
    return path


def test_the_rows_of_a_database_are_those_of_the_same_table_in_a_file(database, tmp_path):
    VISITS.to_csv(tmp_path / "visits.csv", index=False)
    expected, _ = loaded(tmp_path / "visits.csv")
    found, schema = loaded(database, query="visits")
    pd.testing.assert_frame_equal(found, expected)
    assert any("its table 'visits', in the order of their row numbers" in note for note in schema["notes"])


def test_a_query_chooses_rows_and_columns_and_states_their_order(database, tmp_path):
    query = "SELECT visit, dose * 2 AS twice, ill FROM visits WHERE visit < 50 ORDER BY visit DESC"
    found, schema = loaded(database, query=query)
    assert found["visit"].tolist() == list(range(49, -1, -1))
    doubled = VISITS.set_index("visit")["dose"].astype(float) * 2
    assert found["twice"].tolist() == pytest.approx(doubled.loc[found["visit"]].tolist(), nan_ok=True)
    assert any(query in note for note in schema["notes"])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "name one of its tables under `query`, or write a query: 'notes', 'visits'"),
        ("visit", "has no table 'visit'; did you mean 'visits'?"),
        ("SELECT * FROM visits", "query: states no order"),
        ("SELECT * FROM nowhere ORDER BY 1", "says: "),
        ("DELETE FROM visits WHERE 1 ORDER BY 1", "says: "),
    ],
)
def test_what_cannot_be_read_from_a_database_is_refused_in_one_line(database, query, said):
    before = database.read_bytes()
    with pytest.raises(UserError) as refused:
        loaded(database, **({"query": query} if query else {}))
    assert said in str(refused.value)
    assert database.read_bytes() == before


def test_tables_of_any_name_are_read_and_those_without_row_numbers_say_what_to_do(tmp_path):
    with sqlite3.connect(tmp_path / "one.db") as database:
        VISITS.to_sql('a "visit"-table', database, index=False)
        database.execute("CREATE TABLE counter (id INTEGER PRIMARY KEY AUTOINCREMENT)")
        database.execute("DROP TABLE counter")
    assert len(loaded(tmp_path / "one.db")[0]) == 60
    with sqlite3.connect(tmp_path / "two.db") as database:
        VISITS.to_sql("kept", database, index=False)
        database.execute("CREATE VIEW visits AS SELECT * FROM kept")
        database.execute("CREATE TABLE keyed (visit INTEGER PRIMARY KEY, ill TEXT) WITHOUT ROWID")
    with pytest.raises(UserError, match="it has no row numbers, so write a query with ORDER BY"):
        loaded(tmp_path / "two.db", query="keyed")
    window = "SELECT *, row_number() OVER (ORDER BY dose) AS place FROM visits"
    with pytest.raises(UserError, match="query: states no order"):
        loaded(tmp_path / "two.db", query=window)
    assert len(loaded(tmp_path / "two.db", query=f"{window} ORDER BY visit")[0]) == 60


def test_a_file_that_is_no_database_and_one_with_bytes_are_refused(tmp_path):
    for name in WRITE:
        (tmp_path / name).write_bytes(b"visit,ill\n1,yes\n" * 100)
        with pytest.raises(UserError, match="says: "):
            loaded(tmp_path / name, query="visits")
        (tmp_path / name).unlink()
        WRITE[name](tmp_path / name, visits=VISITS.assign(scan=[b"\x00\x01"] * 60))
        with pytest.raises(UserError, match="column 'scan' holds"):
            loaded(tmp_path / name, query="visits")


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_partitioned_folder_is_its_files_with_the_columns_that_their_paths_state(form, tmp_path):
    table = VISITS.assign(region=VISITS["site"].map({"p": "north west", "q": "south"}))
    partitions = pyarrow.dataset.partitioning(pa.schema([("region", pa.string())]), flavor="hive")
    how = {"format": form, "partitioning": partitions, "basename_template": f"part-{{i}}.{form}"}
    pyarrow.dataset.write_dataset(pa.Table.from_pandas(table), tmp_path / "visits", **how)
    (tmp_path / "visits" / "_SUCCESS").write_text("")
    found, _ = loaded(tmp_path / "visits", deploy_where={"region": ["south"]})
    assert len(found) == 60
    expected = table.set_index("visit").loc[found["visit"]]
    assert (found["part"] == "deploy").tolist() == (expected["region"] == "south").tolist()
    assert found["dose"].tolist() == pytest.approx(expected["dose"].tolist(), nan_ok=True)
    plain, again = (loaded(tmp_path / "visits")[0] for _ in range(2))
    assert plain["region"].fillna("gap").tolist() == expected["region"].fillna("gap").tolist()
    pd.testing.assert_frame_equal(plain, again)


def test_a_folder_that_is_no_partition_is_refused_and_one_of_another_part_is_none(tmp_path):
    (tmp_path / "tables" / "train").mkdir(parents=True)
    VISITS.to_csv(tmp_path / "tables" / "train" / "a.csv", index=False)
    with pytest.raises(UserError, match="holds the folder 'train', which is no partition such as site=VA"):
        loaded(tmp_path / "tables")
    (tmp_path / "rows").mkdir()
    VISITS.to_csv(tmp_path / "rows" / "b.csv", index=False)
    assert "rows" not in loaded(tmp_path / "tables" / "train" / "a.csv", deploy=str(tmp_path / "rows"))[0]


def test_a_file_that_contradicts_its_folder_is_refused(tmp_path):
    folder = tmp_path / "visits" / "site=p"
    folder.mkdir(parents=True)
    VISITS.to_parquet(folder / "a.parquet")
    with pytest.raises(UserError, match="its folder states site=p, and its column 'site' says otherwise"):
        loaded(tmp_path / "visits")
