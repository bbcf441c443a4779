"""How values are written: gaps, decimal marks and thousands, dates, units. Read alike in training and in prediction."""

import re

import numpy as np
import pandas as pd

from stillhouse.errors import UserError
from stillhouse.intake import kinds, pictures

# Characters that are not seen, and that make two equal words different.
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
# Text in at most this share of a column of numbers is taken for slips or, if there are few different words, in half of it.
MOST_STRAY_SHARE, MOST_STRAY_WORDS = 0.05, 5
# What is said of dates whose day may come first or second.
AMBIGUOUS = "ambiguous"
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")
_DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})( \d{1,2}:\d{2}(:\d{2})?)?")
_UNITS = re.compile(r"[+-]?([$€£¥₹]?)\s*[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?\s*([%‰°€£$]|[A-Za-zµ°/²³]{1,6})?")
_WITH_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_WITH_COMMA = re.compile(r"[+-]?\d+,\d+")


def cleaned(table, reading, path="the table"):
    """Return a table without blanks around text, with gaps for the texts that stand for them, and with plain numbers.

    ``reading`` has ``missing`` (texts for every column; an empty one always is a gap), ``missing_in`` (further texts by column,
    of which a number stands for its value however it is written), ``decimal`` and ``thousands``.
    """
    columns = {}
    for name in table.columns:
        column, further = table[name], reading["missing_in"].get(name, [])
        if is_textual(column):
            is_text = which_are_text(column)
            column = column.astype("str").str.strip()
            column = column.mask(column.isin(["", *reading["missing"], *further]))
            column = column.mask(is_text, plain_numbers(column[is_text], reading, path))
        numbers = kinds.as_numbers(pd.Series(further, dtype="str")).dropna()
        columns[name] = column.mask(kinds.as_numbers(column).isin(numbers)) if len(numbers) else column
    return pd.DataFrame(columns, index=table.index)


def which_are_text(column):
    """Return a mask of the values that are text: numbers that a format has as such have no notation to be read."""
    if column.dtype != object:
        return np.ones(len(column), dtype=bool)
    return column.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool)


def is_textual(column):
    """Return whether a column holds text, or values of several types, but for contents of pictures."""
    return not pictures.are_contents(column) and (pd.api.types.is_string_dtype(column) or column.dtype in (object, "category"))


def plain_numbers(column, reading, path):
    """Return a column of text whose numbers have decimal points and no thousands separators; each is read by itself.

    Raises ``UserError`` for a point among decimal commas, as 1.410 may be one or a thousand.
    """
    decimal, thousands = re.escape(reading["decimal"]), re.escape(reading.get("thousands") or "")
    if decimal == r"\." and not thousands:
        return column
    whole = rf"(?:\d{{1,3}}(?:{thousands}\d{{3}})+|\d*)" if thousands else r"\d*"
    number = rf"[+-]?{whole}(?:{decimal}\d+)?(?:[eE][+-]?\d+)?"
    is_number = column.str.fullmatch(number, na=False) & column.str.contains(r"\d", na=False)
    if reading["decimal"] == "," and reading.get("thousands") != ".":
        is_pointed = column.str.fullmatch(r"[+-]?\d+\.\d+", na=False)
        if is_pointed.any() and column.str.fullmatch(_WITH_COMMA, na=False).any():
            row = is_pointed.to_numpy().argmax()
            raise UserError(
                f"{path}, row {row + 1}: column {column.name!r} holds {column.iloc[row]!r} among decimal commas; if the point "
                "marks thousands, set `thousands: '.'`, else write all numbers alike"
            )
    plain = column.str.replace(reading["thousands"], "", regex=False) if thousands else column
    return column.mask(is_number, plain.str.replace(reading["decimal"], ".", regex=False))


def described(column, dataset):
    """Return what is known of how a column's values are written, and a note on it or None: its kind, format, units or size.

    ``dataset`` states the ``kinds`` and ``dates`` of columns, and how ``pictures`` are read. A guess that could be wrong either
    way is not made.
    """
    name = column.name
    if dataset["kinds"].get(name) == kinds.IMAGE or (name not in dataset["kinds"] and pictures.are_pictures(column)):
        facts = pictures.described(column, dataset["pictures"])
        return {"kind": kinds.IMAGE, **facts}, pictures.described_note(name, facts)
    if pictures.are_contents(column) and dataset["kinds"].get(name) != kinds.IDENTIFIER:
        raise UserError(f"kinds: column {name!r} holds contents of files, which are pictures or nothing; name it under `drop`")
    if name in dataset["dates"]:
        return {"kind": kinds.DATETIME, "format": dataset["dates"][name]}, None
    stated = dataset["kinds"].get(name)
    if stated not in (None, kinds.DATETIME, kinds.NUMERIC) or not is_textual(column):
        return {"kind": stated or kinds.infer(column)}, None
    # How a value is written does not depend on how often it occurs.
    texts = column.dropna().astype("str").drop_duplicates()
    if len(texts) and stated != kinds.NUMERIC and (form := date_format(texts)):
        return as_date(name, form, stated)
    if len(texts) and stated != kinds.DATETIME and (units := common_units(texts)):
        return as_amount(name, units)
    return {"kind": stated or kinds.infer(column)}, None


