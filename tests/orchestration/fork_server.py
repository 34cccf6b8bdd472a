"""Refreshes in children of a process that has imported everything, so that killing two hundred of them takes minutes.

``python tests/orchestration/fork_server.py`` reads homes from standard input; for each it forks a child that refreshes
it, and prints the child's number and then its exit code (negative: the signal that ended it). After the home there may
be a file, to which the child writes the name of each table when it begins to make it, with the time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class ForkServer:
    """The other end: start a refresh, kill it or wait for it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def start(self, home: Path, log: Path | None = None) -> int:
        """Begin a refresh, which may log the tables that it makes; returns its process."""
        assert self._process.stdin
        self._process.stdin.write(f"{home}\t{log}\n" if log else f"{home}\n")
        self._process.stdin.flush()
        return self._read()

    def ended(self) -> int:
        """Wait for the refresh; returns its exit code."""
        return self._read()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())


def log_tables(file: Path) -> None:
    """Write the name of each table to a file when it begins to be made, with the time."""
    from stegvis.assets import table

    original = table._materialize

    def logged(defined: Any, key: str, *others: Any) -> Iterator[Any]:
        with file.open("a", encoding="utf-8") as opened:
            opened.write(f"{defined.name} {time.monotonic()}\n")
        yield from original(defined, key, *others)

    table._materialize = logged  # type: ignore[assignment]


def serve() -> None:
    sys.path.insert(0, str(ROOT))
    import altair  # noqa: F401
    import statsmodels.api  # noqa: F401

    import stegvis.expectations.evaluate  # noqa: F401
    from stegvis.orchestration.definitions import build_definitions  # noqa: F401
    from stegvis.orchestration.refresh import refresh
    from stegvis.storage.home import Home

    for line in sys.stdin:
        home, _, log = line.strip().partition("\t")
        child = os.fork()
        if not child:
            # What a killed child leaves running must not keep the test's own output open.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            if log:
                log_tables(Path(log))
            os._exit(0 if refresh(Home(Path(home), Path(home) / "landing")).ok else 1)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
