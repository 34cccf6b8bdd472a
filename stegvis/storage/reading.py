"""Opening one delivered file as a table, whatever its format: csv, parquet, SPSS (sav) or Stata (dta).

A reason never repeats the contents of the file, and errors of the libraries, which may, are not passed on.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

TABLE_ENDINGS = (".csv", ".parquet", ".sav", ".dta")
SEPARATORS = (",", ";", "\t")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Whole numbers with blanks would otherwise become floats, and long identifiers lose their last digits.
WHOLE_NUMBERS = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}


class UnreadableFile(ValueError):  # noqa: N818 - a state of the file, named as the rule is
    """A delivered file that cannot be read: ``file`` is its name, ``reason`` a sentence without its contents."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


def read_table(path: Path, infer_types: bool = False) -> pd.DataFrame:
    """Read a delivered table with its columns as delivered.

    Args:
        path: a csv (UTF-8 with or without a byte order mark; comma, semicolon or tab), parquet, sav or dta file.
        infer_types: let numbers and times of a csv be read as such where a whole column allows; meant for signals,
            whose text would not fit in memory. Otherwise the cells of a csv stay text.

    Returns:
        One row per data row of the file. Codes stay codes (no value labels), and the values a statistics program
        declares as missing are missing. Blank lines at the end of a csv are left out.

    Raises:
        UnreadableFile: the file is not there, empty, cut off, not of the format its ending says, not UTF-8, has an
            unknown ending, lines of unequal length, or a column name twice.
    """
    if path.suffix.lower() not in TABLE_ENDINGS:
        raise UnreadableFile(path.name, f"the ending must be one of {', '.join(TABLE_ENDINGS)}")
    must_have_content(path)
    match path.suffix.lower():
        case ".csv":
            table = _read_csv(path, infer_types)
        case ".parquet":
            table = _to_pandas(_read_parquet(path))
        case ending:
            table = _read_statistics_file(path, ending)
    names_must_differ(path, [str(name) for name in table.columns])
    return table


def must_have_content(path: Path) -> None:
    """Refuse a file that is absent or empty.

    Raises:
        UnreadableFile: it is.
    """
    if not path.is_file():
        raise UnreadableFile(path.name, "there is no such file")
    if path.stat().st_size == 0:
        raise UnreadableFile(path.name, "the file is empty")


def names_must_differ(path: Path, names: list[str]) -> None:
    """Refuse a file with two columns of one name.

    The message names their positions only: the first line of a file without a header is a person's row.

    Raises:
        UnreadableFile: two names are the same.
    """
    for position, name in enumerate(names):
        if name in names[:position]:
            first = names.index(name) + 1
            raise UnreadableFile(path.name, f"columns {first} and {position + 1} have the same name")


def _read_parquet(path: Path) -> pa.Table:
    try:
        return pa.parquet.read_table(path)
    except (pa.ArrowException, OSError):
        raise UnreadableFile(path.name, "not a whole parquet file; it may be cut off") from None


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    for position, column in enumerate(table.schema):
        if pa.types.is_binary(column.type):  # text, as some writers store it
            try:
                table = table.set_column(position, column.name, table.column(position).cast(pa.string()))
            except pa.ArrowInvalid:
                continue
    frame: pd.DataFrame = table.to_pandas(types_mapper=WHOLE_NUMBERS.get, date_as_object=False, ignore_metadata=True)
    return frame


def _read_statistics_file(path: Path, ending: str) -> pd.DataFrame:
    import pyreadstat

    read, program = (pyreadstat.read_sav, "SPSS") if ending == ".sav" else (pyreadstat.read_dta, "Stata")
    try:
        table, _ = read(str(path), apply_value_formats=False, user_missing=False)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, OSError, ValueError, OverflowError):
        raise UnreadableFile(path.name, f"not a whole {program} file; it may be cut off") from None
    frame: pd.DataFrame = table
    return frame


def _read_csv(path: Path, infer_types: bool) -> pd.DataFrame:
    separator, names = _read_header(path)
    names_must_differ(path, names)
    unequal: list[int] = []

    def note_unequal(row: pa.csv.InvalidRow) -> str:
        unequal.append(row.number)
        return "skip"

    try:
        table = pa.csv.read_csv(
            path,
            # One thread: only then does a row know its number.
            read_options=pa.csv.ReadOptions(use_threads=False),
            parse_options=pa.csv.ParseOptions(
                delimiter=separator,
                ignore_empty_lines=False,
                newlines_in_values=True,
                invalid_row_handler=note_unequal,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=None if infer_types else dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowException, UnicodeDecodeError, OSError):
        if infer_types:  # a column that is a number at first and text later
            return _read_csv(path, infer_types=False)
        raise UnreadableFile(path.name, "not a table in UTF-8; save it as csv with the encoding UTF-8") from None
    if unequal:
        more = f"; neither have {len(unequal) - 1} other lines" if len(unequal) > 1 else ""
        raise UnreadableFile(path.name, f"line {unequal[0]} does not have the {len(names)} fields of the header{more}")
    return _without_blank_end(_to_pandas(table))


def _read_header(path: Path) -> tuple[str, list[str]]:
    """The separator and the column names in the first line."""
    with path.open("rb") as file:
        line = file.readline().removeprefix(BYTE_ORDER_MARK)
    try:
        text = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        raise UnreadableFile(path.name, "not in UTF-8; save it as csv with the encoding UTF-8") from None
    if not text.strip():
        raise UnreadableFile(path.name, "the first line is blank; it must name the columns")
    separator = max(SEPARATORS, key=text.count)
    return separator, next(csv.reader([text], delimiter=separator))


def _without_blank_end(table: pd.DataFrame) -> pd.DataFrame:
    last = len(table)
    while last and bool(table.iloc[last - 1].isna().all()):
        last -= 1
    return table.iloc[:last]
