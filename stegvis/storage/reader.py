"""Reading the warehouse on behalf of one table: only what it declares, with its variables set.

A query that reads a table which is not among the declared ones is refused, so the graph cannot be wrong about what a
table is made from. A protocol value that a query reads with ``getvariable`` is read through the study, which records
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegvis.provenance.sql import variables_read
from stegvis.storage.lake import create_views
from stegvis.storage.profiles import read_profiles
from stegvis.storage.records import damaged_files, read_records
from stegvis.storage.selects import tables_read
from stegvis.storage.warehouse import Partition, Warehouse
from stegvis.storage.withdrawal_list import WithdrawalList, read_list
from stegvis.storage.withdrawn_rows import leave_out
from stegvis.study.study import Study

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from stegvis.plausibility.measures import Profile


class UndeclaredTableError(RuntimeError):
    """A query reads a table that its asset does not declare among its dependencies."""


@dataclass
class Reader:
    """The warehouse as one table may read it.

    Attributes:
        warehouse: the home's warehouse.
        table: who reads, for whoever waits for the lock.
        declared: tables it may read.
        partition: the wave or batch that is made; its key is the variable ``wave`` or ``batch``.
        study: where protocol values come from.
        delivery: the kind of delivery the table is read from.
    """

    warehouse: Warehouse
    table: str
    declared: frozenset[str]
    partition: Partition
    study: Study
    delivery: str | None = None
    _open: duckdb.DuckDBPyConnection | None = field(default=None, repr=False)

    @contextmanager
    def session(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The open warehouse; a session inside a session is the same one."""
        if self._open is not None:
            yield self._open
            return
        with self.warehouse.session(f"{self.table} {self.partition.label}".strip()) as connection:
            if self.partition.column:
                connection.execute(f'set variable "{self.partition.column}" = ?', [self.partition.key])
            self._open = connection
            try:
                yield connection
            finally:
                self._open = None

    def frame(self, query: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> pd.DataFrame:
        """The rows of a query.

        Raises:
            UndeclaredTableError: it reads a table that is not declared.
        """
        with self.session() as connection:
            self.prepare(query, connection)
            return connection.execute(query, parameters or []).df()

    def frames(self, *queries: str) -> list[pd.DataFrame]:
        """The rows of each query, all of the same moment."""
        with self.session():
            return [self.frame(query) for query in queries]

    def prepare(self, query: str, connection: duckdb.DuckDBPyConnection, shards: Sequence[Path] | None = None) -> None:
        """Check which tables a query reads, and set the protocol variables it reads.

        Args:
            query: a SELECT.
            connection: the open warehouse.
            shards: files of the lake that it reads as the views ``bouts`` and ``epochs``; None if it reads none.

        Raises:
            UndeclaredTableError: it reads a table that is not declared.
        """
        views = frozenset[str]()
        if shards is not None:
            create_views(connection, shards, self.study.protocol.epochs.seconds)
            views = frozenset({"bouts", "epochs"})
        if undeclared := tables_read(query, connection) - self.declared - views:
            raise UndeclaredTableError(f"{self.table} reads {', '.join(sorted(undeclared))} without declaring it")
        for name in variables_read(query):
            if name != self.partition.column:
                connection.execute(f'set variable "{name}" = ?', [self.study.protocol.value(name)])

    def over_epochs(self, query: str, shards: Sequence[Path]) -> pd.DataFrame:
        """The rows of a query that reads shards of epochs as the views ``bouts`` and ``epochs``."""
        with self.session() as connection:
            self.prepare(query, connection, shards)
            return connection.execute(query).df()

    def other_profiles(self) -> list[Profile]:
        """The profiles of the table's other published waves or batches."""
        with self.session() as connection:
            return read_profiles(connection, self.table, self.partition.label)

    def remove_damaged_files(self, table: str) -> None:
        """Remove lake files of the partition that are not what a table published, so that they are made again."""
        root = self.warehouse.home.root
        with self.session() as connection:
            for made in read_records(connection):
                if (made.table, made.partition) == (table, self.partition.label):
                    for name in damaged_files(root, made.files):
                        (root / name).unlink(missing_ok=True)

    def withdrawn(self) -> WithdrawalList:
        """The people whose consent is withdrawn: ``person in warehouse.withdrawn()``."""
        return read_list(self.warehouse.home.root)

    def without_withdrawn(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Delivered rows (person, delivery, delivered_file) without those of people whose consent is withdrawn."""
        return leave_out(self.withdrawn(), self.table, self.partition.label, self.delivery or "", rows)
