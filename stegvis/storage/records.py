"""Materialization records: what each partition of each table was made from.

A record is written in the transaction that publishes the rows, so the warehouse is its own memory: one that is deleted,
restored from a backup or swapped for another is planned rightly. Dagster's event log mirrors the records for its UI.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from stegvis.provenance.fingerprint import fingerprint

TABLES = """
create table if not exists materializations (
    table_name varchar, partition varchar, data_version varchar, method json, data json, reads json, files json,
    run_id varchar, made_at double, row_count bigint, primary key (table_name, partition)
);
create table if not exists refused (
    table_name varchar, partition varchar, method json, data json, reads json, primary key (table_name, partition)
);
"""
Place = tuple[str, str]  # table and partition, '' for the whole


@dataclass(frozen=True)
class MadeFrom:
    """What decides a partition's rows, as named short texts.

    Attributes:
        method: code, SQL, data files, library versions.
        data: deliveries and upstream tables with their versions.
        reads: protocol and codebook values that were read.
    """

    method: Mapping[str, str]
    data: Mapping[str, str]
    reads: Mapping[str, str]

    @property
    def parts(self) -> dict[str, str]:
        return {**self.method, **self.data, **self.reads}

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.parts)


@dataclass(frozen=True)
class Materialization:
    """The last publication of a partition.

    Attributes:
        files: files of the lake that belong to it: by path relative to the home, ``bytes``, ``sha256`` and time of
            change ``modified`` (nanoseconds).
        made_at: seconds since 1970.
    """

    table: str
    partition: str
    data_version: str
    made_from: MadeFrom
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    run_id: str = ""
    made_at: float = 0.0
    rows: int = 0


def materializations(connection: duckdb.DuckDBPyConnection) -> dict[Place, Materialization]:
    """The records of tables that are in the warehouse: one whose table was dropped counts for nothing."""
    rows = connection.execute(
        "select m.* from materializations as m "
        "where table_name in (select table_name from duckdb_tables()) order by table_name, partition"
    ).fetchall()
    return {
        (table, key): Materialization(
            table, key, version, _made_from(method, data, reads), json.loads(files), run_id, made_at, count
        )
        for table, key, version, method, data, reads, files, run_id, made_at, count in rows
    }


def refusals(connection: duckdb.DuckDBPyConnection) -> dict[Place, MadeFrom]:
    """What the last attempt was made from, of partitions that broke a critical expectation in it."""
    rows = connection.execute("select * from refused").fetchall()
    return {(table, key): _made_from(*parts) for table, key, *parts in rows}


def record(connection: duckdb.DuckDBPyConnection, made: Materialization) -> None:
    """Write a record in place of the partition's former one. Call inside the transaction that publishes."""
    parts = made.made_from
    connection.execute("delete from refused where table_name = ? and partition = ?", [made.table, made.partition])
    connection.execute(
        "insert or replace into materializations values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            made.table, made.partition, made.data_version, *_as_json(parts), json.dumps(made.files), made.run_id,
            made.made_at or time.time(), made.rows,
        ],
    )  # fmt: skip


def refuse(connection: duckdb.DuckDBPyConnection, table: str, partition: str, made_from: MadeFrom) -> None:
    """Record an attempt that was not published. Call inside a transaction."""
    connection.execute(
        "insert or replace into refused values (?, ?, ?, ?, ?)", [table, partition, *_as_json(made_from)]
    )


def lake_files(root: Path, files: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """The facts of files of the lake, to be recorded with the partition they belong to."""
    return {
        file.relative_to(root).as_posix(): {
            "bytes": file.stat().st_size,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "modified": file.stat().st_mtime_ns,
        }
        for file in sorted(files)
    }


def damaged(root: Path, files: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The recorded files that are gone or have other content, as phrases; only one that was touched is read."""
    found = []
    for name, facts in files.items():
        file = root / name
        try:
            state = file.stat()
        except OSError:
            found.append(f"{name} is gone")
            continue
        same = state.st_size == facts["bytes"]
        if same and state.st_mtime_ns != facts["modified"]:
            same = hashlib.sha256(file.read_bytes()).hexdigest() == facts["sha256"]
        if not same:
            found.append(f"{name} is damaged")
    return found


def _made_from(method: str, data: str, reads: str) -> MadeFrom:
    return MadeFrom(json.loads(method), json.loads(data), json.loads(reads))


def _as_json(parts: MadeFrom) -> list[str]:
    return [json.dumps(dict(each)) for each in (parts.method, parts.data, parts.reads)]
