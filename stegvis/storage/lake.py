"""The lake: 5-second epochs, stored as bouts in Parquet, ``lake/epochs/batch=<batch>/<shard>.bouts.parquet``.

Shards are first written to a staging folder and then moved into place together; a view reads the shards of a batch.
A shard has the columns of ``stegvis/storage/bouts.py``, sorted by person and time, and each person is in one shard.

The name of a shard is the fingerprint of everything that decides its content, so an existing shard is never recomputed.

Earlier versions stored a row for each epoch, in ``<shard>.parquet``. Such a file is read like the others, and is
replaced when its batch is published (``convert``). The files have different names, so at no moment is one of them half
of each, and a process that is killed leaves the old file, both, or the new one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegvis.study.literals import literal

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

    from stegvis.storage.lake_copy import LakeCopy

_SUFFIX, _FORMER = ".bouts.parquet", ".parquet"

# Moments that follow each other are stored as differences.
_CLOCK = {"start": "DELTA_BINARY_PACKED"}
_FEW_VALUES = [
    "person", "seconds", "activity", "speed", "epoch_seconds", "confidence.list.element", "cadence.list.element",
    "centimeters_per_second.list.element",
]  # fmt: skip
# Bouts of a row group, which is in memory at once: as many as DuckDB hands to one thread.
_ROW_GROUP = 122_880
# Epochs that are read at once.
_AT_ONCE = 500_000


@dataclass(frozen=True)
class EpochLake:
    """The epochs of one batch. ``copy``: of the lake in object storage, from which a missing shard is fetched."""

    root: Path
    batch: str
    copy: LakeCopy | None = None

    @property
    def folder(self) -> Path:
        return self.root / "epochs" / f"batch={self.batch}"

    @property
    def staging(self) -> Path:
        return self.root / "staging" / f"batch={self.batch}"

    def file(self, name: str) -> Path:
        """Where a shard is once it is published."""
        return self.folder / f"{name}{_SUFFIX}"

    def shard(self, name: str) -> Path | None:
        """The file of a shard that is staged or in place, if there is one; what only the copy has is staged first."""
        file = f"{name}{_SUFFIX}"
        found = self._find(file)
        if found is None and self.copy and self.copy.fetch("epochs", self.batch, self.staging / file):
            return self.staging / file
        return found

    def files(self) -> list[Path]:
        """The files in place, in either layout; of a shard that is there in both, the bouts."""
        shards: dict[str, Path] = {}
        for file in sorted(self.folder.glob(f"*{_FORMER}"), key=lambda file: file.name.endswith(_SUFFIX)):
            shards[shard_name(file)] = file
        return sorted(shards.values())

    def former_files(self) -> list[Path]:
        """The files in place that have a row for each epoch, and no bouts yet."""
        return [file for file in self.files() if not file.name.endswith(_SUFFIX)]

    def convert(self, name: str, epoch_seconds: int) -> Path | None:
        """Stage the bouts of a shard that was stored as rows of epochs, of this length; None if there is none.

        A file that cannot be read is as good as none. The old file stays until the batch is published.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        former = self._find(f"{name}{_FORMER}")
        if former is None:
            return None
        try:
            with pq.ParquetFile(former) as file:
                rows = (pa.Table.from_batches([batch]) for batch in file.iter_batches(_AT_ONCE))
                return self.write_tables(name, rows, epoch_seconds)
        except (pa.ArrowException, ValueError, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:  # the disk's fault, not the file's
                raise
            return None

    def write(self, name: str, epochs: pd.DataFrame, epoch_seconds: int) -> Path:
        """Stage a shard from a frame of epochs, sorted by person and time (columns as of ``bouts.bouts_of``)."""
        return self.write_tables(name, [_as_table(epochs)], epoch_seconds)

    def write_tables(self, name: str, epochs: Iterable[pa.Table], epoch_seconds: int) -> Path:
        """Stage a shard from Arrow tables of epochs, in the order of person and time (``bouts.bouts_of``)."""
        from stegvis.storage.bouts import bouts_of

        return self.write_bouts(name, bouts_of(epochs, epoch_seconds))

    def write_bouts(self, name: str, bouts: Iterable[pa.Table]) -> Path:
        """Stage a shard from Arrow tables of bouts, in the order of person and time.

        One row group is in memory at a time. ``person`` may be dictionary-encoded.
        """
        return self._stage(name, lambda unfinished: _write_bouts(unfinished, bouts))

    def stage(self, name: str, content: bytes) -> Path:
        """Stage a shard from its content (``shard_of``)."""
        return self._stage(name, lambda unfinished: unfinished.write_bytes(content))

    def _stage(self, name: str, write: Callable[[Path], object]) -> Path:
        self.staging.mkdir(parents=True, exist_ok=True)
        target = self.staging / f"{name}{_SUFFIX}"
        unfinished = target.with_suffix(f".{os.getpid()}.tmp")
        write(unfinished)
        unfinished.replace(target)
        return target

    def publish(self, names: Iterable[str]) -> None:
        """Move staged shards into place and remove those that no longer belong to the batch."""
        wanted = {f"{name}{_SUFFIX}" for name in names}
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(self.staging.glob("*")):
            if file.name in wanted:
                file.replace(self.folder / file.name)
        for file in self.folder.glob("*"):
            if file.name not in wanted:
                file.unlink()
        shutil.rmtree(self.staging, ignore_errors=True)

    def store_copies(self, names: Iterable[str]) -> int:
        """Write the shards that the copy lacks; returns how many."""
        files = [found for name in names if (found := self._find(f"{name}{_SUFFIX}"))]
        return self.copy.store_files("epochs", self.batch, files) if self.copy else 0

    def _find(self, file: str) -> Path | None:
        return next((folder / file for folder in (self.staging, self.folder) if (folder / file).exists()), None)


def shard_of(epochs: pd.DataFrame, epoch_seconds: int) -> bytes:
    """The content of a shard of these epochs, as ``EpochLake.write`` would write it."""
    import pyarrow as pa

    from stegvis.storage.bouts import bouts_of

    content = pa.BufferOutputStream()
    _write_bouts(content, bouts_of([_as_table(epochs)], epoch_seconds))
    return bytes(content.getvalue().to_pybytes())


def shard_name(file: Path) -> str:
    """The name of the shard that a file of the lake holds, in either layout."""
    return file.name.removesuffix(_SUFFIX).removesuffix(_FORMER)


def read_epochs(file: Path) -> pa.Table:
    """The rows of epochs of a shard (``bouts.EPOCHS``), in either layout."""
    import pyarrow.parquet as pq

    from stegvis.storage.bouts import EPOCHS, epochs_of

    table = pq.read_table(file, partitioning=None)
    return table.cast(EPOCHS) if "epoch_start" in table.column_names else epochs_of(table)


def create_views(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], epoch_seconds: int) -> None:
    """The temporary views ``bouts`` and ``epochs`` of files of the lake; without a file they are empty.

    ``bouts`` has the columns of ``stegvis/storage/bouts.py``; what its small integers mean is said by the macros
    ``activity_in_words`` and ``speed_in_words``, for use where bouts were counted, since words cost more than counting.
    ``epochs`` has a row per epoch, activity and speed in words. An epoch that is stored by the second has the activity
    of most of its seconds, weighted by their confidence.

    Args:
        connection: where to make them.
        files: of either layout.
        epoch_seconds: length of an epoch.
    """
    stored = _read([file for file in files if file.name.endswith(_SUFFIX)])
    former = _read([file for file in files if not file.name.endswith(_SUFFIX)])
    parts = [f"select * from {stored}"] if stored else []
    if former:
        parts.append(_EPOCHS_AS_BOUTS.format(source=former, seconds=int(epoch_seconds)))
    views_of(connection, epoch_seconds, " union all by name ".join(parts) or _EMPTY)


