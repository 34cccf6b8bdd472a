"""Delivered epochs: one Parquet file of many people, read by DuckDB because it may hold more rows than memory.

Belongs here: the epochs file's contract in SQL, and its rows in the lake's form. Does not belong here: the other
formats (``storage/reading.py``, ``study/contract.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pandas as pd

from storage.reading import UnreadableFile
from study.accelerometry.activity import ACTIVITIES, SPEEDS
from study.codebook import Column, Layout

MESSAGES = {
    "blank": "the person is blank",
    "wrong_type": "the start of the epoch is not a timestamp such as 2018-03-01 08:00:05",
    "unknown_code": "the code is not one of the codebook's",
    "duplicate": "the person has this epoch already",
}


@contextmanager
def delivered_epochs(file: Path, layout: Layout, select: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the table ``judged``: the file's epochs in the lake's form, with the rule each breaks.

    Args:
        file: a Parquet file.
        layout: the codebook's ``epochs``.
        select: the text of ``sql/delivered_epochs.sql``.

    Raises:
        UnreadableFile: not Parquet, truncated, or a required column is missing.
    """
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "1GB"})
    try:
        try:
            names = [
                row[0] for row in connection.execute("describe select * from read_parquet(?)", [str(file)]).fetchall()
            ]
        except duckdb.Error as error:
            raise UnreadableFile(
                file.name, "this is not a whole Parquet file (truncated, or of another format)"
            ) from error
        columns = {name: _delivered_name(column, name, names, file) for name, column in layout.columns.items()}
        spelled = ", ".join(
            f'"{source}"::varchar as "{name}"' if source else f'null::varchar as "{name}"'
            for name, source in columns.items()
        )
        path = str(file).replace("'", "''")
        connection.execute(
            f"create temp view delivered as select file_row_number + 2 as file_row, {spelled} "
            f"from read_parquet('{path}', file_row_number = true)"
        )
        _codes(connection, "activity", layout.columns["activity"], ACTIVITIES)
        _codes(connection, "speed", layout.columns["speed"], SPEEDS)
        connection.execute("set variable walking = ?", [ACTIVITIES["walking"]])
        connection.execute(f"create temp table judged as {select}")
        yield connection
    finally:
        connection.close()


def problems_of(connection: duckdb.DuckDBPyConnection, label: str) -> pd.DataFrame:
    """The rows in quarantine: file, row, column, rule, message."""
    broken = connection.execute(
        'select file_row as "row", rule_column as "column", rule from judged where rule is not null order by file_row'
    ).df()
    broken.insert(0, "file", label)
    broken["message"] = broken["rule"].map(MESSAGES)
    return broken


def _delivered_name(column: Column, name: str, delivered: list[str], file: Path) -> str | None:
    for source in column.source:
        if source in delivered:
            return source
    if column.required:
        raise UnreadableFile(file.name, f"the column {' or '.join(column.source)} ({name}) is missing")
    return None


def _codes(connection: duckdb.DuckDBPyConnection, name: str, column: Column, numbers: dict[str, int]) -> None:
    connection.execute(f"create temp table {name}_codes (code varchar, {name} utinyint)")
    for code, level in (column.codes or {}).items():
        connection.execute(f"insert into {name}_codes values (?, ?)", [code, numbers[level]])
