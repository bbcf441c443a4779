"""Every way of writing a table that training reads is read the same in prediction; whatever it holds, nothing is lost in silence."""

import csv
import gzip
import io
import json
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