def views_of(connection: duckdb.DuckDBPyConnection, epoch_seconds: int, source: str | None = None) -> None:
    """The same views of a SELECT with the columns of bouts; empty without one."""
    from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS

    activities = ", ".join(f"'{name}'" for name in ACTIVITIES)
    speeds = ", ".join(f"'{name}'" for name in list(SPEEDS)[1:])
    for statement in (
        f"create or replace temp macro activity_in_words(code) as list_extract([{activities}], code + 1)",
        f"create or replace temp macro speed_in_words(code) as list_extract([{speeds}], code)",
        f"create or replace temp view bouts as {source or _EMPTY}",
        f"create or replace temp view epochs as {_ROWS.format(seconds=int(epoch_seconds))}",
    ):
        connection.execute(statement)


def _read(files: Sequence[Path]) -> str | None:
    listed = ", ".join(literal(str(path)) for path in sorted(files))
    return f"read_parquet([{listed}], hive_partitioning = false)" if files else None


def _as_table(epochs: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    from stegvis.storage.bouts import EPOCHS, LENGTH

    given = pa.schema([field for field in (*EPOCHS, LENGTH) if field.name in epochs])
    return pa.Table.from_pandas(epochs, schema=given, preserve_index=False)


def _write_bouts(target: Any, bouts: Iterable[pa.Table]) -> None:
    """Write bouts to a file or an output stream of Arrow."""
    import pyarrow.parquet as pq

    from stegvis.storage.bouts import BOUTS

    options = {"compression": "zstd", "use_dictionary": _FEW_VALUES, "column_encoding": _CLOCK}
    with pq.ParquetWriter(target, BOUTS, store_schema=False, **options) as writer:
        for table in _in_row_groups(bouts):
            writer.write_table(table, row_group_size=table.num_rows)


def _in_row_groups(bouts: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same bouts in tables of as many rows as a row group has, however they come; the last has the rest."""
    import pyarrow as pa

    from stegvis.storage.bouts import BOUTS

    waiting: list[pa.Table] = []
    count = 0
    for table in bouts:
        waiting.append(table.cast(BOUTS))
        count += table.num_rows
        if count >= _ROW_GROUP:
            rows = pa.concat_tables(waiting)
            for begin in range(0, count - count % _ROW_GROUP, _ROW_GROUP):
                yield rows.slice(begin, _ROW_GROUP)
            count %= _ROW_GROUP
            waiting = [rows.slice(rows.num_rows - count)]
    if count:
        yield pa.concat_tables(waiting)


_EMPTY = """
select
    null::varchar as person, null::timestamp_ms as start, null::integer as seconds, null::utinyint as activity,
    null::utinyint as speed, null::boolean as wear_back, null::boolean as wear_thigh, null::integer as epoch_seconds,
    null::utinyint[] as confidence, null::utinyint[] as cadence, null::utinyint[] as centimeters_per_second
where false
"""

_EPOCHS_AS_BOUTS = """
select
    person, epoch_start as start, {seconds} as seconds, activity, speed, wear_back, wear_thigh,
    {seconds} as epoch_seconds, [confidence] as confidence, [cadence] as cadence,
    [centimeters_per_second] as centimeters_per_second
from {source}
"""

# The rows of the bouts that meet a condition. A list of one value holds for every epoch of its bout.
_EACH = """
    select
        person,
        start + to_milliseconds(1000 * epoch_seconds * place) as epoch_start,
        activity_in_words(activity) as activity,
        speed_in_words(speed) as speed,
        confidence[if(len(confidence) = 1, 1, place + 1)] as confidence,
        wear_back,
        wear_thigh,
        nullif(cadence[if(len(cadence) = 1, 1, place + 1)], 0) as cadence,
        nullif(centimeters_per_second[if(len(centimeters_per_second) = 1, 1, place + 1)], 0) as centimeters_per_second
    from (select *, unnest(range(seconds // epoch_seconds)) as place from bouts where epoch_seconds {condition})
"""

# Epochs by the second come as many as fill an epoch.
_ROWS = f"""
with by_second as ({_EACH.format(condition="< {seconds}")}),

numbered as (
    select *, (row_number() over (partition by person order by epoch_start) - 1) // {{seconds}} as epoch
    from by_second
),

activities as (
    select
        person,
        epoch,
        activity,
        any_value(speed) as speed,
        (sum(confidence) / {{seconds}})::utinyint as confidence,
        any_value(wear_back) as wear_back,
        any_value(wear_thigh) as wear_thigh,
        any_value(cadence) as cadence,
        any_value(centimeters_per_second) as centimeters_per_second,
        min(epoch_start) as first_second
    from numbered
    group by person, epoch, activity
)

{_EACH.format(condition=">= {seconds}")}
union all by name
select
    * exclude (epoch, first_second),
    min(first_second) over (partition by person, epoch) as epoch_start
from activities
qualify row_number() over (partition by person, epoch order by confidence desc, activity) = 1
"""
