"""Lines that are split by Arrow, in blocks, are read as Python's reader reads them one by one."""

import io
from pathlib import PurePosixPath

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stillhouse.errors import UserError
from stillhouse.intake import text
from stillhouse.intake.formats import Dialect, tables_in

CELLS = st.one_of(
    st.sampled_from(
        ["1", " 2.5", "north", "", " ", "NA", "é", "\u2028", "a b", '"x"', '"x,y"', '"x\ny"', 'x"y', '"', "\ufeff", "\0"]
    ),
    st.text(alphabet="ab ,;\t\r\n\"'\\", max_size=4),
)
ENDS = st.sampled_from(["\n", "\r\n", "\n\n", "\r", "\n \n"])


@st.composite
def texts(draw):
    """Bytes of a text table of two or three columns, often with something odd in it."""
    width, separator = draw(st.integers(1, 3)), draw(st.sampled_from([",", ";", "\t", " "]))
    plain = draw(st.booleans())
    cells = st.sampled_from(["1", " 2.5", "north", "", "é"]) if plain else CELLS
    end = draw(st.sampled_from(["\n", "\r\n"]))
    lines = [separator.join(f"n{place}" for place in range(width))]
    for _ in range(draw(st.integers(0, 25))):
        wide = width if plain or draw(st.integers(0, 30)) else width + 1
        lines.append(
            separator.join(draw(cells) for _ in range(wide)) + ("" if plain else draw(st.sampled_from(["", "", "", "\r"])))
        )
    content = draw(st.sampled_from(["", "\ufeff", "\n"])) + end.join(lines) + draw(st.sampled_from(["", end]))
    content = content.encode()
    return (content, separator) if plain or draw(st.booleans()) else (content.replace(b"n", b"\xff", 2), separator)


def found_in(content, separator):
    """The rows of a text, or what is said of it."""
    try:
        tables = list(tables_in(io.BytesIO(content), PurePosixPath("rows.csv"), Dialect(separator=separator)))
    except UserError as error:
        return str(error)
    return pd.concat(tables, ignore_index=True)


def the_same(content, separator, monkeypatch):
    """Whether a text is read alike line by line, and in small blocks."""
    with monkeypatch.context() as patch:
        patch.setattr(text.BlockLines, "plain_block", lambda lines, separator: b"")
        alone = found_in(content, separator)
    with monkeypatch.context() as patch:
        patch.setattr(text, "FIRST_BLOCK", 24)
        patch.setattr(text, "BLOCK", 40)
        patch.setattr(text, "CHUNK", 3)
        blocks = found_in(content, separator)
    if isinstance(alone, str) or isinstance(blocks, str):
        assert alone == blocks
    else:
        pd.testing.assert_frame_equal(alone, blocks)


CHECKED = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@given(texts())
@settings(max_examples=150, **CHECKED)
def test_blocks_and_lines_are_read_alike(drawn):
    with pytest.MonkeyPatch.context() as monkeypatch:
        the_same(*drawn, monkeypatch)


@pytest.mark.slow
@pytest.mark.proof
@given(texts())
@settings(max_examples=20000, **CHECKED)
def test_thousands_of_texts_are_read_alike_in_blocks_and_by_lines(drawn):
    with pytest.MonkeyPatch.context() as monkeypatch:
        the_same(*drawn, monkeypatch)


def test_blocks_without_quotes_are_split_by_arrow(monkeypatch):
    taken, original = [], text.BlockLines.take_block
    monkeypatch.setattr(text.BlockLines, "take_block", lambda lines: taken.append(lines.number) or original(lines))
    content = b"a,b\n" + b"1,x\n" * 20_000 + b'2,"y"\n' + b"3,z\n" * 3_000_000
    rows = found_in(content, ",")
    assert len(rows) == 3_020_001
    assert rows["b"].value_counts().to_dict() == {"z": 3_000_000, "x": 20_000, "y": 1}
    assert len(taken) >= 2


def test_an_error_far_down_names_its_line():
    content = b"a,b\n" + b"1,x\n" * 60_000 + b"1,x,y\n" + b"1,x\n" * 10
    assert found_in(content, ",") == "rows.csv, line 60002: 3 fields where the header has 2; is the separator ','?"
    content = b"a,b\n" + b"1,x\n" * 60_000 + b"1,\xff\n"
    assert found_in(content, ",").startswith("rows.csv, near line 60002: byte 0xff is not utf-8")
