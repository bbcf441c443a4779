"""What a column holds: numbers, booleans, categories, times, texts, pictures, or something that no model should see."""

import re
import unicodedata

import numpy as np
import pandas as pd

from stillhouse.intake import pictures

GAP = "(missing)"
NUMERIC, BOOLEAN, CATEGORICAL, DATETIME = "numeric", "boolean", "categorical", "datetime"
TEXT, IMAGE, IDENTIFIER, CONSTANT = "text", "image", "identifier", "constant"
# A column that no model sees and slices are made by.
ASIDE = "aside"
LEFT_OUT = (IDENTIFIER, CONSTANT, ASIDE)
# The kinds whose columns an encoder makes features of, and those that are no numbers.
ENCODED = (TEXT, IMAGE)
NO_NUMBERS = (CATEGORICAL, *ENCODED)
# The characters of a text that are read.
MOST_CHARACTERS = 20_000

FEW_ROWS = 100
# Different numbers that a column has at most where they may be classes.
MOST_CLASSES = 20
_TRUTH = {"true": 1, "false": 0, "yes": 1, "no": 0, "t": 1, "f": 0, "y": 1, "n": 0}
_ID = re.compile(r"(^|[^A-Za-z])(id|ID|Id)$|(?<=[a-z])(ID|Id)$|^(?i:no|nr|number|index|unnamed.*)?$")
# Whole numbers up to this size have a float64 of their own.
EXACT = 2**53
_WHOLE = re.compile(r"^([+-]?\d+)\.0+$")
_LEADING_ZERO = re.compile(r"0\d+")


def infer(column):
    """Return the kind of a column from its values; a guess that ``kinds`` in the configuration overrides."""
    values = column.dropna()
    if pictures.are_pictures(values):
        return IMAGE
    if values.nunique() == 0 or (values.nunique() == 1 and len(values) == len(column)):
        return CONSTANT
    if pd.api.types.is_datetime64_any_dtype(values):
        return DATETIME
    numbers = as_numbers(values)
    if numbers.notna().all() and not are_codes(values):
        return _infer_numeric(numbers, values, name=str(column.name))
    return _infer_text(values.astype(str))


def are_codes(values):
    """Return whether whole numbers are codes of one length that begin with zeros, such as 007, of which numbers lose these."""
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return False
    texts = values.astype(str)
    return texts.str.len().nunique() == 1 and texts.str.fullmatch(_LEADING_ZERO).sum() > 1 and texts.str.fullmatch(r"\d+").all()


def _infer_numeric(numbers, values, name):
    if set(numbers.unique()) <= {0.0, 1.0}:
        return BOOLEAN
    # Long numbers are told apart by their digits, as floats of them may be equal.
    is_unique = numbers.is_unique or (numbers.abs().max() > EXACT and as_text(values).is_unique)
    whole_and_unique = len(numbers) >= FEW_ROWS and is_unique and (numbers % 1 == 0).all()
    if whole_and_unique and (_ID.search(name) or numbers.abs().max() > EXACT or (numbers.diff().dropna() == 1).all()):
        return IDENTIFIER
    return NUMERIC


def _infer_text(texts):
    if set(texts.str.lower().unique()) <= set(_TRUTH):
        return BOOLEAN
    if len(texts) >= FEW_ROWS and texts.nunique() > 0.5 * len(texts):
        return TEXT if texts.str.count(r"\s+").mean() >= 3 else IDENTIFIER
    return CATEGORICAL


