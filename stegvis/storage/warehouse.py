"""The DuckDB warehouse: short transactions by one writer at a time.

Belongs here: opening the file, staging rows, replacing a partition, the digest of a table's content, the quarantine
and check results. Does not belong here: what a table means (``sql/``), Dagster.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stegvis.storage import records
from stegvis.storage.erasure import erase, is_applied, rewrite
from stegvis.storage.home import Home
from stegvis.storage.home_format import check_format
from stegvis.storage.lock import locked
from stegvis.storage.withdrawal_list import read_list

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

STAGED = "staged"
# How long a program that reads the warehouse is waited for.
WAIT_FOR_READER_SECONDS = 60.0
_POLL_SECONDS = 0.2
# What DuckDB says of a file that another program has open, and of one by another version.
HELD = "set lock on file"
OTHER_VERSION = "storage version number"

# Tables every home has, besides those of the assets.
_SYSTEM_TABLES = """
create table if not exists quarantine (
    asset varchar, partition varchar, file varchar, row bigint, column_name varchar, rule varchar, message varchar
);
create table if not exists checks (
    asset varchar, partition varchar, rule varchar, column_name varchar, meaning varchar, severity varchar,
    passed boolean, failing bigint, total bigint, published boolean, checked_at timestamp
);
create table if not exists profiles (
    asset varchar, partition varchar, item varchar, mean double, people bigint, spread double, lowest double,
    highest double
);
"""


@dataclass(frozen=True)
class Partition:
    """Which rows of a table are replaced together: all of them, or those of one wave or batch."""

    column: str | None = None
    key: str | None = None

    @property
    def label(self) -> str:
        return self.key or ""


WHOLE = Partition()


@dataclass(frozen=True)
class Content:
    """What a staged table holds."""

    rows: int
    digest: str
    columns: dict[str, str]


class Warehouse:
    """The warehouse of one home."""

    def __init__(self, home: Home, memory_limit: str = "1GB", threads: int = 2) -> None:
        self.home = home
        self.memory_limit = memory_limit
        self.threads = threads

    @contextmanager
    def session(self, purpose: str, variables: Mapping[str, Any] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """An open warehouse, held exclusively until the block ends; SQL variables are set before it begins.

        People on the home's list of withdrawals who are in it, because they are new on the list or the warehouse was
        restored from a copy, are erased before it begins.

        Raises:
            LockedError: another process held the warehouse too long.
            HomeKeyError: the list of withdrawals cannot be read.
            HomeFormatError: a newer Stegvis made the home.
        """
        check_format(self.home.root)
        with locked(self.home.warehouse_lock, purpose):
            withdrawn = read_list(self.home.root)
            connection = self._open()
            try:
                if not is_applied(connection, withdrawn):
                    connection.close()
                    erase(self.home, withdrawn, self._connect)
                    connection = self._open()
                for name, value in (variables or {}).items():
                    connection.execute(f'set variable "{name}" = ?', [value])
                yield connection
            finally:
                connection.close()

    @contextmanager
    def at_rest(self, purpose: str) -> Iterator[None]:
        """Everything written to the warehouse's file, and nobody in it, until the block ends.

        Raises:
            LockedError: another process held the warehouse too long.
        """
        check_format(self.home.root)
        with locked(self.home.warehouse_lock, purpose):
            if self.home.warehouse.exists():
                connection = self._open()
                connection.execute("checkpoint")
                connection.close()
            yield

    def rewrite(self, purpose: str) -> None:
        """Write the warehouse file anew, so that no byte of a deleted row is left in it.

        Raises:
            LockedError: another process held the warehouse too long.
        """
        with locked(self.home.warehouse_lock, purpose):
            if self.home.warehouse.exists():
                rewrite(self.home, self._connect, read_list(self.home.root))

    def _open(self) -> duckdb.DuckDBPyConnection:
        connection = self._connect(str(self.home.warehouse))
        connection.execute(_SYSTEM_TABLES + records.TABLES)
        return connection

    def _connect(self, file: str) -> duckdb.DuckDBPyConnection:
        """Open a database file; another program that has it open, to read it, is waited for."""
        import duckdb

        config: dict[str, Any] = {
            "memory_limit": self.memory_limit,
            "threads": self.threads,
            "temp_directory": str(self.home.root / "warehouse.tmp"),
            "preserve_insertion_order": "true",
        }
        until = time.monotonic() + WAIT_FOR_READER_SECONDS
        while True:
            try:
                return duckdb.connect(file, config=config)
            except duckdb.IOException as error:
                if HELD not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(_POLL_SECONDS)


def stage(connection: duckdb.DuckDBPyConnection, source: str | pd.DataFrame, name: str = STAGED) -> Content:
    """Put the rows of a SELECT or a frame into a temporary table that nobody else sees.

    Returns:
        What it holds. The digest is a sum of row hashes: it does not depend on the order of the rows.
    """
    if isinstance(source, str):
        connection.execute(f'create or replace temp table "{name}" as {source}')
    else:
        # A column of nothing but None has no type of its own; text is what the other partitions hold there.
        untyped = [name for name in source if source[name].dtype == object and source[name].isna().all()]
        connection.register("frame_to_stage", source.astype(dict.fromkeys(untyped, "string")))
        connection.execute(f'create or replace temp table "{name}" as select * from frame_to_stage')
        connection.unregister("frame_to_stage")
    return describe(connection, f'"{name}"')


def describe(connection: duckdb.DuckDBPyConnection, relation: str) -> Content:
    """Row count, column types and an order-free digest of a relation's content."""
    columns = {row[0]: row[1] for row in connection.execute(f"describe select * from {relation}").fetchall()}
    # The alias must not be the name of a column, or DuckDB hashes that column alone.
    rows, total = _one(
        connection, f"select count(*), coalesce(sum(hash(every_column)::hugeint), 0) from {relation} as every_column"
    )
    (names,) = _one(connection, "select hash(?)", [list(columns.items())])
    return Content(int(rows), f"{rows}-{int(total):x}-{int(names):x}", columns)


