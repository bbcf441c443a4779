"""Every way of writing a table that training reads is read the same in prediction; whatever it holds, nothing is lost in silence."""

import csv
import gzip
import io
import json
import re
import zipfile
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from conftest import SCHEMA, model_options
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prepared_samples import prepared_by

from stillhouse.config.completion import fill
from stillhouse.ensembles.pipeline import SinglePipeline
from stillhouse.errors import UserError
from stillhouse.intake.kinds import feature_columns
from stillhouse.intake.load import load
from stillhouse.learning.fitting import fit
from stillhouse.predictions.calibration import OnOriginalPrior
from stillhouse.preparation.ledger import Ledger
from stillhouse.shipping.export import exported, metadata
from stillhouse.shipping.serving import predict_file


@dataclass
class Dialect:
    """A way to write a table, and what the configuration has to say of it."""

    suffix: str
    stated: dict
    encoding: str = "utf-8"
    before: str = ""
    compress: callable = bytes

    def written(self, table, folder, stem):
        """Write a table of strings, gaps as empty cells."""
        path = folder / f"{stem}{self.suffix}"
        text = io.StringIO(self.before, newline="")
        text.seek(0, io.SEEK_END)
        rows = csv.writer(text, delimiter=self.stated.get("separator", "\t" if "tsv" in self.suffix else ","))
        if "columns" not in self.stated:
            rows.writerow(table.columns)
        rows.writerows(table.map(self.number).fillna("").to_numpy().tolist())
        path.write_bytes(self.compress(text.getvalue().encode(self.encoding)))
        return path

    def number(self, value):
        """A value with the marks of the dialect, if it is a number."""
        if not isinstance(value, (int, float)) or value != value:
            return value
        whole, _, part = repr(value).partition(".")
        if mark := self.stated.get("thousands"):
            whole = f"{int(whole):,}".replace(",", mark) if whole.lstrip("-").isdigit() and abs(int(whole)) >= 1000 else whole
        return whole + (self.stated.get("decimal", ".") + part if part else "")


def zipped(content):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("inside.csv", content)
    return held.getvalue()


COMMA = {"separator": ";", "decimal": ","}
DIALECTS = {
    "comma": Dialect(".csv", {}),
    "semicolon": Dialect(".csv", {"separator": ";"}),
    "decimal comma": Dialect(".csv", COMMA),
    "decimal comma, thousands": Dialect(".csv", COMMA | {"thousands": "."}),
    "thousands": Dialect(".csv", {"separator": ";", "thousands": ","}),
    "tabs": Dialect(".tsv", {}),
    "bars": Dialect(".txt", {"separator": "|"}),
    "with a mark": Dialect(".csv", {}, encoding="utf-8-sig"),
    "utf-16": Dialect(".csv", {}, encoding="utf-16"),
    "windows": Dialect(".csv", {"encoding": "cp1252"}, encoding="cp1252"),
    "named separator": Dialect(".csv", {}, before="sep=,\r\n"),
    "blank first lines": Dialect(".csv", {}, before="\r\n  \r\n"),
    "gzip": Dialect(".csv.gz", {}, compress=gzip.compress),
    "zstandard": Dialect(".csv.zst", {}, compress=lambda content: pa.compress(content, "zstd", asbytes=True)),
    "zip": Dialect(".zip", {}, compress=zipped),
}
# Formats that have types of their own, and read alike whatever the dialect of the training table.
TYPED = {
    ".parquet": lambda table, path: table.to_parquet(path),
    ".feather": lambda table, path: table.to_feather(path),
    ".jsonl": lambda table, path: path.write_text(
        "".join(json.dumps({name: as_json(value) for name, value in row.items()}) + "\n" for row in table.to_dict("records"))
    ),
    ".xlsx": lambda table, path: table.to_excel(path, index=False),
}


def as_json(value):
    return None if value is None or value != value else value.item() if isinstance(value, np.generic) else value


