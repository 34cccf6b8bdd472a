"""A raw pair of a week, from files to epochs: processor time and peak memory of each step, with limits and peers.

    python -m benchmarks.raw_chain [--days 7] [--repeats 3] [--peer PYTHON]

The pair is made by the twin and kept in the system's temporary folder for the next run. The classification and the
peers run in separate processes with one thread each; the best of the repeats is printed. cwa-reader-rs reads the same
files. ActiMotus (`pip install acti-motus`), in the environment whose interpreter --peer names, classifies the same
signals one day at a time, after they have been read, synchronized and resampled here, which it does not do. Times are
processor times, but still increase by half on a busy machine; then only the ratios to the peers are meaningful. Peak
memory needs Linux.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stegvis.accelerometry.method import Method

# The timed functions: module and name as the caller imports them, in the order in which they run.
STEPS = {
    "raw_sensor.read_cwa": "read both files",
    "raw_sensor.raw_signal": "times of samples",
    "raw_sensor.summarize": "ten-second windows",
    "raw_sensor.still_directions": "still windows",
    "raw_sensor.calibrate": "calibration",
    "raw_sensor.worn": "wear",
    "pair_classification.sensors_swapped": "swapped?",
    "pair_classification.synchronize": "synchronization",
    "pair_classification.common_epochs": "epochs in common",
    "pair_classification.classify_epochs": "resample, features, predict, pace",
    "pair_epochs.resample": "  including resampling",
    "classifier.features": "  including features",
    "network.Network.probabilities": "  including prediction",
    "classifier.probabilities_by_second": "  including seconds, with their resampling and features",
    "classifier.smooth_seconds": "  including smoothing of seconds",
    "classifier.gait_autocorrelation": "  including autocorrelation",
    "classifier.orientation_of": "  including orientation",
}
BAR_SECONDS, STRETCH_SECONDS, BAR_MEGABYTES = 6.5, 5.0, 700.0
BAR_MODEL_SECONDS, MODEL_STEPS = 3.0, ("classifier.features", "network.Network.probabilities")

# The end of the peer's script, which prints its peak memory.
PEAK = """
import json, resource
print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
"""


def shipped_method() -> Method:
    """The settings of the shipped protocol."""
    from stegvis.accelerometry.method import Method
    from stegvis.study.study import Study

    return Method.of(Study.shipped().protocol)


def pair(days: int) -> tuple[Path, Path]:
    """The files of the pair, which are made if they do not exist."""
    from stegvis.study.study import Study
    from stegvis.twin.raw import write_raw_pair

    folder = Path(tempfile.gettempdir()) / f"stegvis-raw-chain-{days}"
    files = folder / "P_back.cwa", folder / "P_thigh.cwa"
    if not (folder / "done").exists():
        folder.mkdir(exist_ok=True)
        begin = time.perf_counter()
        write_raw_pair(folder, "P", days, seed=1, protocol=Study.shipped().protocol)
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


def classification(back: Path, thigh: Path) -> dict[str, Any]:
    """Processor seconds and peak memory of each step, and in total."""
    from stegvis.accelerometry.epoch_model import load_model
    from stegvis.accelerometry.pair_classification import classify_pair

    method = shipped_method()
    load_model()  # imports and the model are loaded once per process, not per pair
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

    for step in STEPS:
        module, *owner, name = step.split(".")
        holder: Any = importlib.import_module(f"stegvis.accelerometry.{module}")
        for part in owner:
            holder = getattr(holder, part)
        setattr(holder, name, timed(step, getattr(holder, name)))
    begin, started = time.process_time(), time.perf_counter()
    result = classify_pair(back, thigh, method)
    seconds, wall = time.process_time() - begin, time.perf_counter() - started
    return {
        "seconds": seconds,
        "wall": wall,
        "megabytes": max(highest, peak_megabytes()),
        "steps": steps,
        "epochs": len(result.epochs),
    }


def peer(back: Path, thigh: Path) -> dict[str, Any]:
    """cwa-reader-rs reading the same two files, one after the other."""
    from cwa_reader_rs import read_cwa_file

    begin, started = time.process_time(), time.perf_counter()
    for file in (back, thigh):
        read_cwa_file(str(file), include_temperature=False, include_light=False, include_battery=False)
    wall = time.perf_counter() - started
    return {"seconds": time.process_time() - begin, "wall": wall, "megabytes": peak_megabytes()}


def actimotus(interpreter: str, files: tuple[Path, Path]) -> dict[str, float]:
    """ActiMotus on the same signals at 50 Hz, a day at a time: its processor seconds and peak."""
    import numpy as np
    import pandas as pd

    from benchmarks.classifier import PEER
    from stegvis.accelerometry.pair_epochs import common_epochs
    from stegvis.accelerometry.raw_sensor import raw_sensor, read_recording
    from stegvis.accelerometry.synchronization import synchronize
    from stegvis.accelerometry.windows import gather

    method = shipped_method()
    recordings = {
        place: read_recording(file, place, method.raw_recordings)
        for place, file in zip(("back", "thigh"), files, strict=True)
    }
    origin = recordings["back"].segments[0].start.astype("datetime64[D]")
    sensors = {place: raw_sensor(recordings[place], place, origin, {}, method) for place in recordings}
    back, thigh = sensors["back"], sensors["thigh"]
    clocks = synchronize(back.signal, thigh.signal, back.summary, thigh.summary, method.synchronization, method.epochs)
    epochs = common_epochs(sensors, clocks, method)
    names = [f"{place}_{axis}" for place in ("back", "thigh") for axis in "xyz"]
    with tempfile.TemporaryDirectory() as name:
        day = epochs.start // 86400
        for number in np.unique(day):
            which = np.flatnonzero(day == number)
            samples = gather(epochs.windows, which, method.epochs.samples_per_epoch)
            times = 1000 * epochs.start[which][:, None] + np.arange(samples.shape[1]) * 20
            table = pd.DataFrame(samples.reshape(-1, 6), columns=names)
            table["time"] = origin.astype("datetime64[ms]") + times.ravel().astype("timedelta64[ms]")
            table.to_parquet(Path(name) / f"signal_{number:03}.parquet")
        command = [interpreter, "-W", "ignore", "-c", PEER + PEAK, name]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
        shown = subprocess.run(command, env=os.environ | threads, check=True, capture_output=True, text=True).stdout
        found = [pd.read_parquet(file, columns=["seconds"]) for file in Path(name).glob("found_*.parquet")]
    seconds = float(sum(table["seconds"].iloc[0] for table in found))
    return {"seconds": seconds, "megabytes": float(json.loads(shown.splitlines()[-1]))}


def alone(what: str, files: tuple[Path, Path], repeats: int) -> dict[str, Any]:
    """The fastest of several runs, each in its own process."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "benchmarks.raw_chain", "--run", what, *map(str, files)]
    found = [
        json.loads(subprocess.run(command, env=os.environ | threads, check=True, capture_output=True).stdout)
        for _ in range(repeats)
    ]
    return min(found, key=lambda each: each["seconds"])


