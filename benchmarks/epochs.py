"""Full weeks of 5-second epochs: how fast the twin writes them, and how fast the pipeline imports them.

    python -m benchmarks.epochs [--people 1000] [--lake-people 4000]

Prints the following, each measured in its own process because of its peak memory:

- from person totals to Parquet in the lake's layout, two threads, against a naive pandas writer in the same run;
- from person totals to the delivered ``epochs.parquet``;
- from the delivered file to ``daily_exposures``, through Dagster as ``stegvis refresh`` runs it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from stegvis.study.study import Study

SEED = 1
WORKERS = 2
PEOPLE_PER_SHARD = 490
NAIVE_PEOPLE = 20
ASSETS = ("recordings", "epoch_classification", "delivered_days", "daily_exposures")


def weeks(people: int) -> Any:
    """The epochs of so many people with a full week, by person (``stegvis.twin.epochs.WornEpochs``)."""
    from stegvis.twin.epochs import wear
    from stegvis.twin.parameters import parameters
    from stegvis.twin.population import draw_population
    from stegvis.twin.walking import draw_days, draw_habits

    model = parameters()
    # Two in nine people have a recording of seven days; one in five is a safe lower bound.
    population = draw_population(5 * people + 100, SEED, model)
    protocol = Study.shipped().protocol
    habits = draw_habits(population, SEED, model, protocol.exposures)
    days = draw_days(population, habits, SEED, model, protocol)
    full = np.flatnonzero(days.recorded == days.seconds.shape[1])[:people]
    names = population.people["person"].to_numpy()[days.rows[full]].astype(str)
    first = population.people["baseline_date"].to_numpy()[days.rows[full]].astype("datetime64[D]") + 1
    order = np.argsort(names)
    return wear(names[order], first[order], days.seconds[full][order], SEED, model.epochs, protocol)


def to_lake(people: int, folder: Path) -> dict[str, float]:
    """Shards of 490 people, two at a time."""
    from stegvis.storage.lake import EpochLake
    from stegvis.twin.epochs import lake_tables
    from stegvis.twin.parameters import parameters

    worn, lake = weeks(people), EpochLake(folder, "benchmark")
    parts = [worn.some(slice(start, start + PEOPLE_PER_SHARD)) for start in range(0, people, PEOPLE_PER_SHARD)]

    def write(number: int) -> None:
        lake.write_bouts(f"shard-{number:04}", lake_tables(parts[number], SEED, parameters().epochs))

    started, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(write, range(len(parts))))
    lake.publish(f"shard-{number:04}" for number in range(len(parts)))
    size = sum(file.stat().st_size for file in lake.folder.iterdir())
    return {"epochs": int(worn.epochs.sum()), "seconds": time.perf_counter() - started, "bytes": size} | _cost(cpu)


def to_lake_naively(people: int, folder: Path) -> dict[str, float]:
    """The same bouts as a pandas frame per person, concatenated, sorted and written."""
    import pandas as pd

    from stegvis.accelerometry.activity import ACTIVITIES, SPEEDS
    from stegvis.twin.epochs import KINDS, lay_out
    from stegvis.twin.parameters import parameters

    worn = weeks(people)
    started, cpu = time.perf_counter(), time.process_time()
    frames = []
    for number, person in enumerate(worn.people):
        mine = worn.some(slice(number, number + 1))
        kinds = [
            KINDS[kind] for kind, n in zip(*lay_out(mine, SEED, parameters().epochs), strict=True) for _ in range(n)
        ]
        clock = pd.Timestamp(mine.first_date[0]) + pd.Timedelta(seconds=5 * int(mine.first_epoch[0]))
        frames.append(
            pd.DataFrame(
                {
                    "person": person,
                    "epoch_start": pd.date_range(clock, periods=len(kinds), freq="5s"),
                    "activity": [ACTIVITIES[activity] for activity, _, _ in kinds],
                    "speed": [SPEEDS[speed] if speed else 0 for _, speed, _ in kinds],
                    "confidence": 255,
                }
            )
        )
    table = pd.concat(frames).sort_values(["person", "epoch_start"])
    folder.mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / "epochs.parquet", index=False)
    return {"epochs": len(table), "seconds": time.perf_counter() - started} | _cost(cpu)


def to_delivery(people: int, folder: Path) -> dict[str, float]:
    """A twin whose ``epochs.parquet`` has this number of people; only writing that file is timed."""
    from stegvis.twin import write_twin

    cpu = time.process_time()
    reported: list[tuple[float, str]] = []

    def note(line: str) -> None:
        reported.append((time.perf_counter(), line))

    write_twin(
        folder,
        Study.shipped().protocol,
        Study.shipped().codebook,
        people=5 * people + 100,
        waves=1,
        epochs=people,
        seed=SEED,
        progress=note,
    )
    place = next(number for number, (_, line) in enumerate(reported) if "epochs" in line)
    import pyarrow.parquet as pq

    file = folder / "recordings" / "epochs" / "epochs.parquet"
    about = pq.read_metadata(file)
    facts = {"epochs": about.num_rows, "row groups": about.num_row_groups, "bytes": file.stat().st_size}
    return facts | {"seconds": reported[place + 1][0] - reported[place][0]} | _cost(cpu)


def through_pipeline(people: int, folder: Path, epochs: int | None = None) -> dict[str, float]:
    """One Dagster run up to the days on a home that has only the delivery of so many epochs, or of whole weeks."""
    import dagster as dg

    from stegvis.orchestration.definitions import build_definitions
    from stegvis.orchestration.instance import open_instance, register_partitions
    from stegvis.storage.home import Home
    from stegvis.storage.landing import scan
    from stegvis.studies import FIRST, copy_study

    home = Home(folder / "home", folder / "landing").create()
    copy_study(FIRST, home.study)
    started, cpu = time.perf_counter(), time.process_time()
    with open_instance(home) as instance:
        register_partitions(scan(home.landing, home.hash_cache), instance)
        job = build_definitions(home).resolve_implicit_global_asset_job_def()
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        common: dict[str, Any] = {"instance": instance, "run_config": quiet}
        job.execute_in_process(asset_selection=[dg.AssetKey("withdrawals")], **common)
        result = job.execute_in_process(
            asset_selection=[dg.AssetKey(name) for name in ASSETS], partition_key="epochs", **common
        )
    took = {
        event.asset_key.to_user_string(): float(event.materialization.metadata["seconds"].value)
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }
    return {"seconds": time.perf_counter() - started, "epochs": epochs or 17_280 * 7 * people} | took | _cost(cpu)


def _cost(cpu_before: float) -> dict[str, float]:
    """Processor time, which depends little on other work of the machine, and the peak memory of the process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"processor seconds": time.process_time() - cpu_before, "peak MB": peak}