# Names with anything that a cell may hold in cp1252 and in a workbook; blanks around them are no part of a name.
LETTERS = st.characters(codec="cp1252", min_codepoint=32, exclude_characters="\x7f\xad", exclude_categories=("Cc",))
NAMES = st.lists(
    st.text(LETTERS, min_size=1, max_size=12).map(str.strip).filter(bool), min_size=5, max_size=5, unique_by=str.casefold
)
WORDS = st.text(LETTERS, min_size=1, max_size=8).map(str.strip).filter(lambda word: word and word.casefold() not in GAPS)
GAPS = {text.casefold() for text in SCHEMA["$defs"]["dataset"]["properties"]["missing"]["default"]}
CELLS = {
    "floats": st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3)),
    "counts": st.integers(0, 5_000_000),
    "codes": st.sampled_from([1.0, 2.0, 7.0, 12.0]),
    "flags": st.sampled_from(["yes", "no"]),
    "days": st.dates(pd.Timestamp("1990-01-01").date(), pd.Timestamp("2030-01-01").date()).map(str),
}


@st.composite
def raw_tables(draw):
    """A table of numbers, counts, codes, words and dates, with gaps and columns of any name, and the kinds to state of it."""
    rows = draw(st.integers(30, 60))
    words = draw(st.lists(WORDS, min_size=2, max_size=5, unique_by=str.casefold))
    cells = {**CELLS, "words": st.sampled_from(words)}
    shapes = draw(st.lists(st.sampled_from(sorted(cells)), min_size=4, max_size=4))
    names, columns = draw(NAMES), {}
    for place, (name, shape) in enumerate(zip(names, shapes, strict=False)):
        # The first column has no gaps, so that no row is empty.
        cell = st.one_of(*[st.none()] * (place > 0), *[cells[shape]] * 8)
        values = draw(st.lists(cell, min_size=rows, max_size=rows))
        columns[name] = pd.Series(values, dtype="Int64" if shape == "counts" else None)
    kinds = {"floats": "numeric", "counts": "numeric", "codes": "categorical", "flags": "boolean", "days": "datetime"}
    stated = {name: kinds.get(shape, "categorical") for name, shape in zip(names, shapes, strict=False)}
    table = pd.DataFrame({**columns, names[4]: np.where(np.arange(rows) % 3 == 0, "ill", "well")})
    known = {name: kind for name, kind in stated.items() if table[name].notna().any()}
    return table[[*known, names[4]]], known, names[4]


def shipped(folder, table, schema):
    """A small model of a typed table, as a file and as a pipeline."""
    columns = feature_columns(schema)
    prepared = prepared_by(columns, "median", indicators=True).fit(table)
    sample = prepared.transform(table).assign(label=table["label"], weight=1.0, stop=False, fold=table["row"] % 3)
    model = OnOriginalPrior(
        fit(sample, model_options("tree", leaf=3), 2, 1, seed=1), Ledger([0.5, 0.5], [0.5, 0.5], False), sample[:0]
    )
    pipeline = SinglePipeline(prepared, model)
    path = folder / "model.onnx"
    path.write_bytes(exported(pipeline, metadata(schema, pipeline, "d", "m", {}, table)))
    return path, pipeline


def agrees(raw, stated, target, dialect, folder, other):
    """Read a table in a dialect, make a model of it, and predict it in the same dialect and in another format."""
    options = dict(dialect.stated)
    options |= {"columns": list(raw.columns)} if "columns" in options else {}
    path = dialect.written(raw, folder, "train")
    dataset = fill({"train": str(path), "target": target, "kinds": stated, **options}, SCHEMA["$defs"]["dataset"], SCHEMA)
    table, schema = load(dataset, np.random.default_rng(0))
    assert len(table) == len(raw)
    model, pipeline = shipped(folder, table, schema)
    expected = pipeline.predict(table)[:, 1]
    rows = raw.drop(columns=target)
    TYPED[other](rows, folder / f"rows{other}")
    for file in (dialect.written(rows, folder, "rows"), folder / f"rows{other}"):
        predict_file(model, file, folder / "out.csv")
        assert pd.read_csv(folder / "out.csv")[f"p_{schema['classes'][1]}"].to_numpy() == pytest.approx(expected, abs=1e-5), (
            file.name
        )


@given(drawn=raw_tables(), name=st.sampled_from(sorted(DIALECTS)), other=st.sampled_from(sorted(TYPED)))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_what_training_reads_prediction_reads_alike(drawn, name, other, tmp_path_factory):
    agrees(*drawn, DIALECTS[name], tmp_path_factory.mktemp("read"), other)


