"""Refreshes in children of a process that has imported everything, so that killing two hundred of them takes minutes.

``python tests/orchestration/fork_server.py`` reads homes from standard input; for each it forks a child that refreshes
it, and prints the child's number and then its exit code (negative: the signal that ended it).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class ForkServer:
    """The other end: start a refresh, kill it or wait for it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def start(self, home: Path) -> int:
        """Begin a refresh; returns its process."""
        assert self._process.stdin
        self._process.stdin.write(f"{home}\n")
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


def serve() -> None:
    sys.path.insert(0, str(ROOT))
    import altair  # noqa: F401
    import statsmodels.api  # noqa: F401

    import stegvis.expectations.evaluate  # noqa: F401
    from stegvis.orchestration.definitions import build_definitions  # noqa: F401
    from stegvis.orchestration.refresh import refresh
    from stegvis.storage.home import Home

    for line in sys.stdin:
        home = Path(line.strip())
        child = os.fork()
        if not child:
            # What a killed child leaves running must not keep the test's own output open.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
            os._exit(0 if refresh(Home(home, home / "landing")).ok else 1)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