def main() -> None:
    """Make or find the pair, run both, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peer", help="interpreter of an environment with acti-motus")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        what, back, thigh = arguments.run
        print(json.dumps({"classification": classification, "peer": peer}[what](Path(back), Path(thigh))))
        return
    files = pair(arguments.days)
    ours, reading = (alone(what, files, arguments.repeats) for what in ("classification", "peer"))
    print(f"{'step':36} {'seconds':>8} {'of the peer':>12} {'peak MB':>8}")
    for name, label in STEPS.items():
        seconds, megabytes = ours["steps"][name]
        print(f"{label:36} {seconds:8.2f} {seconds / reading['seconds']:12.2f} {megabytes:8.0f}")
    ratio = ours["seconds"] / reading["seconds"]
    whole = f"all steps, {ours['epochs']} epochs"
    print(f"{whole:36} {ours['seconds']:8.2f} {ratio:12.2f} {ours['megabytes']:8.0f}")
    print(f"{'cwa-reader-rs, reading only':36} {reading['seconds']:8.2f} {1:12.2f} {reading['megabytes']:8.0f}")
    if arguments.peer:
        other = actimotus(arguments.peer, files)
        ratio = other["seconds"] / reading["seconds"]
        print(f"{'ActiMotus, classifying only':36} {other['seconds']:8.2f} {ratio:12.2f} {other['megabytes']:8.0f}")
    else:
        print("ActiMotus: name an interpreter that has it with --peer")
    model = sum(ours["steps"][name][0] for name in MODEL_STEPS)
    week = arguments.days / 7
    for what, found, bar, unit in (
        ("files to epochs", ours["seconds"], BAR_SECONDS * week, "s"),
        ("files to epochs, stretch", ours["seconds"], STRETCH_SECONDS * week, "s"),
        ("features and prediction", model, BAR_MODEL_SECONDS * week, "s"),
        ("peak memory", ours["megabytes"], BAR_MEGABYTES, "MB"),
    ):
        print(f"{'PASS' if found <= bar else 'FAIL'} {what}: {found:.2f} of {bar:.2f} {unit}")


if __name__ == "__main__":
    main()
