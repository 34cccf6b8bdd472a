"""``stegvis ui`` in a process of its own, until it is served."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LONGEST_SECONDS = 300


@contextmanager
def running_ui(home: Path, port: int, **variables: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Webserver, daemon and reports server of a home; gives the process and the token that it printed.

    What they print goes to a file, since the daemon would wait for somebody to read a pipe that is full.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STEGVIS_", "DAGSTER_"))}
    log = home.parent / f"ui-{port}.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "stegvis.orchestration", "ui", "--home", str(home), "--port", str(port)],
            cwd=ROOT, env=kept | variables, stdout=written, stderr=written, start_new_session=True,
        )  # fmt: skip
    try:
        yield process, _token(process, log)
    finally:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(90)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


def _token(process: subprocess.Popen[bytes], log: Path) -> str:
    """The token, once the UI is served."""
    until = time.monotonic() + _LONGEST_SECONDS
    while not (found := re.search(r"/\?token=(\S+) shows", log.read_text(encoding="utf-8", errors="replace"))):
        assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
        assert time.monotonic() < until, f"the UI was not served within {_LONGEST_SECONDS} s"
        time.sleep(0.2)
    return found[1]
