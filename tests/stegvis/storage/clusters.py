"""A separate Dask cluster: scheduler and workers as processes on several loopback addresses, each with its scratch."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
SCHEDULER_PID = "scheduler.pid"


@dataclass
class Cluster:
    """Processes that can be killed one by one; logs and scratch folders are in ``folder``.

    A worker is started again when it ended, as systemd, Kubernetes or the loop of a batch job do.
    """

    folder: Path
    port: int = 0
    scheduler: subprocess.Popen[bytes] | None = None
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def start_scheduler(self) -> None:
        self.scheduler = self._start(
            "scheduler", ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port),
                          "--no-dashboard"], {},
        )  # fmt: skip
        (self.folder / SCHEDULER_PID).write_text(str(self.scheduler.pid))

    def start_worker(
        self, host: str, scratch: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        scratch = scratch or self.folder / f"scratch-{host}"
        scratch.mkdir(exist_ok=True)
        worker = ["distributed.cli.dask_worker", self.address, "--host", host, "--nthreads", "1", "--no-dashboard",
                  "--local-directory", str(scratch), "--name", host]  # fmt: skip
        self.workers[host] = self._start(host, worker, environment or {}, again=True)

    def wait(self, workers: int) -> None:
        """Until so many workers have joined."""
        from distributed import Client

        with Client(self.address, timeout="60s", set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)

    def kill_scheduler(self) -> None:
        """As a power cut would."""
        assert self.scheduler
        _kill(self.scheduler)

    def stop(self) -> None:
        for process in [*self.workers.values(), *([self.scheduler] if self.scheduler else [])]:
            _kill(process)

    def _start(
        self, name: str, module: list[str], environment: Mapping[str, str], again: bool = False
    ) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", *module]
        if again:
            command = ["sh", "-c", 'while true; do "$@"; sleep 0.2; done', "worker", *command]
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster with a scheduler and no workers."""
    made = Cluster(folder)
    try:
        made.start_scheduler()
        yield made
    finally:
        made.stop()


@contextlib.contextmanager
def two_workers(folder: Path) -> Iterator[str]:
    """The scheduler's address, after both workers have joined. Its process id is in the file ``SCHEDULER_PID``."""
    with cluster(folder) as made:
        for host in ("127.0.0.2", "127.0.0.3"):
            made.start_worker(host)
        made.wait(2)
        yield made.address


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
