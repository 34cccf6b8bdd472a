"""Opening one delivered file as a table, whatever its format: csv, parquet, SPSS (sav, zsav) or Stata (dta).

What a file claims is checked before memory is spent on it, and only the columns that are asked for are read. A reason
never repeats the contents of the file, and errors of the libraries, which may, are not passed on.
"""

from __future__ import annotations

import csv
import errno
import io
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from stegvis.storage.arrow_columns import to_pandas
from stegvis.storage.names import TABLE_ENDINGS, special_file
from stegvis.storage.statistics_files import StatisticsFileError, read_statistics_file

SEPARATORS = (",", ";", "\t")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

# Limits far beyond any delivery, which a small file can exceed by what it claims.
MOST_COLUMNS = 20_000
MOST_CELLS = 100_000_000  # of the columns that are read, as text
MOST_SAMPLES = 1_000_000_000  # of a signal, as numbers: four months at 50 samples a second
MOST_BYTES = 1 << 30  # that a parquet file may hold when it is very much smaller itself
MOST_EXPANSION = 100
LONGEST_HEADER = 4 << 20
LONGEST_LINE = 8 << 20

NOT_PARQUET = "not a whole Parquet file; it may be cut off or damaged"


class UnreadableFile(ValueError):  # noqa: N818 - a state of the file, named as the rule is
    """A delivered file that cannot be read: ``file`` is its name, ``reason`` a sentence without its contents."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


@dataclass(frozen=True)
class DeliveredTable:
    """A delivered table.

    Attributes:
        names: of all columns of the file, in their order.
        frame: the columns that were asked for, one row per data row.
        labels: the value labels of a statistics program, by column and code.
    """

    names: list[str]
    frame: pd.DataFrame
    labels: dict[str, dict[str, str]] = field(default_factory=dict)


def read_table(path: Path, infer_types: bool = False) -> pd.DataFrame:
    """Read all columns of a delivered table, as ``read_columns`` does.

    Raises:
        UnreadableFile: the file cannot be read.
    """
    return read_columns(path, None, infer_types).frame


def read_columns(path: Path, wanted: Collection[str] | None, infer_types: bool = False) -> DeliveredTable:
    """Read a delivered table with its columns as delivered.

    Args:
        path: a csv (UTF-8 with or without a byte order mark; comma, semicolon or tab), parquet, sav, zsav or dta file.
        wanted: the names of the columns to read; None reads all.
        infer_types: let numbers and times of a csv be read as such where a whole column allows; meant for signals,
            whose text would not fit in memory. Otherwise the cells of a csv stay text.

    Returns:
        One row per data row of the file. Codes stay codes (no value labels), and the values a statistics program
        declares as missing are missing. Blank lines at the end of a csv are left out.

    Raises:
        UnreadableFile: the file is not there, a link out of its folder, empty, cut off, damaged, too large, not of the
            format its ending says, not UTF-8, has an unknown ending, lines of unequal length, or a column name twice.
    """
    if path.suffix.lower() not in TABLE_ENDINGS:
        raise UnreadableFile(path.name, f"the ending must be one of {', '.join(TABLE_ENDINGS)}")
    must_have_content(path)
    most_cells = MOST_SAMPLES if infer_types else MOST_CELLS
    try:
        match path.suffix.lower():
            case ".csv":
                return _read_csv(path, wanted, infer_types)
            case ".parquet":
                return _read_parquet(path, wanted, most_cells)
            case _:
                table = DeliveredTable(*read_statistics_file(path, wanted, most_cells))
    except StatisticsFileError as error:
        raise UnreadableFile(path.name, str(error)) from None
    except Exception as error:
        raise as_unreadable(error, path) from None
    names_must_differ(path, table.names)
    return table


def as_unreadable(error: Exception, path: Path) -> Exception:
    """The error to raise for one that reading a file raised: of the file, unless the machine's disk is full."""
    if isinstance(error, UnreadableFile):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE):
        return error
    if isinstance(error, MemoryError | pa.ArrowMemoryError):
        return UnreadableFile(path.name, "it needs more memory than there is")
    if isinstance(error, PermissionError):
        return UnreadableFile(path.name, "it may not be opened")
    return UnreadableFile(path.name, "it cannot be read: damaged, or not of the format that its ending says")


