"""Arrow tables as raw tables."""

import pyarrow as pa

from stillhouse.errors import UserError

# Bytes are contents of pictures.
NESTED = (pa.types.is_fixed_size_binary, pa.types.is_nested)


def check_types(schema, path):
    """Raise ``UserError`` for a column whose values are lists or structures."""
    for field in schema:
        if any(is_nested(field.type) for is_nested in NESTED):
            raise UserError(f"{path}: column {field.name!r} holds {field.type} values, which are no cells; leave it out")


def pandas_of(table, names):
    """Return an Arrow table in pandas, whole numbers beside gaps as they are and not as floats."""
    return table.rename_columns(names).to_pandas(integer_object_nulls=True, ignore_metadata=True)
