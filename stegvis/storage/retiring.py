"""Retiring a wave or a batch whose deliveries were taken away: its rows, records and files leave the home.

What was published of it stays published: releases are not changed.
"""

from __future__ import annotations

import shutil
from typing import Literal

import duckdb

from stegvis.storage.home import Home
from stegvis.storage.lake_copy import KINDS, LakeCopy
from stegvis.storage.landing import Landing
from stegvis.storage.warehouse import Warehouse, table_exists, transaction

PartitionKind = Literal["wave", "batch"]
BROUGHT_BY: dict[PartitionKind, str] = {"wave": "followup", "batch": "recordings"}
# What is recorded about partitions, and the column with the table's name.
_RECORDS = {
    "materializations": "table_name", "refused": "table_name", "quarantine": "asset", "checks": "asset",
    "profiles": "asset",
}  # fmt: skip


class RetireError(ValueError):
    """The partition cannot be retired; the message says why and what to do."""


def is_delivered(landing: Landing, kind: PartitionKind, key: str) -> bool:
    """Whether a delivery in use brings the wave or batch."""
    return any(drop.kind == BROUGHT_BY[kind] and drop.partition == key for drop in landing.accepted)


def retire_partition(home: Home, landing: Landing, kind: PartitionKind, key: str) -> int:
    """Remove a wave or batch from the warehouse and the lake. Call with the refresh's lock held.

    Args:
        home: the home.
        landing: its landing zone.
        kind: ``wave`` or ``batch``.
        key: its name.

    Returns:
        How many rows were removed.

    Raises:
        RetireError: a delivery still brings it.
    """
    if is_delivered(landing, kind, key):
        folder = BROUGHT_BY[kind]
        raise RetireError(f"{kind} {key} is still delivered: move its drops out of {folder}/ or replace them first")
    removed = 0
    if home.warehouse.exists():
        with Warehouse(home).session(f"retire {key}") as connection, transaction(connection):
            # A batch may have a wave's name: its records are found by the tables that have the column.
            of_kind = _tables_with(connection, kind)
            for table in of_kind:
                ((rows,),) = connection.execute(f'select count(*) from "{table}" where "{kind}" = ?', [key]).fetchall()
                removed += int(rows)
                connection.execute(f'delete from "{table}" where "{kind}" = ?', [key])
            for table, column in _RECORDS.items():
                if table_exists(connection, table):
                    mine = f'partition = ? and "{column}" in (select unnest(?))'
                    connection.execute(f'delete from "{table}" where {mine}', [key, of_kind])
    if kind == "batch":
        if copy := LakeCopy.of(home.root):
            for each in KINDS:
                copy.keep_only(each, key, [])
        for name in ("epochs", "recordings", "staging"):
            shutil.rmtree(home.lake / name / f"batch={key}", ignore_errors=True)
    return removed


def _tables_with(connection: duckdb.DuckDBPyConnection, column: str) -> list[str]:
    rows = connection.execute(
        "select table_name from duckdb_columns() join duckdb_tables() using (database_name, table_name) "
        "where not temporary and column_name = ? order by 1",
        [column],
    ).fetchall()
    return [table for (table,) in rows]
