"""What a column holds: numbers, booleans, categories, times, or something that no model should see."""

import re

import pandas as pd

GAP = "(missing)"
NUMERIC, BOOLEAN, CATEGORICAL, DATETIME = "numeric", "boolean", "categorical", "datetime"
TEXT, IDENTIFIER, CONSTANT = "text", "identifier", "constant"
# A column that no model sees and slices are made by.
ASIDE = "aside"
LEFT_OUT = (TEXT, IDENTIFIER, CONSTANT, ASIDE)

FEW_ROWS = 100
# Different numbers that a column has at most where they may be classes.
MOST_CLASSES = 20
_TRUTH = {"true": 1, "false": 0, "yes": 1, "no": 0, "t": 1, "f": 0, "y": 1, "n": 0}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")
_ID = re.compile(r"(^|[^A-Za-z])(id|ID|Id)$|(?<=[a-z])(ID|Id)$|^(?i:no|nr|number|index|unnamed.*)?$")


def infer(column):
    """Return the kind of a column from its values; a guess that ``kinds`` in the configuration overrides."""
    values = column.dropna()
    if values.nunique() == 0 or (values.nunique() == 1 and len(values) == len(column)):
        return CONSTANT
    if pd.api.types.is_datetime64_any_dtype(values):
        return DATETIME
    numbers = as_numbers(values)
    if numbers.notna().all():
        return _infer_numeric(numbers, name=str(column.name))
    return _infer_text(values.astype(str))


def _infer_numeric(numbers, name):
    if set(numbers.unique()) <= {0.0, 1.0}:
        return BOOLEAN
    whole_and_unique = len(numbers) >= FEW_ROWS and numbers.is_unique and (numbers % 1 == 0).all()
    if whole_and_unique and (_ID.search(name) or (numbers.diff().dropna() == 1).all()):
        return IDENTIFIER
    return NUMERIC


def _infer_text(texts):
    if set(texts.str.lower().unique()) <= set(_TRUTH):
        return BOOLEAN
    if texts.str.fullmatch(_DATE).all():
        return DATETIME
    if len(texts) >= FEW_ROWS and texts.nunique() > 0.5 * len(texts):
        return TEXT if texts.str.count(r"\s+").mean() >= 3 else IDENTIFIER
    return CATEGORICAL


def without_missing_values(table, missing, missing_in):
    """Return the table with blanks around text removed, and with text that stands for a missing value as gaps.

    ``missing`` holds for every column; ``missing_in`` has further texts by column, and a number among them stands for its
    value however that is written (0 and 0.0).
    """
    columns = {}
    for name in table.columns:
        column, further = table[name], missing_in.get(name, [])
        if pd.api.types.is_string_dtype(column) or column.dtype in (object, "category"):
            column = column.astype("str").str.strip()
            column = column.mask(column.isin([*missing, *further]))
        numbers = as_numbers(pd.Series(further, dtype="str")).dropna()
        columns[name] = column.mask(as_numbers(column).isin(numbers)) if len(numbers) else column
    return pd.DataFrame(columns, index=table.index)


def as_numbers(column):
    """Return a column as float64; text that is not a number becomes NaN."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column.astype("float64")
    return pd.to_numeric(column.astype("str").str.strip(), errors="coerce").astype("float64")


def with_points(table):
    """Return the table with decimal points for decimal commas, in the columns that mostly hold such numbers."""
    columns = {}
    for name in table.columns:
        texts = table[name].str.strip()
        is_number = texts[texts != ""].str.fullmatch(r"[+-]?\d*,?\d+([eE][+-]?\d+)?")
        columns[name] = texts.str.replace(",", ".") if len(is_number) and is_number.mean() > 0.5 else texts
    return pd.DataFrame(columns, index=table.index)


def typed(column, kind):
    """Return a column in the type of its kind: float64 for numbers and booleans, text for categories."""
    if kind == NUMERIC or (kind == ASIDE and as_numbers(column).notna().sum() == column.notna().sum()):
        return as_numbers(column)
    if kind == BOOLEAN:
        return _as_booleans(column)
    if kind == DATETIME:
        return pd.to_datetime(column.astype("str"), utc=True, format="ISO8601", errors="coerce")
    return as_text(column)


def as_text(column):
    """Return a column as text; numbers that are whole are written without a point, whatever type they come in."""
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype("str").mask(column.isna()).str.strip()


def _as_booleans(column):
    numbers = as_numbers(column)
    if numbers.notna().sum() == column.notna().sum():
        return numbers
    return column.astype("str").str.strip().str.lower().map(_TRUTH).astype("float64")


def datetime_parts(column):
    """Return the parts of times as numbers, by the part's name: year, month, day, weekday (Monday is 0) and hour."""
    times = column.dt
    parts = {"year": times.year, "month": times.month, "day": times.day, "weekday": times.day_of_week, "hour": times.hour}
    return {part: values.astype("float64") for part, values in parts.items()}


def raw_feature(table, column):
    """Return a column of a raw table as models see it: in its type, or as the part of a time that it stands for."""
    values = typed(table[column["source"]], column["kind"])
    return datetime_parts(values)[column["part"]] if "part" in column else values


def feature_columns(schema):
    """Return the descriptions of the columns that models may see."""
    return [column for column in schema["columns"] if column["kind"] not in LEFT_OUT]


def duplicate_rows(table, names):
    """Return a number for each row; rows with equal features have the same number."""
    return pd.factorize(pd.util.hash_pandas_object(table[list(names)], index=False))[0]