def must_have_content(path: Path) -> None:
    """Refuse what is no ordinary file with contents in its folder.

    Raises:
        UnreadableFile: it is absent, empty, a folder or another special file, or a link out of its folder.
    """
    try:
        special = special_file(path)
        if special is not None:
            raise UnreadableFile(path.name, special)
        if not path.is_file():
            raise UnreadableFile(path.name, "there is no such file")
        if path.stat().st_size == 0:
            raise UnreadableFile(path.name, "the file is empty")
    except OSError as error:
        raise as_unreadable(error, path) from None


def names_must_differ(path: Path, names: Sequence[str]) -> None:
    """Refuse a file with two columns of one name, or too many columns.

    The message names their positions only: the first line of a file without a header is a person's row.

    Raises:
        UnreadableFile: two names are the same, or there are too many.
    """
    if len(names) > MOST_COLUMNS:
        raise UnreadableFile(path.name, f"it has more than {MOST_COLUMNS:,} columns")
    first: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if first.setdefault(name, position) != position:
            raise UnreadableFile(path.name, f"columns {first[name]} and {position} have the same name")


def parquet_names_and_rows(path: Path) -> tuple[pa.Schema, int]:
    """The columns of a parquet file and the number of its rows, from its footer.

    Raises:
        UnreadableFile: it is not parquet, cut off, or has a column twice.
    """
    must_have_content(path)
    try:
        with pa.parquet.ParquetFile(path) as opened:
            schema, rows = opened.schema_arrow, int(opened.metadata.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise _parquet_error(error, path) from None
    except Exception as error:
        raise as_unreadable(error, path) from None
    if rows < 0:
        raise UnreadableFile(path.name, NOT_PARQUET)
    names_must_differ(path, schema.names)
    return schema, rows


def _parquet_error(error: Exception, path: Path) -> Exception:
    found = as_unreadable(error, path)
    plain = isinstance(error, pa.ArrowMemoryError | PermissionError) or found is error
    return found if plain else UnreadableFile(path.name, NOT_PARQUET)


def _read_parquet(path: Path, wanted: Collection[str] | None, most_cells: int) -> DeliveredTable:
    schema, rows = parquet_names_and_rows(path)
    chosen = [name for name in schema.names if wanted is None or name in wanted]
    if rows * len(chosen) > most_cells:
        raise UnreadableFile(path.name, f"it has more than {most_cells:,} cells to read")
    try:
        with pa.parquet.ParquetFile(path, page_checksum_verification=True) as opened:
            if _expands(opened.metadata, path.stat().st_size):
                raise UnreadableFile(path.name, f"a file of this size expands to more than {MOST_BYTES >> 30} GB")
            table = opened.read(columns=chosen)
        table.validate(full=True)  # text that is not UTF-8, and offsets beyond the data
    except (pa.ArrowException, OSError) as error:
        raise _parquet_error(error, path) from None
    if table.num_rows != rows or table.column_names != chosen:
        raise UnreadableFile(path.name, NOT_PARQUET)
    return DeliveredTable(list(schema.names), to_pandas(table))


def _expands(metadata: Any, size: int) -> bool:
    """Whether a small file states contents that are large: memory is not spent on it.

    Only the row groups are asked: PyArrow ends the process on some damaged metadata of columns (version 26).
    """
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    stated = sum(group.total_byte_size for group in groups)
    return bool(stated > MOST_BYTES and stated > MOST_EXPANSION * size)


def _read_csv(path: Path, wanted: Collection[str] | None, infer_types: bool) -> DeliveredTable:
    separator, names = _read_header(path)
    names_must_differ(path, names)
    chosen = [name for name in names if wanted is None or name in wanted]
    unequal: list[int] = []

    def note_unequal(row: pa.csv.InvalidRow) -> str:
        unequal.append(row.number)
        return "skip"

    try:
        table = pa.csv.read_csv(
            path,
            # One thread: only then does a row know its number.
            read_options=pa.csv.ReadOptions(use_threads=False, block_size=LONGEST_LINE),
            parse_options=pa.csv.ParseOptions(
                delimiter=separator,
                ignore_empty_lines=False,
                newlines_in_values=True,
                invalid_row_handler=note_unequal,
            ),
            convert_options=pa.csv.ConvertOptions(
                column_types=None if infer_types else dict.fromkeys(names, pa.string()),
                include_columns=chosen or names[:1],
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except (pa.ArrowException, UnicodeDecodeError) as error:
        if isinstance(error, pa.ArrowMemoryError):
            raise
        if infer_types:  # a column that is a number at first and text later
            return _read_csv(path, wanted, infer_types=False)
        reason = "not a table in UTF-8, or a quote is never closed; save it as csv with the encoding UTF-8"
        raise UnreadableFile(path.name, reason) from None
    if unequal:
        more = f"; neither have {len(unequal) - 1} other lines" if len(unequal) > 1 else ""
        raise UnreadableFile(path.name, f"line {unequal[0]} does not have the {len(names)} fields of the header{more}")
    if table.num_rows * len(chosen) > (MOST_SAMPLES if infer_types else MOST_CELLS):
        raise UnreadableFile(path.name, f"it has more than {MOST_CELLS:,} cells to read")
    return DeliveredTable(names, _without_blank_end(to_pandas(table), path, separator))


def _read_header(path: Path) -> tuple[str, list[str]]:
    """The separator and the column names in the first line, however lines end."""
    with path.open("rb") as file:
        start = file.read(LONGEST_HEADER).removeprefix(BYTE_ORDER_MARK)
    line = re.split(rb"[\r\n]", start, maxsplit=1)[0]
    if len(line) >= LONGEST_HEADER - len(BYTE_ORDER_MARK):
        raise UnreadableFile(path.name, f"its first line is longer than {LONGEST_HEADER >> 20} MB")
    try:
        text = line.decode("utf-8")
        separator = max(SEPARATORS, key=text.count)
        # A name in quotes may go over several lines, so the header may be longer than its first line.
        header = start.decode("utf-8", errors="ignore")
        names = next(csv.reader(io.StringIO(header, newline=""), delimiter=separator), [])
    except UnicodeDecodeError:
        raise UnreadableFile(path.name, "not in UTF-8; save it as csv with the encoding UTF-8") from None
    except csv.Error:
        raise UnreadableFile(path.name, "the first line does not name columns") from None
    if not text.strip():
        raise UnreadableFile(path.name, "the first line is blank; it must name the columns")
    return separator, names


def _without_blank_end(table: pd.DataFrame, path: Path, separator: str) -> pd.DataFrame:
    filled = np.flatnonzero(table.notna().any(axis=1).to_numpy())
    blank = len(table) - (int(filled[-1]) + 1 if len(filled) else 0)
    # A last row may have a value in a column that was not read: then it is a row, and no blank line.
    return table.iloc[: len(table) - min(blank, _blank_lines_at_end(path, separator))] if blank else table


def _blank_lines_at_end(path: Path, separator: str) -> int:
    """How many lines at the end of a csv hold nothing but separators, quotes and white space."""
    blank, end = f'{separator}" \t\r\n'.encode(), b""
    with path.open("rb") as file:
        place = file.seek(0, os.SEEK_END)
        while place > 0:
            size = min(1 << 20, place)
            place = file.seek(place - size)
            end = file.read(size) + end
            if end[:size].strip(blank):
                break
    return max(0, len(end[len(end.rstrip(blank)) :].splitlines()) - 1)