@pytest.mark.slow
@pytest.mark.proof
@given(drawn=raw_tables(), name=st.sampled_from(sorted(DIALECTS)), other=st.sampled_from(sorted(TYPED)))
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_three_hundred_tables_are_read_alike(drawn, name, other, tmp_path_factory):
    agrees(*drawn, DIALECTS[name], tmp_path_factory.mktemp("read"), other)


def csv_bytes():
    """A table of a few rows in bytes, in some of the encodings."""
    rng = np.random.default_rng(0)
    lines = ["age,dose,site,ill"]
    lines += [
        f"{rng.integers(20, 90)},{rng.exponential():.2f},{rng.choice(['north', 'südlich'])},{'yes' if n % 3 else 'no'}"
        for n in range(30)
    ]
    return "\n".join(lines).encode()


# Bytes that mean something to a reader of tables, and any others.
MEANINGFUL = st.sampled_from(
    [b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xe9", b"inf", b"1e400", b"=", b"\\"]
)


@st.composite
def damaged(draw):
    """The bytes of a good table with a few insertions, cuts and replacements."""
    content = bytearray(csv_bytes())
    for _ in range(draw(st.integers(1, 6))):
        place, bit = draw(st.integers(0, len(content))), draw(st.one_of(MEANINGFUL, st.binary(min_size=1, max_size=3)))
        kind = draw(st.sampled_from(["insert", "replace", "cut"]))
        end = place + (draw(st.integers(1, 40)) if kind == "cut" else len(bit) if kind == "replace" else 0)
        content[place:end] = b"" if kind == "cut" else bit
    return bytes(content)


SUFFIXES = st.sampled_from(
    [".csv", ".tsv", ".csv.gz", ".zip", ".parquet", ".feather", ".jsonl", ".xlsx", ".arff", ".zst", ".data"]
)


@pytest.fixture(scope="module")
def small_model(tmp_path_factory):
    """A model of the undamaged table."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "train.csv").write_bytes(csv_bytes())
    dataset = fill({"train": str(folder / "train.csv"), "target": "ill"}, SCHEMA["$defs"]["dataset"], SCHEMA)
    return shipped(folder, *load(dataset, np.random.default_rng(0)))[0]


def read_or_refused(content, suffix, model, folder):
    """Read bytes as a table, and predict them: each works or ends in one message; as many rows come out as there are lines."""
    path = folder / f"table{suffix}"
    path.write_bytes(content)
    try:
        dataset = fill({"train": str(path), "target": "ill"}, SCHEMA["$defs"]["dataset"], SCHEMA)
        load(dataset, np.random.default_rng(0))
    except UserError as error:
        assert str(error)
    try:
        predict_file(model, path, folder / "out.csv")
    except UserError as error:
        assert str(error)
        assert not (folder / "out.csv.part").exists()
        return
    if suffix in (".csv", ".data") and b'"' not in content and content[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        lines = [line for line in re.split(b"\r\n|\r|\n", content.removeprefix(b"\xef\xbb\xbf")) if line.strip(b" ,\t")]
        assert len(pd.read_csv(folder / "out.csv")) >= len(lines) - 1


@given(content=st.one_of(damaged(), st.binary(max_size=200)), suffix=st.one_of(st.just(".csv"), SUFFIXES))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_any_bytes_are_read_or_refused_in_one_message(content, suffix, small_model, tmp_path_factory):
    read_or_refused(content, suffix, small_model, tmp_path_factory.mktemp("bytes"))


@pytest.mark.slow
@pytest.mark.proof
@given(content=st.one_of(damaged(), st.binary(max_size=400)), suffix=st.one_of(st.just(".csv"), SUFFIXES))
@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
def test_three_thousand_files_of_any_bytes_are_read_or_refused(content, suffix, small_model, tmp_path_factory):
    read_or_refused(content, suffix, small_model, tmp_path_factory.mktemp("bytes"))


ILL = ["yes" if n % 3 == 0 else "no" for n in range(60)]


def text_of(header, cell):
    """A table of sixty rows whose first cells are made from the row's number, as text."""
    return f"{header},ill\n" + "".join(f"{cell(n)},{ILL[n]}\n" for n in range(60))


def loaded(folder, content, name="train.csv", **options):
    content = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(content)
    return load(
        fill({"train": str(folder / name), "target": "ill", **options}, SCHEMA["$defs"]["dataset"], SCHEMA),
        np.random.default_rng(0),
    )


REFUSED = {
    "a quote that swallows rows": (
        text_of("x,site", lambda n: f'{n},"north' if n in (7, 9) else f"{n},north"),
        {},
        "line 9: a quote opens and is not closed before the next rows",
    ),
    "a quote that nothing closes": (
        text_of("x,site", lambda n: f'{n},"north' if n == 50 else f"{n},north"),
        {},
        "line 52: a quote opens and is not closed",
    ),
    "labels that look alike": (
        text_of("x", str) + "3,yes\u200b\n",
        {},
        "the classes 'yes' and 'yes\\u200b' look alike; make them one under `labels`, such as",
    ),
    "labels in two cases": (text_of("x", str) + "3,Yes\n", {}, "the classes 'Yes' and 'yes' look alike"),
    "one word among numbers": (
        text_of("x", lambda n: "-" if n % 12 == 0 else n * 1.5),
        {},
        "column 'x' holds '-' among numbers; name the words for a missing value under",
    ),
    "thousands or a decimal comma": (
        text_of("x", lambda n: f'"{n + 1},{n + 400}"'),
        {},
        "column 'x' holds '1,400': thousands? Then set `thousands: ','`. A decimal comma?",
    ),
    "points among decimal commas": (
        text_of("x", lambda n: f'"{n},5"' if n else "1.410"),
        {"decimal": ","},
        "row 1: column 'x' holds '1.410' among decimal commas; if the point",
    ),
    "infinite": (text_of("x", lambda n: "inf" if n == 4 else n), {}, "row 5: column 'x' is infinite"),
    "dates of another form": (
        text_of("x", lambda n: f"{n % 28 + 1:02}/03/2020"),
        {"dates": {"x": "%Y/%m/%d"}},
        "dates: column 'x' holds '01/03/2020', which is not a date of the form",
    ),
}


@pytest.mark.parametrize("fault", sorted(REFUSED))
def test_what_may_be_read_in_two_ways_is_refused_with_what_would_be_right(fault, tmp_path):
    content, options, said = REFUSED[fault]
    with pytest.raises(UserError, match=re.escape(said)):
        loaded(tmp_path, content, **options)


READ = {
    "thousands": (lambda n: f'"{n + 1},{n + 400}"', {"thousands": ","}, "numeric", [1400, 2401]),
    "money": (lambda n: f'"${n + 1},{n + 400}.50"', {}, "numeric", [1400.5, 2401.5]),
    "percent": (lambda n: f"{n}.5%", {}, "numeric", [0.5, 1.5]),
    "a unit": (lambda n: f"{n} kg", {}, "numeric", [0, 1]),
    "codes with zeros in front": (lambda n: f"{n % 7:03}", {}, "categorical", ["000", "001"]),
    "codes that look like exponents": (lambda n: f"{n % 9 + 1}E{100 * (n % 9)}", {}, "categorical", ["1E0", "2E100"]),
    "codes of letters and digits": (lambda n: f"V{n % 6}" if n % 9 == 0 else f"{n % 25}.5", {}, "categorical", ["V0", "1.5"]),
    "a long field": (lambda n: "word " * 40_000 if n == 3 else f"{n % 5}", {}, "categorical", ["0", "1"]),
}


@pytest.mark.parametrize("shape", sorted(READ))
def test_values_are_read_as_what_they_are(shape, tmp_path):
    cell, options, kind, first = READ[shape]
    table, schema = loaded(tmp_path, text_of("x", cell), **options)
    assert schema["columns"][0]["kind"] == kind
    assert table["x"].tolist()[:2] == first
    assert (
        kind == "categorical"
        or "thousands" in options
        or any("column 'x' is read as numbers" in note for note in schema["notes"])
    )


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        (lambda n: f"{n % 28 + 1:02}.07.2020", "%d.%m.%Y"),
        (lambda n: f"07/{n % 28 + 1:02}/2020", "%m/%d/%Y"),
        (lambda n: f"{n % 28 + 1}/7/2020 {n % 24:02}:15", "%d/%m/%Y %H:%M"),
        (lambda n: f"2020/07/{n % 28 + 1:02}", "%Y/%m/%d"),
    ],
)
def test_dates_are_read_in_the_form_that_fits_all_of_them(cell, form, tmp_path):
    table, schema = loaded(tmp_path, text_of("when", cell))
    assert {column["format"] for column in schema["columns"]} == {form}
    assert table["when day"].tolist()[:3] == [1, 2, 3]


