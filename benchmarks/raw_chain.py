"""A raw pair of a week, from files to days: processor time and peak memory of each step, beside cwa-reader-rs.

    python benchmarks/raw_chain.py [--days 7] [--repeats 3]

The pair is made by the twin and kept in the temporary folder of the system for the next run. The chain and the peer run
in processes of their own, with one thread each; the best of the repeats is printed. Peaks need Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What is timed: names in study.accelerometry.chain, in the order in which they run.
STEPS = {
    "read_cwa": "read both files",
    "raw_signal": "times of samples",
    "summarize": "ten-second windows",
    "still_directions": "still windows",
    "calibrate": "calibration",
    "worn": "wear",
    "_look_at_postures": "swapped?",
    "synchronize": "synchronization",
    "_common_epochs": "epochs in common",
    "_classify": "resample, features, predict, pace",
    "resample": "  of it resampling",
    "features": "  of it features",
    "_worn_as": "  of it how worn",
    "day_table": "days",
}
BAR_SECONDS, BAR_MEGABYTES = 8.0, 1200.0


def pair(days: int) -> tuple[Path, Path]:
    """The files of the pair; made if they are not there."""
    from study.twin.raw import write_raw_pair

    folder = Path(tempfile.gettempdir()) / f"stegvis-raw-chain-{days}"
    files = folder / "P_back.cwa", folder / "P_thigh.cwa"
    if not (folder / "done").exists():
        folder.mkdir(exist_ok=True)
        begin = time.perf_counter()
        write_raw_pair(folder, "P", days, seed=1)
        (folder / "done").touch()
        print(f"made a pair of {days} days in {time.perf_counter() - begin:.0f} s: {folder}")
    return files


def peak_megabytes(*, reset: bool = False) -> float:
    """Peak resident memory since the last reset, and reset it if asked."""
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    return peak


def chain(back: Path, thigh: Path) -> dict[str, Any]:
    """Processor seconds and peak of each step, and of the whole."""
    from study.accelerometry import chain as module
    from study.accelerometry.classifier import load_model

    load_model()  # imports and the model are paid once per process, not per pair
    steps: dict[str, list[float]] = {name: [0.0, 0.0] for name in STEPS}
    highest = 0.0

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **settings: Any) -> Any:
            nonlocal highest
            highest = max(highest, peak_megabytes(reset=True))
            begin = time.process_time()
            found = function(*arguments, **settings)
            steps[name][0] += time.process_time() - begin
            highest = max(highest, peak_megabytes())
            steps[name][1] = max(steps[name][1], peak_megabytes())
            return found

        return call

    for name in STEPS:
        setattr(module, name, timed(name, getattr(module, name)))
    begin = time.process_time()
    result = module.process_pair(back, thigh)
    seconds = time.process_time() - begin
    return {
        "seconds": seconds,
        "megabytes": max(highest, peak_megabytes()),
        "steps": steps,
        "epochs": len(result.epochs),
    }


def peer(back: Path, thigh: Path) -> dict[str, Any]:
    """cwa-reader-rs reading the same two files, one after the other."""
    from cwa_reader_rs import read_cwa_file

    begin = time.process_time()
    for file in (back, thigh):
        read_cwa_file(str(file), include_temperature=False, include_light=False, include_battery=False)
    return {"seconds": time.process_time() - begin, "megabytes": peak_megabytes()}


def alone(what: str, files: tuple[Path, Path], repeats: int) -> dict[str, Any]:
    """The fastest of some runs, each in a process of its own."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [sys.executable, __file__, "--run", what, *map(str, files)]
    found = [
        json.loads(subprocess.run(command, env=os.environ | threads, check=True, capture_output=True).stdout)
        for _ in range(repeats)
    ]
    return min(found, key=lambda each: each["seconds"])


def main() -> None:
    """Make or find the pair, run both, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        what, back, thigh = arguments.run
        print(json.dumps({"chain": chain, "peer": peer}[what](Path(back), Path(thigh))))
        return
    files = pair(arguments.days)
    ours, reading = (alone(what, files, arguments.repeats) for what in ("chain", "peer"))
    print(f"{'step':36} {'seconds':>8} {'of the peer':>12} {'peak MB':>8}")
    for name, label in STEPS.items():
        seconds, megabytes = ours["steps"][name]
        print(f"{label:36} {seconds:8.2f} {seconds / reading['seconds']:12.2f} {megabytes:8.0f}")
    ratio = ours["seconds"] / reading["seconds"]
    whole = f"whole path, {ours['epochs']} epochs"
    print(f"{whole:36} {ours['seconds']:8.2f} {ratio:12.2f} {ours['megabytes']:8.0f}")
    print(f"{'cwa-reader-rs, reading only':36} {reading['seconds']:8.2f} {1:12.2f} {reading['megabytes']:8.0f}")
    held = ours["seconds"] <= BAR_SECONDS and ours["megabytes"] <= BAR_MEGABYTES
    print(f"bar of {BAR_SECONDS:.0f} s and {BAR_MEGABYTES:.0f} MB for a week: {'held' if held else 'missed'}")


if __name__ == "__main__":
    main()
