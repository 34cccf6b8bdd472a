"""Tasks for the tests, at the top level of a module so that worker processes can import them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path


def square(number: int) -> int:
    return number * number


def fails_on_three(number: int) -> int:
    if number == 3:
        raise ValueError("SECRET 12345")
    return number


def process_of(_number: int) -> int:
    time.sleep(0.3)
    return os.getpid()


def dies_once(marker: str) -> str:
    """Kills its worker at the first attempt and succeeds at the second."""
    file = Path(marker)
    if file.name.startswith("victim") and not file.exists():
        file.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return file.name


def always_dies(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def takes_the_scheduler_down(pid_file: str) -> int:
    """Kills the scheduler of the cluster, as a power cut would."""
    file = Path(pid_file)
    if file.exists():
        os.kill(int(file.read_text()), signal.SIGKILL)
        file.unlink()
    time.sleep(1)
    return 0


def slow_square(number: int) -> int:
    time.sleep(0.4)
    return number * number


def writes_megabytes(place: str) -> str:
    """Fetches, as it were, three megabytes into the scratch of its worker; returns the host of the worker."""
    from distributed import get_worker

    from stegvis.storage.remote_files import scratch

    with scratch() as folder:
        (folder / place).write_bytes(bytes(3_000_000))
    return str(get_worker().address).split(":")[1].strip("/")
