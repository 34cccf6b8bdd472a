"""A separate Dask cluster: a scheduler and two workers as processes on different loopback addresses."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
SCHEDULER_PID = "scheduler.pid"


@contextlib.contextmanager
def two_workers(folder: Path) -> Iterator[str]:
    """The scheduler's address, after both workers have joined. Its process id is in the file ``SCHEDULER_PID``."""
    from distributed import Client

    started = []
    file = folder / "scheduler.json"

    def start(*arguments: str) -> None:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )
        )  # fmt: skip

    try:
        start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
              "--scheduler-file", str(file))  # fmt: skip
        (folder / SCHEDULER_PID).write_text(str(started[0].pid))
        for host in ("127.0.0.2", "127.0.0.3"):
            start("distributed.cli.dask_worker", "--scheduler-file", str(file), "--host", host, "--nthreads", "1",
                  "--no-dashboard", "--local-directory", str(folder))  # fmt: skip
        with Client(scheduler_file=str(file), timeout="60s") as client:
            client.wait_for_workers(2, timeout=60)
            address = client.scheduler.address
        yield address
    finally:
        for process in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
