"""What something cost: processor and wall seconds, peak memory, disk; and on what machine."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# Libraries of linear algebra use one thread each, ours and the peers'.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
VERSIONS = ("dagster", "duckdb", "numpy", "pandas", "pyarrow", "scipy", "statsmodels")


@dataclass(frozen=True)
class Cost:
    """What something took.

    Attributes:
        processor: seconds of all processors, of the process and those it started.
        wall: seconds that passed, which depend on what else the machine did; None where it was not measured.
        megabytes: peak memory of the largest process.
        disk: megabytes of what is stored, where something is.
    """

    processor: float
    wall: float | None
    megabytes: float
    disk: float | None = None


@dataclass(frozen=True)
class Peer:
    """Another program that did the same, or why it did not.

    Attributes:
        name: program and, after a comma, what it read.
        command: how to run it.
        cost: None where it was skipped.
        skipped: why.
        yardstick: it does much less than Stegvis, and is there to compare machines and versions, not programs.
    """

    name: str
    command: str
    cost: Cost | None = None
    skipped: str = ""
    yardstick: bool = False


@dataclass(frozen=True)
class Measure:
    """One thing that Stegvis does, and what its peers needed in the same run.

    Attributes:
        name: of the history of ratios.
        title, about: for the page; ``about`` says what was compared.
        command: how to run ours.
    """

    name: str
    title: str
    about: str
    command: str
    cost: Cost
    peers: list[Peer] = field(default_factory=list)

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Measure:
        """From the JSON of a run."""
        peers = [Peer(**each | {"cost": Cost(**each["cost"]) if each["cost"] else None}) for each in facts["peers"]]
        return cls(**{**facts, "cost": Cost(**facts["cost"]), "peers": peers})


# A small process that starts the program: the peak that Linux reports of a program is never below that of the process
# that started it.
_LAUNCH = """
import json, os, subprocess, sys, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=sys.stderr)
_, code, used = os.wait4(process.pid, 0)
wall = time.perf_counter() - started
print(json.dumps([os.waitstatus_to_exitcode(code), used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024]))
"""


def command(arguments: Sequence[str | Path]) -> Cost:
    """Run a program to its end, with no output.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    launch = [sys.executable, "-I", "-S", "-c", _LAUNCH, *map(str, arguments)]
    done = subprocess.run(
        launch, cwd=ROOT, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=True
    )
    code, processor, wall, megabytes = json.loads(done.stdout)
    if code:
        raise RuntimeError(f"{' '.join(map(str, arguments))} ended with {code}: {done.stderr[-800:]}")
    return Cost(processor, wall, megabytes)


def alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own, which is new, so that its peak memory is its own."""
    os.environ.update(ONE_THREAD)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


class Clock:
    """The cost of this process and its children from its making on."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), _processor()

    def cost(self, disk: float | None = None) -> Cost:
        """What was spent since; the peak is of the whole life of the process."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        peak = max(own_peak(), children)
        return Cost(_processor() - self._processor, time.perf_counter() - self._wall, peak, disk)


def _processor() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)


def own_peak() -> float:
    """Peak memory of this process in megabytes; what its parent had is not counted, as ``ru_maxrss`` would."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def cheapest(costs: Sequence[Cost]) -> Cost:
    """The run of least processor seconds: what other programs of the machine add is never negative."""
    return min(costs, key=lambda each: each.processor)


def megabytes_of(files: Sequence[Path]) -> float:
    """What these files take on disk."""
    return sum(file.stat().st_size for file in files) / 1e6


def machine() -> dict[str, Any]:
    """Processors, memory and versions of where this runs."""
    import psutil

    model = platform.processor() or platform.machine()
    about = Path("/proc/cpuinfo")
    if about.exists():
        named = [line for line in about.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else model
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gigabytes": round(psutil.virtual_memory().total / 1e9),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"Python": platform.python_version()} | {name: metadata.version(name) for name in VERSIONS},
    }


def as_json(measures: Sequence[Measure]) -> list[dict[str, Any]]:
    """Measures as they are stored, with as many digits as mean something."""
    return list(rounded([asdict(each) for each in measures]))


def rounded(value: Any) -> Any:
    """A value of JSON with four digits of each number."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list | tuple) else value
