"""The lock: one holder, named to those who wait; the lock ends with its process."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stegvis.storage.lock import LockedError, holder, locked

PROJECT = Path(__file__).parents[3]
HOLDER = """
import sys, time
from pathlib import Path
from stegvis.storage.lock import locked
with locked(Path(sys.argv[1]), "a long refresh"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "warehouse.lock"


def hold(file: Path, seconds: float) -> subprocess.Popen[str]:
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLDER, str(file), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_waits_and_learns_who_holds_the_lock(file: Path) -> None:
    other = hold(file, 0.6)
    waited_for: list[str] = []
    with locked(file, "status", wait_seconds=20, on_wait=waited_for.append):
        assert other.wait(5) == 0  # it had let go
    assert len(waited_for) == 1
    assert f"process {other.pid} (a long refresh, since " in waited_for[0]


def test_after_the_time_it_gives_up_and_says_for_whom_it_waited(file: Path) -> None:
    other = hold(file, 60)
    started = time.monotonic()
    try:
        with (
            pytest.raises(LockedError, match=rf"warehouse.lock is held by process {other.pid} \(a long refresh"),
            locked(file, "status", wait_seconds=0.3),
        ):
            pytest.fail("two hold the lock")
        assert 0.3 <= time.monotonic() - started < 5
    finally:
        other.kill()
        other.wait()


def test_a_killed_holder_releases_the_lock(file: Path) -> None:
    other = hold(file, 60)
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    waited_for: list[str] = []
    with locked(file, "status", wait_seconds=5, on_wait=waited_for.append):
        pass
    assert waited_for == []


def test_the_lock_is_free_after_the_block_also_after_an_error(file: Path) -> None:
    def fail() -> None:
        with locked(file, "first"):
            raise ValueError("it went wrong")

    with pytest.raises(ValueError, match="wrong"):
        fail()
    with locked(file, "second", wait_seconds=0):
        assert file.exists()


def test_it_excludes_within_one_process_too(file: Path) -> None:
    with (
        locked(file, "first"),
        pytest.raises(LockedError, match="first"),
        locked(file, "second", wait_seconds=0),
    ):
        pytest.fail("two hold the lock")


def test_a_process_may_take_its_own_lock_again_if_asked(file: Path) -> None:
    with locked(file, "refresh"), locked(file, "a table of it", wait_seconds=0, reentrant=True):
        assert holder(file) is not None
    assert holder(file) is None


def test_the_holder_can_be_asked_without_waiting(file: Path) -> None:
    assert holder(file) is None  # never taken
    other = hold(file, 60)
    try:
        assert f"process {other.pid} (a long refresh" in str(holder(file))
    finally:
        other.kill()
        other.wait(5)
    assert holder(file) is None


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ESTALE])
def test_a_disk_that_cannot_lock_is_named_at_once(file: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(handle: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    started = time.monotonic()
    with pytest.raises(LockedError, match="does not lock files"), locked(file, "refresh"):
        pytest.fail("nobody can hold it")
    assert time.monotonic() - started < 5
    file.touch()
    with pytest.raises(LockedError, match="does not lock files"):
        holder(file)
