"""Epochs to the seconds of each person and day: Stegvis beside plain DuckDB, polars, pandas and PySpark.

    python -m benchmarks --only days [--people 200]

All read the same full weeks of the twin: Stegvis as ``epochs.parquet`` is delivered, and as its lake stores them
afterwards; the peers from that file, and from CSV with NTNU labels. What they count is compared: it must be equal.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.measure import ONE_THREAD, ROOT, Clock, Cost, Measure, Peer, alone, cheapest, megabytes_of
from benchmarks.peers import INTERPRETER, Peers

PROGRAMS = {"duckdb": "DuckDB", "polars": "polars", "pandas": "pandas", "pyspark": "PySpark"}
EVERYBODY = 31_295  # participants of HUNT4 with a recording
ASSETS = ("recordings", "epoch_classification", "delivered_days", "daily_exposures")
# Numbers of the NTNU label set. It has none for walking speed, which is a column of its own, and none for nonwear.
LABELS = {"lying": 8, "sitting": 7, "standing": 6, "walking": 1, "running": 2, "cycling": 13}
FROM_LAKE = (
    "Stegvis makes `daily_exposures` and `walking_exposures` of the bouts in its lake, which were made once, when the "
    "delivery was read; the peers read rows and count the same seconds of each person, day, activity and speed."
)
FROM_DELIVERY = (
    "Stegvis checks every row of the delivered Parquet file against the contract and the list of withdrawals, stores "
    "the lake, makes and checks `daily_exposures`, and records all this in Dagster; the peers count, from the same "
    "file or from CSV."
)
SPEEDS = ("slow", "moderate", "brisk")


def delivered(folder: Path) -> Path:
    """The file of delivered epochs."""
    return folder / "landing" / "recordings" / "epochs" / "epochs.parquet"


def make(people: int, folder: Path) -> int:
    """The delivery of so many people's weeks, and the same as CSV; returns the number of epochs."""
    import duckdb

    rows = deliver(people, folder)
    cases = " ".join(f"when '{word}' then {number}" for word, number in LABELS.items())
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("set enable_progress_bar = false")
    connection.execute(
        f"copy (select person, epoch_start, case activity {cases} end as activity, speed "
        f"from '{delivered(folder)}' where activity <> 'nonwear') to '{folder / 'epochs.csv'}' (header)"
    )
    return rows


def deliver(people: int, folder: Path) -> int:
    """The delivery of so many people's weeks alone."""
    from benchmarks.epochs import to_delivery

    made = to_delivery(people, folder / "twin")
    (folder / "landing" / "recordings").mkdir(parents=True)
    for name in ("withdrawals", "recordings/epochs"):
        (folder / "twin" / name).rename(folder / "landing" / name)
    return int(made["epochs"])


def from_delivery(folder: Path, number: int) -> Cost:
    """One Dagster run, as a refresh does it, on a home of its own that has only the delivered epochs."""
    import dagster as dg

    from stegvis.orchestration.definitions import build_definitions
    from stegvis.orchestration.instance import open_instance, register_partitions
    from stegvis.storage.home import Home
    from stegvis.storage.landing import scan
    from stegvis.studies import FIRST, copy_study

    home = Home(folder / f"home-{number}", folder / "landing").create()
    copy_study(FIRST, home.study)
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    clock = Clock()
    with open_instance(home) as instance:
        register_partitions(scan(home.landing, home.hash_cache), instance)
        job = build_definitions(home).resolve_implicit_global_asset_job_def()
        first = [dg.AssetKey("withdrawals")]
        job.execute_in_process(asset_selection=first, instance=instance, run_config=quiet)
        keys = [dg.AssetKey(name) for name in ASSETS]
        job.execute_in_process(asset_selection=keys, partition_key="epochs", instance=instance, run_config=quiet)
    return clock.cost(megabytes_of(lake_files(folder, number)))


def lake_files(folder: Path, number: int = 0) -> list[Path]:
    """The files of the lake that ``from_delivery`` filled."""
    from stegvis.storage.lake import EpochLake

    return EpochLake(folder / f"home-{number}" / "lake", "epochs").files()


def from_lake(folder: Path, number: int) -> Cost:
    """The two tables of days and exposures, by their own statements, and the seconds of each day for comparison."""
    from benchmarks.days import days_of

    database = folder / f"days-{number}.duckdb"
    found = days_of(lake_files(folder), database)
    import duckdb

    words = [name for name in LABELS if name != "walking"] + [f"walking_{speed}" for speed in SPEEDS]
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            f"copy (select person, date, split_part(what, '_', 1) as activity, "
            f"nullif(split_part(what, '_', 2), '') as speed, seconds "
            f"from (unpivot daily_exposures on {', '.join(words)} into name what value seconds) where seconds > 0) "
            f"to '{folder / 'ours.parquet'}' (format parquet)"
        )
    database.unlink()
    return Cost(found["processor seconds"], found["seconds"], found["peak MB"], megabytes_of(lake_files(folder)))