def test_dates_that_may_have_the_month_first_are_left_out_with_a_note_and_read_where_the_form_is_stated(tmp_path):
    text = text_of("x,when", lambda n: f"{n % 4},{n % 12 + 1:02}/{(n * 5) % 12 + 1:02}/2020")
    _, schema = loaded(tmp_path, text)
    assert any(
        "seems to hold dates with the day or the month first; state which under `dates`" in note for note in schema["notes"]
    )
    table, _ = loaded(tmp_path, text, dates={"when": "%d/%m/%Y"})
    assert table["when month"].tolist()[:2] == [1, 6]


def test_a_code_is_the_same_code_whatever_type_it_comes_in(tmp_path):
    """As pandas writes a column of whole numbers with one gap."""
    (tmp_path / "train.csv").write_text(text_of("code,x", lambda n: f"{n % 3 + 1},{n}"))
    dataset = fill(
        {"train": str(tmp_path / "train.csv"), "target": "ill", "kinds": {"code": "categorical"}},
        SCHEMA["$defs"]["dataset"],
        SCHEMA,
    )
    model, _ = shipped(tmp_path, *load(dataset, np.random.default_rng(0)))
    (tmp_path / "same.csv").write_text("code,x\n1,5\n3,7\n")
    (tmp_path / "gap.csv").write_text("code,x\n1.0,5\n3.0,7\n")
    pd.DataFrame({"code": [1.0, 3.0], "x": [5, 7]}).to_parquet(tmp_path / "floats.parquet")
    for name in ("same.csv", "gap.csv", "floats.parquet"):
        predict_file(model, tmp_path / name, tmp_path / f"{name}.out")
    first, *others = (pd.read_csv(tmp_path / f"{name}.out") for name in ("same.csv", "gap.csv", "floats.parquet"))
    for other in others:
        pd.testing.assert_frame_equal(first, other)


