"""What the raw pairs of a whole study cost: core-seconds of a pair of a week, core-days of all of them.

    python -m benchmarks.core_days [--pairs 3] [--days 7] [--repeats 2] [--url s3://bucket/prefix --endpoint http://...]

Pairs of the twin, each of another person, are classified as a task of the cluster does it, in one process with one
thread, after imports and model have been loaded, as in a worker. The cheapest of the repeats of each pair counts.
Pooled calibration reads a file once more, if its device was worn by several people of the batch: what is printed is for
a batch in which that is so of every device. With --url the pair is uploaded there first, and a worker's
fetching and comparing of hashes is measured too. Times are processor times; on a busy machine they are up to half as
long again. Pairs are kept in the system's temporary folder for the next run.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

PEOPLE, NEW = 31_295, 500
DAY = 86_400.0


def pairs(wanted: int, days: int) -> list[tuple[Path, Path]]:
    """So many pairs of different people, which are made if they do not exist."""
    from stegvis.study.study import Study
    from stegvis.twin.raw import write_raw_pair

    folder = Path(tempfile.gettempdir()) / f"stegvis-core-days-{days}"
    folder.mkdir(exist_ok=True)
    found = []
    for number in range(wanted):
        if not (folder / f"done-{number}").exists():
            begin = time.perf_counter()
            write_raw_pair(folder, f"P{number}", days, seed=number + 1, protocol=Study.shipped().protocol)
            (folder / f"done-{number}").touch()
            print(f"made a pair of {days} days in {time.perf_counter() - begin:.0f} s")
        found.append((folder / f"P{number}_back.cwa", folder / f"P{number}_thigh.cwa"))
    return found


def cheapest(repeats: int, work: Callable[[], object]) -> float:
    """The fewest processor seconds that something took."""
    found = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


def measure(files: list[tuple[Path, Path]], repeats: int) -> tuple[list[float], list[float]]:
    """Processor seconds of each pair: its classification, and reading both files for pooled calibration.

    Raises:
        SystemExit: a pair was refused.
    """
    from stegvis.accelerometry.epoch_model import load_model
    from stegvis.accelerometry.method import Method
    from stegvis.storage.classification import (
        ClassificationTask,
        DirectionsTask,
        classify_recording,
        find_still_directions,
    )
    from stegvis.study.study import Study

    study = Study.shipped()
    method, layout = Method.of(study.protocol), study.codebook["signal"]
    load_model()

    def task(pair: tuple[Path, Path]) -> ClassificationTask:
        return ClassificationTask("pair", "P", "raw", pair, method, layout)

    if refused := [rule for pair in files if (rule := classify_recording(task(pair)).record["rule"])]:
        raise SystemExit(f"a pair was refused: {refused}")
    classified = [cheapest(repeats, lambda pair=pair: classify_recording(task(pair))) for pair in files]  # type: ignore[misc]
    directions = [
        sum(
            cheapest(repeats, lambda file=file: find_still_directions(DirectionsTask("x", file, method)))  # type: ignore[misc]
            for file in pair
        )
        for pair in files
    ]
    return classified, directions


def fetching(pair: tuple[Path, Path], url: str, endpoint: str, repeats: int) -> float:
    """Processor seconds of a worker to fetch a pair from object storage."""
    from stegvis.storage.objects import ObjectStore
    from stegvis.storage.remote_files import RemoteFile, local_files
    from stegvis.storage.whole_files import sha256_of

    store = ObjectStore(url, endpoint)
    remote = []
    for file in pair:
        store.write(file.name, file.read_bytes())
        remote.append(RemoteFile(store, file.name, file.stat().st_size, "", sha256_of(file)))

    def fetch() -> None:
        with local_files(remote):
            pass

    return cheapest(repeats, fetch)


@dataclasses.dataclass(frozen=True)
class Cost:
    """What is done, and core-seconds of a pair."""

    what: str
    seconds: float

    def line(self) -> str:
        """With the days of all pairs, and the hours of new ones."""
        all_days, new_hours = self.seconds * PEOPLE / DAY, self.seconds * NEW / 3600
        return f"{self.what:34} {self.seconds:8.1f} {all_days:12.2f} {new_hours:14.2f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--url")
    parser.add_argument("--endpoint", default="")
    arguments = parser.parse_args()
    files = pairs(arguments.pairs, arguments.days)
    gigabytes = sum(file.stat().st_size for pair in files for file in pair) / len(files) / 1e9
    classified, directions = measure(files, arguments.repeats)
    costs = [Cost("classification", sum(classified) / len(files))]
    if arguments.url:
        costs.append(Cost("fetching from object storage", fetching(files[0], arguments.url, arguments.endpoint, 2)))
    costs.append(Cost("pooled calibration of all devices", sum(directions) / len(files)))
    costs.append(Cost("together", sum(each.seconds for each in costs)))
    print(f"{len(files)} pairs of {arguments.days} days, {gigabytes:.2f} GB each; load {os.getloadavg()[0]:.1f}")
    print(f"classification of each: {', '.join(f'{each:.1f}' for each in classified)} core-seconds")
    print(f"{'':34} {'core-s':>8} {'core-days of':>12} {'core-hours of':>14}")
    print(f"{'':34} {'a pair':>8} {f'{PEOPLE:,}':>12} {f'{NEW} new':>14}")
    for each in costs:
        print(each.line())
    print(f"to read: {gigabytes * PEOPLE / 1000:.1f} TB for {PEOPLE:,} pairs, {gigabytes * NEW:.0f} GB for {NEW}")


if __name__ == "__main__":
    main()
