"""What a stage sees while it is made.

Belongs here: the handle given to a recipe's ``make``. Does not belong here: judging and publishing (``publish.py``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from stegvis.assets.building.recipe import Recipe, sql_text
from stegvis.assets.building.records import drops_of
from stegvis.storage.home import Home
from stegvis.storage.landing import Drop, Landing
from stegvis.storage.records import damaged_files, read_records
from stegvis.storage.warehouse import Partition, Warehouse
from stegvis.storage.withdrawal_list import WithdrawalList, read_list
from stegvis.storage.withdrawn_rows import leave_out
from stegvis.study.protocol import Protocol

if TYPE_CHECKING:
    import pandas as pd


# What long work says of itself while it goes on; ``orchestration/refresh.py`` shows it on the terminal.
PROGRESS = logging.getLogger("stegvis.progress")


@dataclass(frozen=True)
class Build:
    """One making of one partition of one stage."""

    recipe: Recipe
    partition: Partition
    protocol: Protocol
    home: Home
    landing: Landing
    log: logging.Logger
    # What is published and from what: ``history.py``.
    history: Callable[[], list[dict[str, Any]]] = list

    @property
    def key(self) -> str:
        return self.partition.label

    @property
    def drops(self) -> list[Drop]:
        """This partition's accepted deliveries, in the order they apply."""
        return drops_of(self.landing, self.recipe.delivery or "", self.recipe.partition, self.key)

    def tell(self, line: str) -> None:
        """Say how far the work is: in the run's log, and to whoever runs it."""
        self.log.info(line)
        PROGRESS.info(line)

    def variables(self) -> dict[str, Any]:
        """The values its SQL may read with ``getvariable``: the partition's key and the protocol values it names."""
        values = {name: self.protocol.value(name) for name in self.recipe.protocol_names()}
        if self.partition.column:
            values[self.partition.column] = self.partition.key
        return values

    @contextmanager
    def session(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The warehouse, with this build's variables set, held until the block ends."""
        with Warehouse(self.home).session(f"{self.recipe.name} {self.key}".strip(), self.variables()) as connection:
            yield connection

    def read(self, query: str, parameters: list[Any] | None = None) -> pd.DataFrame:
        """The rows of a query over the warehouse."""
        with self.session() as connection:
            return connection.execute(query, parameters or []).df()

    def read_each(self, *queries: str) -> list[pd.DataFrame]:
        """The rows of each query, of one moment."""
        with self.session() as connection:
            return [connection.execute(query).df() for query in queries]

    def withdrawn(self) -> WithdrawalList:
        """People whose consent is withdrawn: ``person in build.withdrawn()``."""
        return read_list(self.home.root)

    def without_withdrawn(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Delivered rows (person, delivery, delivered_file) without those of people whose consent is withdrawn."""
        return leave_out(self.withdrawn(), self.recipe.name, self.key, self.recipe.delivery or "", rows)

    def remove_damaged_files(self, table: str) -> None:
        """Remove lake files of this partition that are not what a table published, so that they are made again."""
        with self.session() as connection:
            for made in read_records(connection):
                if (made.table, made.partition) == (table, self.key):
                    for name in damaged_files(self.home.root, made.files):
                        (self.home.root / name).unlink(missing_ok=True)

    def sql(self, name: str | None = None) -> str:
        """The text of this stage's SELECT."""
        return sql_text(name or self.recipe.name)
