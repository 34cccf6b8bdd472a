"""Raw pairs with one worker and with two: how well classification scales with processes.

    python -m benchmarks.fan_out [--pairs 32] [--repeats 1]

A few pairs of one day are made by the twin and kept in the system's temporary folder; all pairs are links to these.
Each is classified into a temporary lake by workers of one thread each. Runs with one and two workers alternate; the
best of the repeats counts. The time includes starting and stopping the workers. The time from the first finished pair
to the last, the processor time of all workers and the largest memory of a worker are printed too. On a busy machine two
workers do not get two processors, so the share they got is printed as well.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from stegvis.accelerometry.method import Method
from stegvis.storage.classification import ClassificationTask, classify_recording, keep_classified
from stegvis.storage.fan_out import fan_out
from stegvis.storage.lake import EpochLake
from stegvis.storage.recording_records import RecordingRecords
from stegvis.storage.tasks import LostTaskError
from stegvis.study.study import Study

DISTINCT = 4
BAR_RATIO, BAR_MEGABYTES = 1.8, 1200.0


@dataclass(frozen=True)
class Measured:
    """One run.

    Attributes:
        seconds: total time.
        between: seconds from the first finished pair to the last.
        processor: processor seconds of the workers.
        megabytes: largest memory of a worker.
    """

    seconds: float
    between: float
    processor: float
    megabytes: float


def pairs(folder: Path, wanted: int) -> list[tuple[Path, Path]]:
    """The wanted number of pairs: links to a few that are made once."""
    from stegvis.twin.raw import write_raw_pair

    made = Path(tempfile.gettempdir()) / "stegvis-fan-out"
    if not (made / "done").exists():
        made.mkdir(exist_ok=True)
        for number in range(DISTINCT):
            write_raw_pair(made, f"M{number}", 1, seed=1, protocol=Study.shipped().protocol)
        (made / "done").touch()
    found = []
    for number in range(wanted):
        files = []
        for half in ("back", "thigh"):
            file = folder / f"P{number:02}_{half}.cwa"
            file.symlink_to(made / f"M{number % DISTINCT}_{half}.cwa")
            files.append(file)
        found.append((files[0], files[1]))
    return found


def run(files: list[tuple[Path, Path]], workers: int) -> Measured:
    """Classify all pairs with this number of workers."""
    with tempfile.TemporaryDirectory() as name:
        lake, records = EpochLake(Path(name), "benchmark"), RecordingRecords(Path(name), "benchmark")
        method, layout = Method.of(Study.shipped().protocol), Study.shipped().codebook["signal"]
        tasks = [
            ClassificationTask(f"raw-{n:02}", f"P{n:02}", "raw", pair, method, layout) for n, pair in enumerate(files)
        ]
        finished: list[float] = []
        ended = threading.Event()
        largest = [0]
        watcher = threading.Thread(target=_watch, args=(ended, largest))
        watcher.start()
        begin, used = time.perf_counter(), _children()
        results = fan_out(
            classify_recording,
            tasks,
            lambda *_: finished.append(time.perf_counter()),
            few=0,
            workers=workers,
            keep=lambda task, found: keep_classified(task.name, found, lake, records),
        )
        seconds = time.perf_counter() - begin
        ended.set()
        watcher.join()
        refused = [found for found in results if isinstance(found, LostTaskError) or found.record["rule"]]
        if refused or len(list(lake.staging.glob("*.parquet"))) != len(files):
            raise SystemExit(f"{len(refused)} of {len(files)} pairs were not classified")
    return Measured(seconds, finished[-1] - finished[0], _children() - used, largest[0] / 1e6)


def _children() -> float:
    """Processor seconds of processes below this one that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _watch(ended: threading.Event, largest: list[int]) -> None:
    """The largest resident memory of any process below this one."""
    while not ended.wait(1):
        for child in psutil.Process().children(recursive=True):
            try:
                largest[0] = max(largest[0], child.memory_info().rss)
            except psutil.NoSuchProcess:
                continue


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        files = pairs(Path(name), arguments.pairs)
        best: dict[int, Measured] = {}
        for _ in range(arguments.repeats):
            for workers in (1, 2):
                found = run(files, workers)
                best[workers] = min(best.get(workers, found), found, key=lambda each: each.seconds)
    print(f"{arguments.pairs} pairs of a day, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    print(f"{'':10} {'seconds':>8} {'first to last':>14} {'processor s':>12} {'worker MB':>10}")
    for workers, each in best.items():
        name = f"{workers} worker{'s' if workers > 1 else ''}"
        print(f"{name:10} {each.seconds:8.1f} {each.between:14.1f} {each.processor:12.1f} {each.megabytes:10.0f}")
    ratio = best[1].seconds / best[2].seconds
    print(f"ratio {ratio:.2f}, from the first pair to the last {best[1].between / best[2].between:.2f}")
    print(f"two workers got {best[2].processor / best[2].seconds:.2f} of 2 processors")
    passed = ratio >= BAR_RATIO and max(each.megabytes for each in best.values()) <= BAR_MEGABYTES
    print(f"bar of {BAR_RATIO} and {BAR_MEGABYTES:.0f} MB a worker: {'PASS' if passed else 'FAIL'}")


if __name__ == "__main__":
    main()
