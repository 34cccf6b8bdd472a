"""The lake: 5-second epochs as Parquet, ``lake/epochs/batch=<batch>/<shard>.parquet``.

Shards are first written to a staging folder and then moved into place together; a view reads the shards of a batch.

A shard has these columns, sorted by person and time:

``person``                       text
``epoch_start``                  device-local timestamp, milliseconds
``activity``, ``speed``          small integers, see ``stegvis/accelerometry/activity.py``
``confidence``                   probability of the activity, times 255
``wear_back``, ``wear_thigh``    whether the sensor was worn; null where unknown
``cadence``                      steps per minute; 0 where not walking or unknown
``centimeters_per_second``       walking speed, at most 255; 0 where not walking or unknown

The name of a shard is the fingerprint of everything that decides its content, so an existing shard is never recomputed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stegvis.study.literals import literal

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

_UNKNOWN = (
    "null::boolean as wear_back, null::boolean as wear_thigh, "
    "0::utinyint as cadence, 0::utinyint as centimeters_per_second"
)
_EMPTY = f"""
select
    null::varchar as person, null::timestamp_ms as epoch_start, null::utinyint as activity,
    null::utinyint as speed, null::utinyint as confidence, {_UNKNOWN}
where false
"""

# Epochs are evenly spaced: stored as differences, their times take almost no space; otherwise eight bytes per row.
_CLOCK = {"epoch_start": "DELTA_BINARY_PACKED"}
_FEW_VALUES = ["person", "activity", "speed", "confidence", "cadence", "centimeters_per_second"]


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
        """The file of a shard that is staged or in place, if there is one."""
        for folder in (self.staging, self.folder):
            if (folder / f"{name}.parquet").exists():
                return folder / f"{name}.parquet"
        return None

    def write(self, name: str, epochs: pd.DataFrame) -> Path:
        """Stage a shard from a frame with the shard's columns, sorted by person and time."""
        import pyarrow as pa

        given = pa.schema([field for field in _schema() if field.name in epochs])
        return self.write_tables(name, [pa.Table.from_pandas(epochs, schema=given, preserve_index=False)])

    def write_tables(self, name: str, tables: Iterable[pa.Table]) -> Path:
        """Stage a shard from Arrow tables with the shard's columns, in the order of person and time.

        Each table becomes one row group; only one is in memory at a time. ``person`` may be dictionary-encoded. The
        columns of wear and pace may be missing.
        """
        import pyarrow.parquet as pq

        def write(target: Path) -> None:
            options = {"compression": "zstd", "use_dictionary": _FEW_VALUES, "column_encoding": _CLOCK}
            writer: pq.ParquetWriter | None = None
            try:
                for table in map(_with_all_columns, tables):
                    writer = writer or pq.ParquetWriter(target, table.schema, store_schema=False, **options)
                    writer.write_table(table, row_group_size=max(table.num_rows, 1))
                writer = writer or pq.ParquetWriter(target, _schema(), store_schema=False, **options)
            finally:
                if writer:
                    writer.close()

        return self._settle(name, write)

    def write_select(self, name: str, connection: duckdb.DuckDBPyConnection, query: str) -> Path:
        """Stage a shard from a SELECT with the shard's columns up to ``confidence``; wear and pace are unknown.

        Without ORDER BY the rows keep their order.
        """

        def copy(target: Path) -> None:
            # Version 2 of the format stores times as differences.
            connection.execute("set preserve_insertion_order = true")
            connection.execute(
                f"copy (select *, {_UNKNOWN} from ({query})) to {literal(str(target))} "
                "(format parquet, parquet_version v2, compression zstd, row_group_size 1000000)"
            )

        return self._settle(name, copy)

    def publish(self, names: Iterable[str]) -> None:
        """Move staged shards into place and remove those that no longer belong to the batch."""
        wanted = {f"{name}.parquet" for name in names}
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(self.staging.glob("*")):
            if file.name in wanted:
                file.replace(self.folder / file.name)
        for file in self.folder.glob("*"):
            if file.name not in wanted:
                file.unlink()
        shutil.rmtree(self.staging, ignore_errors=True)

    def _settle(self, name: str, write: Callable[[Path], None]) -> Path:
        self.staging.mkdir(parents=True, exist_ok=True)
        target = self.staging / f"{name}.parquet"
        unfinished = target.with_suffix(f".{os.getpid()}.tmp")
        write(unfinished)
        unfinished.replace(target)
        return target


def create_epochs_view(connection: duckdb.DuckDBPyConnection, shards: Sequence[Path], view: str = "epochs") -> None:
    """A temporary view of shards with activity and speed in words; without shards it is empty."""
    files = ", ".join(literal(str(path)) for path in sorted(shards))
    source = f"select * from read_parquet([{files}], hive_partitioning = false)" if shards else None
    epochs_in_words(connection, source, view)


def epochs_in_words(connection: duckdb.DuckDBPyConnection, source: str | None, view: str = "epochs") -> None:
    """A temporary view of a SELECT with a shard's columns, activity and speed in words; empty without a SELECT."""
    from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS

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
            confidence,
            wear_back,
            wear_thigh,
            nullif(cadence, 0) as cadence,
            nullif(centimeters_per_second, 0) as centimeters_per_second
        from ({source or _EMPTY})
        """
    )


def _with_all_columns(table: pa.Table) -> pa.Table:
    """The table with every column of a shard, in order; missing columns are unknown."""
    import pyarrow as pa

    for field in _schema():
        if field.name not in table.column_names:
            unknown = pa.scalar(None if pa.types.is_boolean(field.type) else 0, field.type)
            table = table.append_column(field, pa.repeat(unknown, table.num_rows))
    return table.select(_schema().names)


def _schema() -> pa.Schema:
    """A shard's columns."""
    import pyarrow as pa

    return pa.schema(
        [
            ("person", pa.string()),
            ("epoch_start", pa.timestamp("ms")),
            ("activity", pa.uint8()),
            ("speed", pa.uint8()),
            ("confidence", pa.uint8()),
            ("wear_back", pa.bool_()),
            ("wear_thigh", pa.bool_()),
            ("cadence", pa.uint8()),
            ("centimeters_per_second", pa.uint8()),
        ]
    )