def test_labels_are_the_same_labels_with_and_without_a_point(tmp_path):
    _, schema = loaded(tmp_path, "x,ill\n" + "".join(f"{n},{n % 2}{'.0' * (n % 3 == 0)}\n" for n in range(60)))
    assert schema["classes"] == ["0", "1"]


def test_any_column_name_works(tmp_path):
    names = ["fold", "weight", "split", "prediction", "stop", "copy"]
    rng = np.random.default_rng(0)
    table, schema = loaded(
        tmp_path, text_of(",".join(names), lambda n: ",".join(f"{value:.3f}" for value in rng.normal(size=6)))
    )
    assert [column["source"] for column in schema["columns"]] == names
    assert not {"fold", "weight", "split", "prediction", "stop", "copy"} & {column["name"] for column in schema["columns"]}
    model, pipeline = shipped(tmp_path, table, schema)
    predict_file(model, tmp_path / "train.csv", tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["p_yes"].to_numpy() == pytest.approx(pipeline.predict(table)[:, 1], abs=1e-5)


def test_names_that_come_twice_and_columns_without_one_are_numbered_and_noted(tmp_path):
    _, schema = loaded(tmp_path, "age,age,,ill\n" + "".join(f"{n},{n * 7 % 11},{n % 5},{ILL[n]}\n" for n in range(60)))
    assert [column["source"] for column in schema["columns"]] == ["age", "age (2)", "unnamed 3"]
    assert sum("and is called" in note for note in schema["notes"]) == 2


def test_row_names_without_a_header_of_their_own_are_read_as_r_means_them(tmp_path):
    table, schema = loaded(tmp_path, "x,ill\n" + "".join(f"row{n},{n % 7},{ILL[n]}\n" for n in range(60)))
    assert [column["source"] for column in schema["columns"]] == ["unnamed", "x"]
    assert table["x"].tolist()[:3] == [0, 1, 2]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("age,dose,site\n41,1.5,north,extra\n50,1,north\n", "line 2: 4 fields where the header has 3"),
        ("age,dose,site\ninf,1.5,north\n", "column 'age', row 1: 'inf' is infinite"),
        ("age,dose,site\n41,much,north\n", "column 'dose', row 1: 'much' is not a numeric value"),
    ],
)
def test_rows_to_predict_are_refused_where_training_would_refuse_them(rows, said, small_model, tmp_path):
    (tmp_path / "rows.csv").write_text(rows)
    with pytest.raises(UserError, match=re.escape(said)):
        predict_file(small_model, tmp_path / "rows.csv", tmp_path / "out.csv")
    assert not list(tmp_path.glob("out.csv*"))


