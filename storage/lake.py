"""The lake: 5-second epochs as Parquet, ``lake/epochs/batch=<batch>/<shard>.parquet``.

Belongs here: writing shards beside their place and moving them in, reading a batch's shards through a view, turning
delivered epochs into shards. Does not belong here: classification (``study/accelerometry``).

A shard holds ``person`` (text), ``epoch_start`` (device-local timestamp), ``activity``, ``speed`` and ``confidence``
(small integers, see ``study/accelerometry/activity.py``), sorted by person and time. A shard's name is the
fingerprint of everything that decides its content, so that one that is already there need not be made again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from study.accelerometry.activity import ACTIVITIES, SPEEDS

if TYPE_CHECKING:
    import pandas as pd

_EMPTY = """
select
    null::varchar as person, null::timestamp as epoch_start, null::utinyint as activity,
    null::utinyint as speed, null::utinyint as confidence
where false
"""


@dataclass(frozen=True)
class EpochLake:
    """The epochs of one batch."""

    root: Path
    batch: str

    @property
    def folder(self) -> Path:
        return self.root / "epochs" / f"batch={self.batch}"

    @property
    def staging(self) -> Path:
        return self.root / "staging" / f"batch={self.batch}"

    def shard(self, name: str) -> Path | None:
        """A shard that is already in place or staged, if there is one."""
        for folder in (self.staging, self.folder):
            if (folder / f"{name}.parquet").exists():
                return folder / f"{name}.parquet"
        return None

    def write(self, name: str, epochs: pd.DataFrame) -> Path:
        """Stage a shard from a frame with the shard's columns, sorted by person and time."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.staging.mkdir(parents=True, exist_ok=True)
        schema = pa.schema(
            [
                ("person", pa.string()),
                ("epoch_start", pa.timestamp("ms")),
                ("activity", pa.uint8()),
                ("speed", pa.uint8()),
                ("confidence", pa.uint8()),
            ]
        )
        table = pa.Table.from_pandas(epochs, schema=schema, preserve_index=False)
        return self._settle(name, lambda target: pq.write_table(table, target, compression="zstd"))

    def write_select(self, name: str, connection: duckdb.DuckDBPyConnection, query: str) -> Path:
        """Stage a shard from a SELECT with the shard's columns."""
        self.staging.mkdir(parents=True, exist_ok=True)

        def copy(target: Path) -> None:
            relation = connection.sql(query)
            relation.write_parquet(str(target), compression="zstd")

        return self._settle(name, copy)

    def publish(self, names: Iterable[str]) -> None:
        """Move staged shards into place and remove those that no longer belong to the batch."""
        wanted = {f"{name}.parquet" for name in names}
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(self.staging.glob("*.parquet")):
            if file.name in wanted:
                file.replace(self.folder / file.name)
        for file in self.folder.glob("*"):
            if file.name not in wanted:
                file.unlink()
        shutil.rmtree(self.staging, ignore_errors=True)

    def _settle(self, name: str, write: Callable[[Path], None]) -> Path:
        target = self.staging / f"{name}.parquet"
        unfinished = target.with_suffix(f".{os.getpid()}.tmp")
        write(unfinished)
        unfinished.replace(target)
        return target


def create_epochs_view(connection: duckdb.DuckDBPyConnection, shards: Sequence[Path], view: str = "epochs") -> None:
    """A temporary view of shards with activity and speed in words; with no shard it has no rows."""
    if shards:
        files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in sorted(shards))
        source = f"select * from read_parquet([{files}], hive_partitioning = false)"
    else:
        source = _EMPTY
    activities = ", ".join(f"'{name}'" for name in ACTIVITIES)
    speeds = ", ".join(f"'{name}'" for name in list(SPEEDS)[1:])
    connection.execute(
        f"""
        create or replace temp view "{view}" as
        select
            person,
            epoch_start,
            list_extract([{activities}], activity + 1) as activity,
            list_extract([{speeds}], speed) as speed,
            confidence
        from ({source})
        """
    )
