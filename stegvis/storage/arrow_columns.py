"""Columns of Arrow as columns of pandas that keep every digit and every distinction a cell's reading needs.

Whole numbers stay whole beside blanks, bytes are kept where they are not text, and what can be neither text, number,
truth value, date nor time (lists, structures, durations and the like) becomes a cell that no rule accepts.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# Whole numbers with blanks would otherwise become floats, and long identifiers lose their last digits.
NULLABLE = {
    pa.bool_(): pd.BooleanDtype(),
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}
NO_CELL = ()  # a cell of a kind that no column may have


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """A table of Arrow, whose column names differ, as a frame."""
    columns = {name: to_series(table.column(place)) for place, name in enumerate(table.column_names)}
    return pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows), copy=False)


def to_series(column: pa.ChunkedArray) -> pd.Series:
    """A column of Arrow as a Series.

    Text is ``str``; bytes that are not UTF-8 stay bytes; decimals stay decimals; dates and times keep their unit and
    zone; cells of any other kind are ``NO_CELL``.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if is_bytes(kind):
        try:
            column = column.cast(pa.large_binary()).cast(pa.large_string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return pd.Series(column.to_pylist(), dtype=object)
    elif pa.types.is_string_view(kind):
        column = column.cast(pa.large_string())
    elif not is_plain(kind):
        return pd.Series([NO_CELL if valid else None for valid in pc.is_valid(column).to_pylist()], dtype=object)
    series: pd.Series = column.to_pandas(types_mapper=NULLABLE.get, date_as_object=False)
    return series


def is_bytes(kind: pa.DataType) -> bool:
    """Whether cells of this kind are bytes of any width."""
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def is_plain(kind: pa.DataType) -> bool:
    """Whether a cell of this kind can be read as text, a number, a truth value, a date or a time."""
    return bool(
        pa.types.is_boolean(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_date(kind)
        or pa.types.is_timestamp(kind)
        or pa.types.is_null(kind)
    )
