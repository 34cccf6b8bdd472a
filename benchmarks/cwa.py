"""Read and write a week at 50 Hz (129 MB packed), compared with cwa-reader-rs in the same run.

    python benchmarks/cwa.py [--days 7] [--repeats 3]

Each reader runs in its own process, so that its peak memory can be measured; the best of the repeats is printed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from stegvis.accelerometry.cwa import read_cwa
from stegvis.twin.cwa import Device, write_cwa

RATE_HZ = 49.6
BAR_SECONDS = 1.0  # to read a week


def ours(path: Path) -> int:
    """Number of samples, after reading samples and times."""
    recording = read_cwa(path)
    return len(recording.times)


def ours_in_g(path: Path) -> int:
    """The same, with the acceleration as float32."""
    recording = read_cwa(path)
    return min(len(recording.times), len(recording.acceleration()))


def peer(path: Path) -> int:
    """Times and acceleration as float32, without the slow channels."""
    from cwa_reader_rs import read_cwa_file

    return len(read_cwa_file(str(path), include_temperature=False, include_light=False, include_battery=False))


def measure(read: Callable[[Path], int], path: Path, repeats: int, result: Connection) -> None:
    """Send the best wall and processor seconds of the repeats, the samples read, and this process's peak in MB."""
    wall, processor, samples = [], [], 0
    for _ in range(repeats):
        begin, used = time.perf_counter(), time.process_time()
        samples = read(path)
        wall.append(time.perf_counter() - begin)
        processor.append(time.process_time() - used)
    result.send((min(wall), min(processor), samples, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def main() -> None:
    """Write a week, read it, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "week.cwa"
        samples = round(arguments.days * 86400 * RATE_HZ)
        day = np.random.default_rng(1).normal(0, 0.4, (min(samples, 4_320_000), 3)).astype(np.float32)
        day[:, 0] -= 1
        whole = np.tile(day, (-(-samples // len(day)), 1))[:samples]
        begin = time.perf_counter()
        write_cwa(path, whole, np.datetime64("2018-05-02T00:00:00"), Device(1, 1, RATE_HZ))
        print(
            f"written: {samples:,} samples, {path.stat().st_size / 1e6:.0f} MB in {time.perf_counter() - begin:.2f} s"
        )
        del day, whole
        found = {}
        spawn = multiprocessing.get_context("spawn")
        for name, read in {"ours": ours, "ours, in g": ours_in_g, "cwa-reader-rs": peer}.items():
            receive, send = spawn.Pipe(duplex=False)
            process = spawn.Process(target=measure, args=(read, path, arguments.repeats, send))
            process.start()
            wall, processor, read_samples, megabytes = receive.recv()
            process.join()
            found[name] = processor
            used = f"{wall:5.2f} s ({processor:.2f} s of processors)"
            print(f"{name:14} {used}, {read_samples:,} samples, peak {megabytes:,.0f} MB")
        print(
            f"ours against cwa-reader-rs, both in g: {found['cwa-reader-rs'] / found['ours, in g']:.1f} times as fast"
        )
        bar = BAR_SECONDS * arguments.days / 7
        print(f"{'PASS' if found['ours'] <= bar else 'FAIL'} reading: {found['ours']:.2f} of {bar:.2f} s of one core")


if __name__ == "__main__":
    main()
