"""The processes behind ``stegvis ui``: webserver, daemon and reports server; they end together.

Behind the reverse proxy of ``deploy/`` each runs by itself, and a second, read-only webserver for viewers beside them.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

from stegvis.orchestration.instance import dagster_command
from stegvis.orchestration.ui_parts import LOCAL, PREFIX, Part
from stegvis.orchestration.ui_server import TOKEN
from stegvis.storage.home import Home

_START_SECONDS = 180.0
_END_SECONDS = 15.0

Process = subprocess.Popen[bytes]


class UnguardedError(RuntimeError):
    """The webserver answers without the token; it was stopped."""


def new_token() -> str:
    """The token of this start: from ``STEGVIS_UI_TOKEN`` where that is set, else a random one."""
    return os.environ.get(TOKEN) or secrets.token_urlsafe(32)


@contextmanager
def processes(
    home: Home, port: int, token: str, only: Part | None = None, listen: str = LOCAL
) -> Iterator[list[Process]]:
    """Webserver on ``port``, reports server on the next one, and daemon; all are stopped when the block ends.

    With ``only`` this part alone, on ``port`` of the address ``listen``; a webserver then has the path of its role.
    """
    environment = {name: value for name, value in os.environ.items() if name != TOKEN}
    started: list[Process] = []
    try:
        for part, command in _commands(home, port, only, listen).items():
            variables = environment | {TOKEN: token} if part.is_webserver else environment
            started.append(subprocess.Popen(command, env=variables))
        yield started
    finally:
        _stop(started)


def _commands(home: Home, port: int, only: Part | None, listen: str) -> dict[Part, list[str]]:
    """The command of each part that is started."""
    module = ["-m", "stegvis.orchestration.definitions", "-d", str(home.root)]
    python = sys.executable
    web = [python, "-m", "stegvis.orchestration.ui_server", *module, "-h", listen, "-p", str(port)]
    reports = [python, "-m", "stegvis.orchestration.reports_server", str(home.releases)]
    daemon = dagster_command("dagster-daemon", "run", *module)
    if only is None:
        return {Part.WEBSERVER: web, Part.DAEMON: daemon, Part.REPORTS: [*reports, str(port + 1)]}
    alone = {
        Part.WEBSERVER: [*web, "--path-prefix", PREFIX[Part.WEBSERVER]],
        Part.VIEWER: [*web, "--path-prefix", PREFIX[Part.VIEWER], "--read-only"],
        Part.DAEMON: daemon,
        Part.REPORTS: [*reports, str(port)],
    }
    return {only: alone[only]}


def wait_until_served(started: Sequence[Process], port: int) -> None:
    """Return when the webserver answers, and refuses who has no token.

    Raises:
        UnguardedError: it answers without the token.
        RuntimeError: a process ended, or it does not answer in time.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if any(process.poll() is not None for process in started):
            raise RuntimeError("a process of the UI ended while it started")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5):
                raise UnguardedError("the UI answered a request without the token, so it was stopped")
        except urllib.error.HTTPError as answer:
            if answer.code == 401:
                return
        except OSError:
            pass
        time.sleep(0.3)
    raise RuntimeError(f"the UI did not answer within {_START_SECONDS:.0f} s")


def wait_until_one_ends(started: Sequence[Process]) -> None:
    """Return when a process has ended."""
    while all(process.poll() is None for process in started):
        time.sleep(0.5)


def _stop(started: Sequence[Process]) -> None:
    """End the processes as Ctrl-C does, then their code servers, which would otherwise live on for a while."""
    # Stopping takes half a minute at most; a second signal must not leave some of them running.
    for each_signal in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each_signal, signal.SIG_IGN)
    everything = [each for process in started for each in _with_descendants(process)]
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
    _, left = psutil.wait_procs(everything, timeout=_END_SECONDS)
    for each in left:
        with suppress(psutil.NoSuchProcess):
            each.terminate()
    _, left = psutil.wait_procs(left, timeout=_END_SECONDS)
    for each in left:
        with suppress(psutil.NoSuchProcess):
            each.kill()


def _with_descendants(process: Process) -> list[psutil.Process]:
    try:
        mine = psutil.Process(process.pid)
        return [mine, *mine.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
