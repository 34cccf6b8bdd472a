"""From the lake to days: how fast bouts become ``daily_exposures`` and ``walking_exposures``, and how large they are.

    python -m benchmarks.days [--people 2000] [--rows-of 500]

Makes lakes of whole weeks: the twin's bouts, bouts as short as real ones (8 epochs), and the twin's with a confidence
drawn for each epoch. Each is counted in a process of its own with two threads and 1 GB of memory for DuckDB. In the
same run DuckDB reads the three columns of the same epochs stored as rows, and groups them: the ratio hardly depends on
the machine. With ``--people 31295`` it is the whole of HUNT4 (about a quarter of an hour, 7 GB of disk).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.epochs import PEOPLE_PER_SHARD, SEED, _alone, _cost, weeks
from stegvis.study.study import Study

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SHORT = 8  # epochs of a bout
# Of short bouts: lying, sitting, standing, walking at three speeds, running, cycling, nonwear.
SHARES = (0.33, 0.37, 0.20, 0.03, 0.03, 0.02, 0.005, 0.01, 0.005)
KINDS = ("twin", "short", "drawn")


def make_lake(people: int, folder: Path, kind: str) -> dict[str, float]:
    """A lake of this kind; returns its epochs, bouts and bytes."""
    from stegvis.storage.lake import EpochLake
    from stegvis.twin.epochs import lake_tables
    from stegvis.twin.parameters import parameters

    worn, lake, rng = weeks(people), EpochLake(folder, "benchmark"), np.random.default_rng(SEED)
    names, started, cpu = list[str](), time.perf_counter(), time.process_time()
    for number, start in enumerate(range(0, people, PEOPLE_PER_SHARD)):
        part = worn.some(slice(start, start + PEOPLE_PER_SHARD))
        tables: Iterator[pa.Table] = lake_tables(part, SEED, parameters().epochs, 50)
        if kind == "short":
            tables = (_cut(table, rng) for table in tables)
        elif kind == "drawn":
            tables = (_with_confidence(table, rng) for table in tables)
        names.append(f"shard-{number:04}")
        lake.write_bouts(names[-1], tables)
    lake.publish(names)
    import pyarrow.parquet as pq

    bouts = sum(pq.read_metadata(file).num_rows for file in lake.files())
    size = sum(file.stat().st_size for file in lake.files())
    facts = {"epochs": int(worn.epochs.sum()), "bouts": bouts, "MB": size / 1e6}
    return facts | {"seconds": time.perf_counter() - started} | _cost(cpu)


def make_rows(people: int, folder: Path) -> dict[str, float]:
    """The twin's epochs as rows, as the lake stored them before."""
    import pyarrow.parquet as pq

    from stegvis.storage.bouts import EPOCHS, epochs_of
    from stegvis.twin.epochs import lake_tables
    from stegvis.twin.parameters import parameters

    folder.mkdir(parents=True)
    worn, cpu, started = weeks(people), time.process_time(), time.perf_counter()
    clock = {"epoch_start": "DELTA_BINARY_PACKED"}
    few = [name for name in EPOCHS.names if name not in ("epoch_start", "wear_back", "wear_thigh")]
    options: dict[str, Any] = {"compression": "zstd", "use_dictionary": few, "column_encoding": clock}
    with pq.ParquetWriter(folder / "rows.parquet", EPOCHS, **options) as writer:
        for table in lake_tables(worn, SEED, parameters().epochs):
            writer.write_table(epochs_of(table), row_group_size=1_000_000)
    return {"epochs": int(worn.epochs.sum()), "seconds": time.perf_counter() - started} | _cost(cpu)


def count_days(people: int, folder: Path) -> dict[str, float]:
    """The statements of both tables, over the lake, into a database file."""
    from stegvis.storage.lake import EpochLake

    found = days_of(EpochLake(folder, "benchmark").files(), folder / "days.duckdb")
    if found.pop("people") != people:
        raise RuntimeError(f"not the exposures of {people:,} people")
    return found


def days_of(files: list[Path], database: Path) -> dict[str, float]:
    """The statements of both tables, over files of a lake, into a new database file."""
    from stegvis.provenance.sql import variables_read
    from stegvis.sql import sql_text
    from stegvis.storage.lake import create_views

    protocol, made = Study.shipped().protocol, ("daily_exposures", "walking_exposures")
    with _database(database) as connection:
        names = ("lying", "sitting", "standing", "walking_slow", "walking_moderate", "walking_brisk", "walking")
        totals = ", ".join(f"null::double as {name}" for name in (*names, "running", "cycling"))
        connection.execute(
            f"create table delivered_days as select '' as batch, '' as person, 1 as day, {totals} limit 0"
        )
        connection.execute("set variable batch = 'benchmark'")
        for name in {name for table in made for name in variables_read(sql_text(table))} - {"batch"}:
            connection.execute(f'set variable "{name}" = ?', [protocol.value(name)])
        create_views(connection, files, protocol.epochs.seconds)
        started, cpu = time.perf_counter(), time.process_time()
        for table in made:
            connection.execute(f"create table {table} as {sql_text(table)}")
        seconds, cost = time.perf_counter() - started, _cost(cpu)
        ((people,),) = connection.execute("select count(*) from walking_exposures").fetchall()
        ((epochs,),) = connection.execute("select sum(seconds // epoch_seconds)::bigint from bouts").fetchall()
    return {"people": int(people), "epochs": int(epochs), "seconds": seconds} | cost