def _alone(part: Callable[[int, Path], dict[str, float]], people: int, folder: Path) -> dict[str, float]:
    """Run a part in a new process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(part, people, folder).result()


def _show(title: str, found: dict[str, float]) -> None:
    rate = found["epochs"] / found["seconds"] / 1e6
    rest = {name: value for name, value in found.items() if name not in ("epochs", "seconds")}
    rest["ns of processor an epoch"] = 1e9 * found["processor seconds"] / found["epochs"]
    text = ", ".join(f"{name} {value:,.0f}" if value >= 100 else f"{name} {value:.1f}" for name, value in rest.items())
    print(f"{title}: {found['epochs']:,} epochs in {found['seconds']:.1f} s, {rate:.1f} million a second; {text}")


def main() -> None:
    """Run every part and print time and memory."""
    options = argparse.ArgumentParser(description="Full weeks of 5-second epochs, written and imported.")
    options.add_argument("--people", type=int, default=1000, help="people of the delivery")
    options.add_argument("--lake-people", type=int, default=4000, help="people written to the lake")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="stegvis-benchmark-") as name:
        folder = Path(name)
        fast = _alone(to_lake, asked.lake_people, folder / "lake")
        _show("totals to lake, 2 threads", fast)
        naive = _alone(to_lake_naively, NAIVE_PEOPLE, folder / "naive")
        _show("the same, naive pandas", naive)
        ratio = fast["epochs"] / fast["seconds"] / (naive["epochs"] / naive["seconds"])
        print(f"ratio to naive pandas: {ratio:.0f}")
        everything = folder / "twin"
        _show("totals to epochs.parquet", _alone(to_delivery, asked.people, everything))
        landing = folder / "landing"
        (landing / "recordings").mkdir(parents=True)
        (everything / "withdrawals").rename(landing / "withdrawals")
        (everything / "recordings" / "epochs").rename(landing / "recordings" / "epochs")
        _show("epochs.parquet to daily_exposures", _alone(through_pipeline, asked.people, folder))


if __name__ == "__main__":
    main()
