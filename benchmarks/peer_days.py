"""Rows of epochs to the seconds of each person, day, activity and speed, with a program other than Stegvis.

    build/peers/bin/python benchmarks/peer_days.py duckdb|polars|pandas|pyspark EPOCHS DAYS

EPOCHS is a Parquet file as a cohort delivers it, or CSV with the numbers of the NTNU label set; DAYS is the Parquet
file to write. Each program counts in the way its documentation advises, with two threads. Prints its processor
seconds, wall seconds and peak megabytes as JSON: libraries are imported, and Spark's session is started, before the
clock. It runs in the environment of the peers, so it imports nothing of Stegvis.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

THREADS = 2
EPOCH_SECONDS = 5
KEYS = ["person", "date", "activity", "speed"]
# CSV has no rows of nonwear: the NTNU labels have no number for it.
NONWEAR = "nonwear"

Task = Callable[[], None]


def duckdb_task(epochs: Path, days: Path) -> Task:
    """One query, from file to file."""
    import duckdb

    types = "{'person': 'varchar', 'epoch_start': 'timestamp', 'activity': 'utinyint', 'speed': 'varchar'}"
    csv = epochs.suffix == ".csv"
    source = f"read_csv('{epochs}', header = true, columns = {types})" if csv else f"read_parquet('{epochs}')"
    worn = "true" if csv else f"activity <> '{NONWEAR}'"
    query = (
        f"copy (select person, epoch_start::date as date, activity, speed, {EPOCH_SECONDS} * count(*) as seconds "
        f"from {source} where {worn} group by all) to '{days}' (format parquet)"
    )

    def run() -> None:
        settings = {"threads": THREADS, "preserve_insertion_order": False}
        with duckdb.connect(config=settings) as connection:
            connection.execute(query)

    return run


def polars_task(epochs: Path, days: Path) -> Task:
    """One lazy query by the streaming engine."""
    os.environ["POLARS_MAX_THREADS"] = str(THREADS)
    import polars as pl

    def run() -> None:
        if epochs.suffix == ".csv":
            # Reading the column as a time by the schema takes five times as long as this.
            schema = {"person": pl.String, "epoch_start": pl.String, "activity": pl.UInt8, "speed": pl.String}
            rows = pl.scan_csv(epochs, schema=schema)
            rows = rows.with_columns(pl.col("epoch_start").str.to_datetime("%Y-%m-%d %H:%M:%S"))
        else:
            rows = pl.scan_parquet(epochs).filter(pl.col("activity") != NONWEAR)
        counted = rows.with_columns(date=pl.col("epoch_start").dt.date()).group_by(KEYS).len("epochs")
        totals = counted.with_columns(seconds=EPOCH_SECONDS * pl.col("epochs")).drop("epochs")
        totals.collect(engine="streaming").write_parquet(days)

    return run


def pandas_task(epochs: Path, days: Path) -> Task:
    """The whole file in memory, words and numbers as categories, one grouping."""
    import pandas as pd
    import pyarrow as pa

    pa.set_cpu_count(THREADS)
    pa.set_io_thread_count(THREADS)

    def run() -> None:
        words: dict[str, Any] = {"person": "category", "speed": "category"}
        if epochs.suffix == ".csv":
            rows = pd.read_csv(
                epochs, engine="pyarrow", dtype=words | {"activity": "uint8"}, parse_dates=["epoch_start"]
            )
        else:
            rows = pd.read_parquet(epochs).astype(words | {"activity": "category"})
            rows = rows[rows["activity"] != NONWEAR]
        rows["date"] = rows["epoch_start"].dt.floor("D")
        counted = rows.groupby(KEYS, observed=True, dropna=False).size()
        totals = (EPOCH_SECONDS * counted).rename("seconds").reset_index()
        totals.astype({"person": str}).to_parquet(days, index=False)

    return run


def pyspark_task(epochs: Path, days: Path) -> Task:
    """One query of a local session with two threads and 4 GB."""
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as f

    builder = SparkSession.builder.master(f"local[{THREADS}]").config("spark.driver.memory", "4g")
    builder = builder.config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", str(2 * THREADS))
    session = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    JAVA.append(session.sparkContext._gateway.proc.pid)

    def run() -> None:
        if epochs.suffix == ".csv":
            schema = "person string, epoch_start timestamp, activity short, speed string"
            rows = session.read.csv(str(epochs), schema=schema, header=True)
        else:
            rows = session.read.parquet(str(epochs)).where(f.col("activity") != NONWEAR)
        counted = rows.withColumn("date", f.to_date("epoch_start")).groupBy(KEYS).count()
        totals = counted.withColumn("seconds", EPOCH_SECONDS * f.col("count")).drop("count")
        totals.write.mode("overwrite").parquet(str(days))

    return run


TASKS = {"duckdb": duckdb_task, "polars": polars_task, "pandas": pandas_task, "pyspark": pyspark_task}
JAVA: list[int] = []  # processes of Java virtual machines that count


def processor_seconds() -> float:
    """Of this process and of its Java virtual machine."""
    total = time.process_time()
    for process in JAVA:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def peak_megabytes() -> float:
    """Highest memory of this process, together with that of its Java virtual machine."""
    total = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for process in JAVA:
        status = Path(f"/proc/{process}/status").read_text().splitlines()
        total += next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    return total


def main(program: str, epochs: Path, days: Path) -> None:
    """Count once and print the cost."""
    run = TASKS[program](epochs, days)
    started, before = time.perf_counter(), processor_seconds()
    run()
    cost = {"processor": processor_seconds() - before, "wall": time.perf_counter() - started}
    print(json.dumps(cost | {"megabytes": peak_megabytes()}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
