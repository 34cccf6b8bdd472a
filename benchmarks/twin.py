"""The full default twin: how long its deliveries take to write, and how much memory.

    python -m benchmarks.twin [--people 56042] [--waves 2] [--epochs 1000] [--raw 3] [--faults]

Meant to stay within 60 s and 2 GB on two cores. Prints the seconds of each step too. Peak memory is of this process,
which does all the work; the deliveries go to a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

from stegvis.study.study import Study
from stegvis.twin import write_twin


class Steps:
    """When each step began, as the twin reports it."""

    def __init__(self) -> None:
        self.began = [("start", time.perf_counter())]

    def __call__(self, message: str) -> None:
        self.began.append((message, time.perf_counter()))

    def print(self) -> None:
        """Seconds of each step."""
        ends = [at for _, at in self.began[1:]] + [time.perf_counter()]
        for (message, at), end in zip(self.began, ends, strict=True):
            print(f"{end - at:7.1f} s  {message}")


def main() -> None:
    """Write the twin once, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, size in (("people", 56_042), ("waves", 2), ("epochs", 1000), ("raw", 3)):
        parser.add_argument(f"--{name}", type=int, default=size)
    parser.add_argument("--faults", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        out, steps = Path(name) / "landing", Steps()
        wall, processor = time.perf_counter(), time.process_time()
        write_twin(
            out, Study.shipped().protocol, Study.shipped().codebook, asked.people, asked.waves, asked.epochs,
            raw=asked.raw, faults=asked.faults, progress=steps,
        )  # fmt: skip
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        steps.print()
        written = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{wall:.1f} s ({processor:.1f} s of processor, load {os.getloadavg()[0]:.1f}), peak {peak:,.0f} MB")
    print(f"{written / 1e6:,.0f} MB of deliveries")


if __name__ == "__main__":
    main()
