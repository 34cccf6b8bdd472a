"""What the README says about speed and memory, measured: ``python -m benchmarks.pipeline [--people N]``.

Each command is timed as a process of its own. The peer of the refresh is a plain pandas count of the same deliveries
(``tests/oracle_flow.py``), which knows the rules but neither models nor checks nor records anything.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run(*arguments: str) -> tuple[float, float]:
    """Seconds and peak megabytes of a Python process."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, code, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(code)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}")
    return time.perf_counter() - started, used.ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", default="56042")
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        stegvis = ("-m", "stegvis.orchestration")
        rows = [("load the definitions", *run("-c", "import stegvis.orchestration.definitions"))]
        twin = run(
            *stegvis, "twin", "--out", str(home / "landing"), "--people", people, "--epochs", "40", "--signals", "2"
        )
        rows.append(("stegvis twin", *twin))
        count = (
            "from pathlib import Path; from tests.oracle_flow import flow_from_deliveries; "
            f"flow_from_deliveries(Path({str(home / 'peer')!r}))"
        )
        without_signals(home / "landing", home / "peer")
        peer = run("-c", count)
        rows.append(("plain pandas count of the flow", *peer))
        full = run(*stegvis, "refresh", "--home", str(home))
        rows.append(("stegvis refresh, everything", *full))
        rows.append(("stegvis refresh, nothing new", *run(*stegvis, "refresh", "--home", str(home))))
        rows.append(("stegvis status", *run(*stegvis, "status", "--home", str(home))))
    print(f"{people} people, two waves; seconds and peak memory")
    for name, seconds, megabytes in rows:
        print(f"{name:34} {seconds:8.2f} s {megabytes:8.0f} MB")
    print(f"{'refresh / plain pandas count':34} {full[0] / peer[0]:8.1f} times")


def without_signals(landing: Path, copy: Path) -> None:
    """The deliveries the peer can read: all but the 50 Hz signals."""
    import shutil

    shutil.copytree(landing, copy, ignore=lambda _folder, names: [name for name in names if name == "signals"])


if __name__ == "__main__":
    main()