def as_date(name, form, stated):
    """Return the description of a column of dates, and a note on a guess or a doubt."""
    if form == AMBIGUOUS:
        doubt = f"column {name!r} seems to hold dates with the day or the month first"
        return {"kind": stated or kinds.IDENTIFIER}, f"{doubt}; state which under `dates`, such as {{{name}: '%d/%m/%Y'}}"
    if form == "ISO8601":
        return {"kind": kinds.DATETIME}, None
    return {"kind": kinds.DATETIME, "format": form}, f"column {name!r} is read as dates of the form {form}"


def as_amount(name, units):
    """Return the description of a column of numbers with units or thousands separators, and a note on it."""
    shown = " and ".join(repr(unit) for unit in units if unit)
    what = f"without {shown}" if shown else "with commas between thousands"
    return {"kind": kinds.NUMERIC, "units": list(units)}, f"column {name!r} is read as numbers {what}"


def date_format(texts):
    """Return the format of dates that all texts have, None where they have none, or that it is ambiguous."""
    if texts.str.fullmatch(_ISO).all():
        return "ISO8601"
    found = texts.str.extract(rf"^{_DATE.pattern}$")
    if found[0].isna().any() or found[1].nunique() != 1 or found[5].notna().nunique() != 1:
        return None
    mark, first, second, last = found[1].iloc[0], *(found[place].astype(int) for place in (0, 2, 3))
    time = "" if found[4].isna().all() else " %H:%M:%S" if found[5].notna().all() else " %H:%M"
    if found[0].str.len().eq(4).all() and second.between(1, 12).all():
        return f"%Y{mark}%m{mark}%d{time}"
    if not found[3].str.len().eq(4).all() or last.lt(1000).any():
        return None
    days, months = (
        day.between(1, 31).all() and month.between(1, 12).all() for day, month in ((first, second), (second, first))
    )
    if days and months and mark != ".":
        return AMBIGUOUS
    return f"%d{mark}%m{mark}%Y{time}" if days else f"%m{mark}%d{mark}%Y{time}" if months else None


def common_units(texts):
    """Return the text before and after the number that all texts share, or None where they are no such numbers.

    Both may be empty where some numbers have commas between thousands. Codes such as A12 are none: only signs of currencies
    stand before a number.
    """
    found = texts.str.extract(rf"^{_UNITS.pattern}$")
    if not texts.str.fullmatch(_UNITS).all() or texts.nunique() < 2:
        return None
    before, after = found[0].fillna("").unique(), found[1].fillna("").unique()
    if len(before) != 1 or len(after) != 1:
        return None
    has_thousands = texts.str.contains(",").any()
    if not before[0] and not after[0]:
        # 1,410 alone may be a decimal comma; with a point, or a second comma, it cannot be.
        is_sure = texts.str.fullmatch(r"[+-]?\d{1,3}(,\d{3})+\.\d+|[+-]?\d{1,3}(,\d{3}){2,}", na=False).any()
        return ("", "") if has_thousands and is_sure else None
    return (before[0], after[0])


def stray_words(column):
    """Return the words in a column of many different numbers that look like slips or missing values; None for none.

    Codes such as V57 are no slips: letters that digits follow.
    """
    if not is_textual(column):
        return None
    numbers, known = kinds.as_numbers(column), column.notna()
    stray = known & numbers.isna()
    words = column[stray].astype("str")
    most = 0.5 if words.nunique() <= MOST_STRAY_WORDS else MOST_STRAY_SHARE
    if not len(words) or numbers.nunique() <= kinds.MOST_CLASSES or len(words) > most * known.sum():
        return None
    return None if words.str.fullmatch(r"[A-Za-z]{1,3}[-.]?\d+.*").mean() > 0.5 else words


def comma_doubt(column):
    """Return what a column of numbers with commas may be, with the settings that read it; empty for other columns."""
    words = column.dropna().astype("str") if is_textual(column) else pd.Series(dtype="str")
    stray = words[kinds.as_numbers(words).isna()]
    if not len(stray):
        return ""
    if stray.str.fullmatch(_WITH_THOUSANDS).mean() > 0.5:
        return f"holds {stray.iloc[0]!r}: thousands? Then set `thousands: ','`. A decimal comma? Then set `decimal: ','`"
    if stray.str.fullmatch(_WITH_COMMA).mean() > 0.5:
        return f"holds {stray.iloc[0]!r}: a decimal comma? Then set `decimal: ','`"
    return ""