def by_peer(peers: Peers, program: str, epochs: Path, days: Path) -> Cost:
    """One run of ``peer_days.py``."""
    script = ROOT / "benchmarks" / "peer_days.py"
    done = subprocess.run(
        [str(peers.interpreter), str(script), program, str(epochs), str(days)],
        env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{program} could not count {epochs.name}: {done.stderr.strip().splitlines()[-1]}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]), disk=megabytes_of([epochs]))


def differences(ours: Path, theirs: Path) -> int:
    """Rows that only one of two files of seconds has."""
    import duckdb

    cases = " ".join(f"when '{number}' then '{word}'" for word, number in LABELS.items())
    found = f"{theirs}/*.parquet" if theirs.is_dir() else str(theirs)

    def rows(file: str) -> str:
        word = f"case activity::varchar {cases} else activity::varchar end"
        speed = "nullif(speed::varchar, '')"
        return f"select person::varchar, date::date, {word}, {speed}, seconds::bigint from read_parquet('{file}')"

    first, second = rows(str(ours)), rows(found)
    ((count,),) = duckdb.sql(
        f"select count(*) from (({first} except all {second}) union all ({second} except all {first}))"
    ).fetchall()
    return int(count)


def compare(folder: Path, peers: Peers, people: int, repeats: int) -> list[Measure]:
    """Both ways of ours and all peers, by turns, the cheapest of the repeats of each."""
    rows = alone(make, people, folder)
    files = {"Parquet": delivered(folder), "CSV": folder / "epochs.csv"}
    runs: dict[str, Callable[[int], Cost]] = {
        "delivery": lambda number: alone(from_delivery, folder, number),
        "lake": lambda number: alone(from_lake, folder, number),
    }
    for program in PROGRAMS:
        for kind, epochs in files.items():
            if not peers.missing(program):
                runs[f"{program} {kind}"] = partial(_checked, peers, program, epochs, folder)
    costs: dict[str, list[Cost]] = {name: [] for name in runs}
    for number in range(repeats):
        for name, run in runs.items():
            costs[name].append(run(number))
            print(f"  {name}: {costs[name][-1].processor:.2f} s of processor", flush=True)
    best = {name: cheapest(found) for name, found in costs.items()}
    others = []
    for program, title in PROGRAMS.items():
        for kind, epochs in files.items():
            how = f"{INTERPRETER} benchmarks/peer_days.py {program} {epochs.name} days.parquet"
            others.append(Peer(f"{title}, {kind}", how, best.get(f"{program} {kind}"), peers.missing(program)))
    how, weeks = f"python -m benchmarks --only days --people {people}", f"{people:,} people's weeks"
    lake, delivery = f"{rows:,} epochs. {FROM_LAKE}", f"{rows:,} epochs. {FROM_DELIVERY}"
    return [
        Measure("days_from_lake", f"From the lake to days, {weeks}", lake, how, best["lake"], others),
        Measure("days_from_delivery", f"From a delivery to days, {weeks}", delivery, how, best["delivery"], others),
    ]


def _checked(peers: Peers, program: str, epochs: Path, folder: Path, number: int) -> Cost:
    days = folder / f"{program}-{epochs.suffix[1:]}-{number}"
    cost = by_peer(peers, program, epochs, days)
    if rows := alone(differences, folder / "ours.parquet", days):
        raise RuntimeError(f"{program} counts {epochs.name} otherwise: {rows} rows differ")
    return cost


def everybody(folder: Path) -> list[Measure]:
    """All people of HUNT4, from the lake: without a peer, since their rows as CSV would take 120 GB."""
    from benchmarks.days import count_days, make_lake

    made = alone(partial(make_lake, kind="twin"), EVERYBODY, folder)
    found = alone(count_days, EVERYBODY, folder)
    cost = Cost(found["processor seconds"], found["seconds"], found["peak MB"], made["MB"])
    about = f"{found['epochs']:,.0f} epochs in {made['bouts']:,.0f} bouts."
    how = f"python -m benchmarks.days --people {EVERYBODY}"
    return [Measure("days_of_everybody", f"From the lake to days, all {EVERYBODY:,} people's weeks", about, how, cost)]