def test_values_that_no_training_row_had_are_counted(small_model, tmp_path, capsys):
    (tmp_path / "rows.csv").write_text("age,dose,site\n4550,1.5,north\n41,1.5,nowhere\n41,1.5,elsewhere\n50,,north\n")
    predict_file(small_model, tmp_path / "rows.csv", tmp_path / "out.csv", check=True)
    said = capsys.readouterr().err
    assert "column 'age': 1 of 4 rows have a value outside" in said
    assert "such as 4550" in said
    assert "column 'site': 2 of 4 rows have a category that no training row has, such as 'nowhere'" in said
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["row"].tolist() == [1, 2, 3, 4]
    assert found["unusual_values"].tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.jsonl", b'{"x": 1}\n{"x": [1]}\n', "line 2: 'x' is a list or an object; give it a column for each value"),
        ("t.jsonl", b'{"x": 1}\n3\n', "line 2: is no JSON object"),
        ("t.jsonl", b'{"x": 1\n', "line 1: is not JSON"),
        ("t.xlsx", b"PK\3\4", "is not a workbook"),
        ("t.zip", b"not an archive", "is not a whole zip file"),
        (
            "t.csv",
            "x,ill\n1,ja\xe4\n".encode("latin-1"),
            "near line 2: byte 0xe4 is not utf-8; save the table as UTF-8, or name its encoding",
        ),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(name, content, said, tmp_path):
    with pytest.raises(UserError, match=re.escape(said)):
        loaded(tmp_path, content, name)


def test_a_workbook_of_several_sheets_is_read_by_the_name_of_one(tmp_path):
    table = pd.DataFrame({"x": range(60), "ill": ILL})
    with pd.ExcelWriter(tmp_path / "train.xlsx") as book:
        table.to_excel(book, sheet_name="notes", index=False)
        table.assign(x=table["x"] * 2).to_excel(book, sheet_name="rows", index=False)
    content = (tmp_path / "train.xlsx").read_bytes()
    with pytest.raises(UserError, match="name one of its sheets under `sheet`: 'notes', 'rows'"):
        loaded(tmp_path, content, "train.xlsx")
    assert loaded(tmp_path, content, "train.xlsx", sheet="rows")[0]["x"].tolist()[:3] == [0, 2, 4]


def test_a_folder_is_the_files_in_it(tmp_path):
    (tmp_path / "tables").mkdir()
    for name, start in (("b.csv", 30), ("a.csv", 0)):
        (tmp_path / "tables" / name).write_text("x,ill\n" + "".join(f"{n},{ILL[n]}\n" for n in range(start, start + 30)))
    dataset = fill({"train": str(tmp_path / "tables"), "target": "ill", "source": "file"}, SCHEMA["$defs"]["dataset"], SCHEMA)
    table, _ = load(dataset, np.random.default_rng(0))
    assert table["x"].tolist() == list(range(60))
    assert table["file"].unique().tolist() == ["a.csv", "b.csv"]


def test_rows_without_a_header_may_lack_the_target(tmp_path):
    (tmp_path / "train.data").write_text("".join(f"{n % 7},{ILL[n]},{n}\n" for n in range(60)))
    options = {"train": str(tmp_path / "train.data"), "target": "ill", "columns": ["x", "ill", "y"]}
    table, schema = load(fill(options, SCHEMA["$defs"]["dataset"], SCHEMA), np.random.default_rng(0))
    model, pipeline = shipped(tmp_path, table, schema)
    (tmp_path / "rows.data").write_text("".join(f"{n % 7},{n}\n" for n in range(60)))
    for rows in ("train.data", "rows.data"):
        predict_file(model, tmp_path / rows, tmp_path / "out.csv")
        assert pd.read_csv(tmp_path / "out.csv")["p_yes"].to_numpy() == pytest.approx(pipeline.predict(table)[:, 1], abs=1e-5)
