"""From delivered epochs to days: ``epochs.parquet`` sorted by person and sorted by time, through Dagster.

    python -m benchmarks.delivered_epochs [--people 1000] [--in FOLDER]

Delivers the same weeks twice: in the order of person and time, as the twin writes them, and in the order of time across
people. Both go to ``daily_exposures`` as ``stegvis refresh`` makes it, each in a process of its own; shown are the wall
time, the processor time in all and by epoch, and the peak memory. In the same run DuckDB counts the epochs of the file
by person, date and activity: the ratio to that hardly depends on the machine. The shards that both make must be equal,
byte by byte.

With ``--people 31295`` it is the whole of HUNT4 (an hour, 5 GB of disk).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.epochs import _alone, _cost, _show, through_pipeline, to_delivery

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 1_000_000  # of a row group
ORDERS = ("person", "time")
DAY = 86_400_000  # milliseconds


def delivery(folder: Path) -> Path:
    """The file of epochs of a folder with a landing zone."""
    return folder / "landing" / "recordings" / "epochs" / "epochs.parquet"


def by_person(people: int, folder: Path) -> dict[str, float]:
    """A landing zone with the twin's withdrawals and epochs."""
    made = to_delivery(people, folder / "twin")
    (folder / "landing" / "recordings").mkdir(parents=True)
    (folder / "twin" / "withdrawals").rename(folder / "landing" / "withdrawals")
    (folder / "twin" / "recordings" / "epochs").rename(delivery(folder).parent)
    return made


def by_time(people: int, folder: Path, source: Path) -> dict[str, float]:
    """A landing zone with the epochs in the lake of another home, the rows of all people in the order of time."""
    import pyarrow.parquet as pq

    from stegvis.twin.files import complete, parquet_options

    delivery(folder).parent.mkdir(parents=True)
    (source / "landing" / "withdrawals").rename(folder / "landing" / "withdrawals")
    started, cpu, writer = time.perf_counter(), time.process_time(), None
    with delivery(folder).open("wb") as sink:
        for table in _tables_by_time(shards(source)):
            writer = writer or pq.ParquetWriter(
                sink, table.schema, store_schema=False, **parquet_options("epoch_start")
            )
            writer.write_table(table, row_group_size=ROWS)
        if writer:
            writer.close()
    complete(delivery(folder).parent)
    about = pq.read_metadata(delivery(folder))
    facts = {"epochs": about.num_rows, "row groups": about.num_row_groups, "bytes": delivery(folder).stat().st_size}
    return facts | {"seconds": time.perf_counter() - started} | _cost(cpu)


def shards(folder: Path) -> list[Path]:
    """The files of epochs in the lake of a home."""
    return sorted((folder / "home" / "lake" / "epochs" / "batch=epochs").iterdir())


def _tables_by_time(files: list[Path]) -> Iterator[pa.Table]:
    """The epochs of files of the lake as delivered, a day of everybody at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS

    columns = ["person", "start", "seconds", "epoch_seconds", "activity", "speed"]
    bouts = pq.read_table(files, columns=columns, read_dictionary=["person"], partitioning=None)
    bouts = bouts.unify_dictionaries().combine_chunks()
    names, whose = bouts["person"].chunk(0).dictionary, bouts["person"].chunk(0).indices.to_numpy()
    start = bouts["start"].cast(pa.int64()).to_numpy()
    counts = bouts["seconds"].to_numpy() // bouts["epoch_seconds"].to_numpy()
    step = 1000 * int(bouts["epoch_seconds"][0].as_py())
    activity, speed = bouts["activity"].to_numpy(), bouts["speed"].to_numpy()
    order = np.argsort(start // DAY, kind="stable")
    ends = np.flatnonzero(np.diff(start[order] // DAY, append=-1)) + 1
    del bouts
    for day in np.split(order, ends[:-1]):
        mine = np.repeat(day, counts[day])
        place = np.arange(len(mine)) - np.repeat(np.cumsum(counts[day]) - counts[day], counts[day])
        clock = start[mine] + step * place
        # Two people's epochs may lie between each other's; of those at the same moment the first in name is first.
        in_time = np.argsort(clock % DAY, kind="stable")
        mine, clock = mine[in_time], clock[in_time]
        for first in range(0, len(mine), ROWS):
            some = mine[first : first + ROWS]
            yield pa.table(
                {
                    "person": _words(whose[some], names),
                    "epoch_start": pa.array(clock[first : first + ROWS]).cast(pa.timestamp("ms")),
                    "activity": _words(activity[some], pa.array(list(ACTIVITIES))),
                    "speed": _words(speed[some], pa.array([None, *list(SPEEDS)[1:]])),
                }
            )


def _words(codes: np.ndarray, names: pa.Array) -> pa.DictionaryArray:
    """Codes (n,) as words, in a dictionary of those that occur."""
    import pyarrow as pa

    found, places = np.unique(codes, return_inverse=True)
    words = names.take(pa.array(found.astype(np.int64)))
    blank = ~np.asarray(words.is_valid())[places] if words.null_count else None
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32), mask=blank), words.fill_null(""))


def count_rows(people: int, folder: Path) -> dict[str, float]:
    """DuckDB counts the epochs of the delivered file, with the same threads and memory."""
    import duckdb

    started, cpu = time.perf_counter(), time.process_time()
    rows = "select person, epoch_start::date as date, activity, speed, count(*) as epochs from '{}' group by all"
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as connection:
        ((epochs,),) = connection.execute(f"select sum(epochs) from ({rows.format(delivery(folder))})").fetchall()
    return {"epochs": int(epochs), "seconds": time.perf_counter() - started} | _cost(cpu)


def to_days(people: int, folder: Path, order: str) -> dict[str, float]:
    """Through Dagster; shows the run and returns it."""
    days = _alone(partial(through_pipeline, epochs=_rows(folder)), people, folder)
    _show(f"sorted by {order}, delivery to days", days)
    return days


def _rows(folder: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(delivery(folder)).num_rows)


def main() -> None:
    """Deliver, read, compare."""
    options = argparse.ArgumentParser(description="From delivered epochs to days.")
    options.add_argument("--people", type=int, default=1000)
    options.add_argument("--in", dest="parent", type=Path, help="where to put the data, which are removed afterwards")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="stegvis-benchmark-", dir=asked.parent) as name:
        one, other = (Path(name) / order for order in ORDERS)
        _show("sorted by person, made", _alone(by_person, asked.people, one))
        counted = _alone(count_rows, asked.people, one)
        _show("sorted by person, counted by DuckDB", counted)
        first = to_days(asked.people, one, "person")
        _show("sorted by time, made", _alone(partial(by_time, source=one), asked.people, other))
        second = to_days(asked.people, other, "time")
        same = [file.read_bytes() for file in shards(one)] == [file.read_bytes() for file in shards(other)]
        print(f"the same shards: {'yes' if same else 'NO'}")
        for found, order in ((first, "person"), (second, "time")):
            ratio = found["processor seconds"] / counted["processor seconds"]
            print(f"sorted by {order}: {ratio:.2f} times the processor of counting with DuckDB")
        print(f"sorted by time / sorted by person, wall time: {second['seconds'] / first['seconds']:.2f}")


if __name__ == "__main__":
    main()
