"""Materialization records: what each partition of each table was made from.

A record is written in the transaction that publishes the rows, so the warehouse is its own memory: one that is deleted,
restored from a backup or exchanged for another is planned correctly. Dagster's event log shows the same facts in its
UI; losing it loses history, never truth.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb


TABLES = """
create table if not exists materializations (
    table_name varchar, partition varchar, data_version varchar, made_from json, files json, run_id varchar,
    made_at double, row_count bigint, primary key (table_name, partition)
);
create table if not exists refused (
    table_name varchar, partition varchar, made_from json, primary key (table_name, partition)
);
"""


@dataclass(frozen=True)
class Materialization:
    """The last publication of a partition of a table.

    Attributes:
        table: its name.
        partition: the key; empty for the whole table.
        data_version: digest of the published rows and their check results.
        made_from: everything that decided the rows, as short texts by name.
        files: files of the lake that belong to it, by path relative to the home: ``bytes``, ``sha256`` and time of
            change ``modified`` (nanoseconds since 1970).
        run_id: the Dagster run.
        made_at: seconds since 1970.
        rows: number of rows.
    """

    table: str
    partition: str
    data_version: str
    made_from: Mapping[str, str]
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    run_id: str = ""
    made_at: float = 0.0
    rows: int = 0


def write_record(connection: duckdb.DuckDBPyConnection, made: Materialization) -> None:
    """Replace the record of a partition. Call inside the transaction that publishes its rows."""
    connection.execute("delete from refused where table_name = ? and partition = ?", [made.table, made.partition])
    connection.execute(
        """
        insert or replace into materializations
            (table_name, partition, data_version, made_from, files, run_id, made_at, row_count)
        values (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [
            made.table, made.partition, made.data_version, json.dumps(dict(made.made_from)),
            json.dumps(dict(made.files)), made.run_id, made.made_at, made.rows,
        ],
    )  # fmt: skip


def read_records(connection: duckdb.DuckDBPyConnection) -> list[Materialization]:
    """Every record whose rows are in the warehouse, by table and partition."""
    return read_records_and_lost(connection)[0]


def read_records_and_lost(connection: duckdb.DuckDBPyConnection) -> tuple[list[Materialization], dict[str, str]]:
    """Every record whose rows are in the warehouse, by table and partition, and the tables whose rows are not.

    Returns:
        The records; and, by table, why its rows are not those that were published: somebody changed the warehouse by
        hand.
    """
    records = _all_records(connection)
    lost = _lost_tables(connection, records)
    return [made for made in records if made.table not in lost], lost


def _lost_tables(connection: duckdb.DuckDBPyConnection, records: Iterable[Materialization]) -> dict[str, str]:
    import duckdb

    expected: dict[str, int] = {}
    for made in records:
        expected[made.table] = expected.get(made.table, 0) + made.rows
    there = set(expected)
    try:
        with_rows = _with_rows(connection, there)
    except duckdb.CatalogException:
        there &= {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}
        with_rows = _with_rows(connection, there)
    found: dict[str, str] = {}
    for table, rows in expected.items():
        if table not in there:
            found[table] = f"the table {table} is gone from the warehouse"
        # Fewer rows are no fault by themselves: people who withdrew are erased from published rows.
        elif rows and table not in with_rows:
            found[table] = f"the table {table} is empty in the warehouse instead of having {rows:,} rows"
    return found


def _with_rows(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> set[str]:
    """Those of the tables that have at least one row, by one query; it fails if one of them does not exist."""
    asked = [f"(select '{table}' from \"{table}\" limit 1)" for table in sorted(tables)]
    return {row[0] for row in connection.execute(" union all ".join(asked)).fetchall()} if asked else set()


def _all_records(connection: duckdb.DuckDBPyConnection) -> list[Materialization]:
    rows = connection.execute(
        """
        select table_name, partition, data_version, made_from, files, run_id, made_at, row_count
        from materializations order by table_name, partition
        """
    ).fetchall()
    return [
        Materialization(table, key, version, _parsed(made_from), _parsed(files), run_id, made_at, count)
        for table, key, version, made_from, files, run_id, made_at, count in rows
    ]


@lru_cache(maxsize=20_000)
def _parsed(text: str) -> Mapping[str, Any]:
    """An object of JSON. After each stage all records are read again, and all but one have the same text."""
    found: Mapping[str, Any] = json.loads(text)
    return found


def write_refused(
    connection: duckdb.DuckDBPyConnection, table: str, partition: str, made_from: Mapping[str, str]
) -> None:
    """Record what an attempt was made from that broke a critical expectation. Call inside a transaction."""
    connection.execute(
        "insert or replace into refused values (?, ?, ?)", [table, partition, json.dumps(dict(made_from))]
    )


def read_refused(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], dict[str, str]]:
    """What the last attempt was made from, by table and partition, where it broke a critical expectation."""
    rows = connection.execute("select table_name, partition, made_from from refused").fetchall()
    return {(table, key): json.loads(made_from) for table, key, made_from in rows}


def read_origins(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """By wave, what the numbers that may be published were made from: hashes of deliveries and method."""
    import duckdb

    try:
        rows = connection.execute("select wave, deliveries, method from published_origins").fetchall()
    except duckdb.CatalogException:  # no wave has been published yet
        return {}
    return {wave: {"deliveries": deliveries, "method": method} for wave, deliveries, method in rows}


def describe_files(root: Path, files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """The facts of files of the lake that are recorded with the partition they belong to."""
    return {
        file.relative_to(root).as_posix(): {
            "bytes": file.stat().st_size,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "modified": file.stat().st_mtime_ns,
        }
        for file in sorted(files)
    }


def damaged_files(root: Path, files: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The recorded files that are gone or have other content; only a file that was touched since is read."""
    return [name for name, facts in files.items() if not _is_intact(root / name, facts)]


def _is_intact(file: Path, facts: Mapping[str, Any]) -> bool:
    try:
        state = file.stat()
    except OSError:
        return False
    if state.st_size != facts["bytes"]:
        return False
    return state.st_mtime_ns == facts["modified"] or hashlib.sha256(file.read_bytes()).hexdigest() == facts["sha256"]