def replace_partition(
    connection: duckdb.DuckDBPyConnection, table: str, partition: Partition, name: str = STAGED
) -> None:
    """Replace a table's partition by the staged rows. Call inside a transaction.

    If the columns of the two differ, the stored table gets the staged ones; columns that the other partitions lack
    are missing there until those are rebuilt (their code changed with the columns, so they are stale).
    """
    stored = _columns(connection, table)
    staged = _columns(connection, name) or {}
    if partition.key is None or stored is None:
        connection.execute(f'create or replace table "{table}" as select * from "{name}"')
        return
    if stored != staged:
        shared = ", ".join(f'"{column}"' for column in staged if column in stored)
        connection.execute(f'create temp table others as select {shared} from "{table}"')
        connection.execute(f'create or replace table "{table}" as select * from "{name}" limit 0')
        connection.execute(f'insert into "{table}" by name select * from others')
        connection.execute("drop table others")
    connection.execute(f'delete from "{table}" where "{partition.column}" = ?', [partition.key])
    connection.execute(f'insert into "{table}" by name select * from "{name}"')


def replace_quarantine(
    connection: duckdb.DuckDBPyConnection, asset: str, partition: Partition, problems: pd.DataFrame
) -> None:
    """Replace what an asset's partition has in quarantine. ``problems`` has file, row, column, rule, message."""
    connection.execute("delete from quarantine where asset = ? and partition = ?", [asset, partition.label])
    if len(problems):
        connection.register("problems", problems)
        connection.execute(
            'insert into quarantine select ?, ?, file, "row", "column", rule, message from problems',
            [asset, partition.label],
        )
        connection.unregister("problems")


def replace_check_results(
    connection: duckdb.DuckDBPyConnection,
    asset: str,
    partition: Partition,
    results: Sequence[tuple[str, str, str, str, bool, int, int]],
    published: bool,
) -> None:
    """Replace the check results of a partition: expectation, column, meaning, severity, passed, failing, total."""
    connection.execute("delete from checks where asset = ? and partition = ?", [asset, partition.label])
    for result in results:
        connection.execute(
            "insert into checks by name select ? as asset, ? as partition, ? as rule, ? as column_name, ? as meaning, "
            "? as severity, ? as passed, ? as failing, ? as total, ? as published, now()::timestamp as checked_at",
            [asset, partition.label, *result, published],
        )


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of it or none of it."""
    connection.execute("begin")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def table_exists(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether the warehouse has a table, or a view, of this name."""
    import duckdb

    # Asking duckdb_tables() makes DuckDB build its whole system catalogue, in every session again; a query on a name
    # that is not there would abort the transaction.
    try:
        connection.table(f'"{table}"')
    except duckdb.CatalogException:
        return False
    return True


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str] | None:
    if not table_exists(connection, table):
        return None
    return {row[0]: row[1] for row in connection.execute(f'describe "{table}"').fetchall()}


def _one(connection: duckdb.DuckDBPyConnection, query: str, parameters: list[Any] | None = None) -> tuple[Any, ...]:
    # fetchall, not fetchone: an unfinished result keeps its connection busy.
    (row,) = connection.execute(query, parameters or []).fetchall()
    return tuple(row)
