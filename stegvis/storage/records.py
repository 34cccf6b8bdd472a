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
from pathlib import Path
from typing import Any

import duckdb

TABLES = """
create table if not exists materializations (
    table_name varchar, partition varchar, data_version varchar, fingerprint varchar, made_from json, files json,
    run_id varchar, made_at double, row_count bigint, primary key (table_name, partition)
);
alter table materializations add column if not exists tables json;
"""


@dataclass(frozen=True)
class Materialization:
    """The last publication of a partition of a table.

    Attributes:
        table: its name.
        partition: the key; empty for the whole table.
        data_version: digest of the published rows and their check results.
        fingerprint: digest of ``made_from``.
        made_from: everything that decided the rows, as short texts by name.
        files: files of the lake that belong to it, by path relative to the home: ``bytes``, ``sha256`` and time of
            change ``modified`` (nanoseconds since 1970).
        run_id: the Dagster run.
        made_at: seconds since 1970.
        rows: number of rows.
        tables: further tables published with it.
    """

    table: str
    partition: str
    data_version: str
    fingerprint: str
    made_from: Mapping[str, str]
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    run_id: str = ""
    made_at: float = 0.0
    rows: int = 0
    tables: tuple[str, ...] = ()


def write_record(connection: duckdb.DuckDBPyConnection, made: Materialization) -> None:
    """Replace the record of a partition. Call inside the transaction that publishes its rows."""
    connection.execute(
        "insert or replace into materializations values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            made.table, made.partition, made.data_version, made.fingerprint, json.dumps(dict(made.made_from)),
            json.dumps(dict(made.files)), made.run_id, made.made_at, made.rows,
            json.dumps(list(made.tables)),
        ],
    )  # fmt: skip


def read_records(connection: duckdb.DuckDBPyConnection) -> list[Materialization]:
    """Every record whose rows are in the warehouse, by table and partition; see ``lost_rows`` for the others."""
    lost = lost_rows(connection)
    return [made for made in _all_records(connection) if (made.table, made.partition) not in lost]


def lost_rows(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    """The (table, partition) whose rows are not as they were published, and why; somebody changed the file by hand."""
    records = _all_records(connection)
    there = {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}
    expected: dict[str, int] = {}
    for made in records:
        expected[made.table] = expected.get(made.table, 0) + made.rows
    counts = {table: _row_count(connection, table) for table in expected if table in there}
    found: dict[tuple[str, str], str] = {}
    for made in records:
        gone = [table for table in (made.table, *made.tables) if table not in there]
        if gone:
            found[made.table, made.partition] = f"the table {', '.join(gone)} is gone from the warehouse"
        elif counts[made.table] != expected[made.table]:
            rows = f"{counts[made.table]:,} rows instead of {expected[made.table]:,}"
            found[made.table, made.partition] = f"the table {made.table} has {rows} in the warehouse"
    return found


def _row_count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    ((count,),) = connection.execute(f'select count(*) from "{table}"').fetchall()
    return int(count)


def _all_records(connection: duckdb.DuckDBPyConnection) -> list[Materialization]:
    rows = connection.execute(
        """
        select
            table_name, partition, data_version, fingerprint, made_from, files, run_id, made_at, row_count,
            coalesce(tables, '[]')
        from materializations
        order by table_name, partition
        """
    ).fetchall()
    return [
        Materialization(
            table, key, version, fingerprint, json.loads(made_from), json.loads(files), run_id, made_at, count,
            tuple(json.loads(tables)),
        )
        for table, key, version, fingerprint, made_from, files, run_id, made_at, count, tables in rows
    ]  # fmt: skip


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