def read_rows(people: int, folder: Path) -> dict[str, float]:
    """DuckDB reads three columns of rows, and no more."""
    # Not the largest of a column: that is known from the file's statistics without reading.
    query = "select count(*) filter (where person = ''), bit_xor(epoch_ms(epoch_start)), sum(activity) from rows"
    return _of_rows(people, folder, query)


def group_rows(people: int, folder: Path) -> dict[str, float]:
    """DuckDB groups rows by the three."""
    grouped = "select person, epoch_start::date as date, activity, count(*) as epochs from rows group by all"
    return _of_rows(people, folder, f"select sum(epochs) from ({grouped})")


def _of_rows(people: int, folder: Path, query: str) -> dict[str, float]:
    with _database(folder / f"rows-of-{people}.duckdb") as connection:
        connection.execute(f"create or replace view rows as select * from '{folder / 'rows.parquet'}'")
        started, cpu = time.perf_counter(), time.process_time()
        connection.execute(query).fetchall()
        facts = {"seconds": time.perf_counter() - started} | _cost(cpu)
        ((epochs,),) = connection.execute("select count(*) from rows").fetchall()
    return {"epochs": int(epochs)} | facts


def _database(file: Path) -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(str(file), config={"threads": 2, "memory_limit": "1GB", "preserve_insertion_order": False})


def _cut(bouts: pa.Table, rng: np.random.Generator) -> pa.Table:
    """The same people and times in short bouts of random activities, merged where one follows its like."""
    import pyarrow as pa

    from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
    from stegvis.storage.bouts import BOUTS, bouts_of, epochs_of
    from stegvis.twin.epochs import KINDS as OF_TWIN

    rows = epochs_of(bouts)
    like = sum(share**2 for share in SHARES)  # of the neighbours that are merged
    cuts = rng.random(rows.num_rows) < 1 / (SHORT * (1 - like))
    kind = rng.choice(len(SHARES), cuts.sum() + 1, p=np.array(SHARES) / sum(SHARES))[np.cumsum(cuts)]
    activity = np.array([ACTIVITIES[name] for name, _, _ in OF_TWIN], dtype=np.uint8)[kind]
    speed = np.array([SPEEDS[name] if name else 0 for _, name, _ in OF_TWIN], dtype=np.uint8)[kind]
    for name, values in (("activity", activity), ("speed", speed)):
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(values))
    seconds = int(bouts["epoch_seconds"][0].as_py())
    return pa.concat_tables([part.cast(BOUTS) for part in bouts_of([rows], seconds)])


def _with_confidence(bouts: pa.Table, rng: np.random.Generator) -> pa.Table:
    """The same bouts with a confidence of its own for each epoch."""
    import pyarrow as pa

    counts = bouts["seconds"].to_numpy() // bouts["epoch_seconds"].to_numpy()
    drawn = np.minimum(255, rng.beta(6.0, 1.2, counts.sum()) * 256).astype(np.uint8)
    ends = np.append(0, np.cumsum(counts)).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(ends), pa.array(drawn))
    return bouts.set_column(bouts.column_names.index("confidence"), "confidence", lists)


def _show(title: str, found: dict[str, float]) -> None:
    each = 1e9 * found["processor seconds"] / found["epochs"]
    facts = ", ".join(f"{name} {value:,.1f}" for name, value in found.items() if name != "epochs")
    print(f"{title}: {found['epochs']:,.0f} epochs, {facts}, {each:.2f} ns of processor an epoch", flush=True)


def main() -> None:
    """Make each lake, count it, and compare with rows."""
    options = argparse.ArgumentParser(description="From bouts in the lake to days.")
    options.add_argument("--people", type=int, default=2000)
    options.add_argument("--rows-of", type=int, default=500, help="people whose epochs are stored as rows, too")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="stegvis-benchmark-") as name:
        rows = Path(name) / "rows"
        _show("rows, made", _alone(make_rows, asked.rows_of, rows))
        read = _alone(read_rows, asked.rows_of, rows)
        _show("rows, three columns read", read)
        _show("rows, grouped", _alone(group_rows, asked.rows_of, rows))
        for kind in KINDS:
            folder = Path(name) / kind
            _show(f"{kind} bouts, made", _alone(partial(make_lake, kind=kind), asked.people, folder))
            days = _alone(count_days, asked.people, folder)
            _show(f"{kind} bouts to days", days)
            ratio = days["processor seconds"] / days["epochs"] / (read["processor seconds"] / read["epochs"])
            print(f"{kind} bouts to days: {ratio:.2f} times the reading of rows", flush=True)


if __name__ == "__main__":
    main()