def by_distinct(function, column):
    """Return ``function(column)`` of a column of text, computed once for each distinct value.

    The function must look at each value alone. Where most values differ, it is computed for all.
    """
    if not isinstance(column.dtype, pd.StringDtype) or len(column) < FEW_ROWS:
        return function(column)
    # A sample of the rows tells whether most values differ.
    if column.iloc[:: max(1, len(column) // FEW_ROWS)].nunique() > 0.5 * FEW_ROWS:
        return function(column)
    codes, distinct = pd.factorize(column, use_na_sentinel=False)
    return function(pd.Series(distinct, name=column.name)).take(codes).set_axis(column.index)


def as_numbers(column):
    """Return a column as float64; text that is not a number becomes NaN.

    A code such as 2E400, which would be an infinite number, is text; the word for infinity is a number.
    """
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column.astype("float64")
    return by_distinct(_numbers_in_text, column)


def _numbers_in_text(column):
    texts = column.astype("str").str.strip()
    numbers = pd.to_numeric(texts, errors="coerce").astype("float64")
    if np.isinf(numbers).any():
        numbers = numbers.mask(np.isinf(numbers) & texts.str.contains(r"\d", na=False))
    return numbers


def typed(column, kind, described=None):
    """Return a column in the type of its kind: float64 for numbers and booleans, text for categories.

    ``described`` may state the ``format`` of its times, and the text around its numbers; see ``notation.py``. Of pictures it
    states what ``pictures.described`` returns.
    """
    described = described or {}
    if kind == IMAGE:
        return pictures.as_pixels(column, described)
    if pictures.are_contents(column):
        column = pictures.content_digests(column).astype("str")
    if kind == NUMERIC:
        return as_numbers(without_units(column, described))
    if kind == ASIDE and as_numbers(column).notna().sum() == column.notna().sum():
        return as_numbers(column)
    if kind == BOOLEAN:
        return _as_booleans(column)
    if kind == DATETIME:
        return as_times(column, described.get("format") or "ISO8601")
    return as_text(column)


def as_times(column, form):
    """Return a column as times; text in another format becomes NaT, but for ISO 8601, which other formats of files have."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return pd.to_datetime(column, utc=True)
    texts = column.astype("str")
    times = pd.to_datetime(texts, utc=True, format=form, errors="coerce")
    return times.fillna(pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce"))


def without_units(column, described):
    """Return a column without the text around its numbers, and without their thousands separators."""
    if not described.get("units") or pd.api.types.is_numeric_dtype(column):
        return column
    before, after = (re.escape(unit) for unit in described["units"])
    found = column.astype("str").str.strip().str.extract(rf"^([+-]?){before}\s*(.*?)\s*{after}$")
    return (found[0] + found[1]).str.replace(",", "")


def as_text(column):
    """Return a column as text. A whole number is written without a point, in whatever type or text it comes: 1.0 is 1.

    How a value is written does not depend on the others beside it.
    """
    if pd.api.types.is_float_dtype(column):
        return column.map(_written).astype("str").mask(column.isna())
    return by_distinct(_with_plain_numbers, column.astype("str").mask(column.isna()))


def _with_plain_numbers(texts):
    return texts.str.strip().str.replace(_WHOLE, r"\1", regex=True)


def plain_texts(column):
    """Return texts as encoders read them, gaps as empty texts: an array of str, shape (rows,).

    Unicode is normalised (NFKC) and letters are lowered, punctuation and symbols stand alone, control characters are left out,
    and one space stands between words. Of longer texts the first 20,000 characters are read.
    """
    return by_distinct(_plain, column.astype("str").fillna("")).to_numpy(dtype=object)


def _plain(texts):
    return texts.map(_plain_text)


def _plain_text(text):
    return " ".join(unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).lower().translate(_APART).split())


class _MarksApart(dict):
    """What a character becomes, by its number: punctuation and symbols stand alone, and control characters are spaces."""

    def __missing__(self, number):
        character = chr(number)
        category = unicodedata.category(character)
        self[number] = " " if category == "Cc" else f" {character} " if category[0] in "PS" else character
        return self[number]


_APART = _MarksApart()


def word_counts(values):
    """Return the number of words and marks of each text as float64, 0 for a gap; shape (rows,)."""
    return lengths_of(plain_texts(values))


def lengths_of(plain):
    """Return the number of words and marks of each plain text as float64; shape (rows,)."""
    return np.array([text.count(" ") + bool(text) for text in plain], dtype="float64")


def measured(values, column):
    """Return what can be measured of a typed column of texts or pictures, and its name; a column of numbers."""
    if column["kind"] == TEXT:
        return "number of words", pd.Series(word_counts(values), index=values.index)
    light = pictures.arrays(values, column).mean(axis=(1, 2, 3), dtype="float64") / 255
    return "brightness", pd.Series(light, index=values.index).mask(values.isna())


def written(text):
    """Return a text of the configuration as ``as_text`` writes it."""
    return _WHOLE.sub(r"\1", text.strip())


def _written(value):
    return str(int(value)) if value % 1 == 0 and abs(value) < EXACT else repr(float(value))


def _as_booleans(column):
    numbers = as_numbers(column)
    if numbers.notna().sum() == column.notna().sum():
        return numbers
    return numbers.fillna(column.astype("str").str.strip().str.lower().map(_TRUTH).astype("float64"))


def datetime_parts(column):
    """Return the parts of times as numbers, by the part's name: year, month, day, weekday (Monday is 0) and hour."""
    times = column.dt
    parts = {"year": times.year, "month": times.month, "day": times.day, "weekday": times.day_of_week, "hour": times.hour}
    return {part: values.astype("float64") for part, values in parts.items()}


def raw_feature(table, column):
    """Return a column of a raw table as models see it: in its type, or as the part of a time that it stands for."""
    values = typed(table[column["source"]], column["kind"], column)
    return datetime_parts(values)[column["part"]] if "part" in column else values


def feature_columns(schema):
    """Return the descriptions of the columns that models may see."""
    return [column for column in schema["columns"] if column["kind"] not in LEFT_OUT]


def duplicate_rows(table, names):
    """Return a number for each row; rows with equal features have the same number."""
    return pd.factorize(pd.util.hash_pandas_object(table[list(names)], index=False))[0]
