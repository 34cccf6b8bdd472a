"""Work spread over real worker processes: order, failures, deaths, a cluster of one's own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.fan_out import SCHEDULER_VARIABLE, LostTaskError, fan_out
from tests.storage import fan_out_tasks as tasks

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SCHEDULER_VARIABLE, raising=False)


def test_few_tasks_run_here_and_in_order() -> None:
    told: list[tuple[int, int]] = []
    assert fan_out(tasks.square, [3, 1, 2], lambda *progress: told.append(progress)) == [9, 1, 4]
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert fan_out(tasks.process_of, [1]) == [os.getpid()]
    assert fan_out(tasks.square, []) == []


def test_one_failure_is_no_others_and_its_text_is_withheld() -> None:
    here = fan_out(tasks.fails_on_three, [1, 3, 5])
    assert here[0] == 1
    assert here[2] == 5
    assert isinstance(here[1], LostTaskError)
    assert str(here[1]) == "unexpected ValueError"


@pytest.mark.slow
def test_many_tasks_run_in_several_processes(tmp_path: Path) -> None:
    found = fan_out(tasks.process_of, list(range(8)), workers=2)
    assert len(set(found)) == 2
    assert os.getpid() not in found
    spread = fan_out(tasks.fails_on_three, list(range(6)), workers=2)
    assert [r for r in spread if not isinstance(r, LostTaskError)] == [0, 1, 2, 4, 5]


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_costs_only_its_task(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("a", "victim", "b", "c", "d", "e")]
    assert fan_out(tasks.dies_once, names, workers=2) == ["a", "victim", "b", "c", "d", "e"]
    found = fan_out(tasks.always_dies, [0, 1, 2, 3, 4, 5], workers=2)
    assert isinstance(found[1], LostTaskError)
    assert "died" in str(found[1])
    assert found[:1] + found[2:] == [0, 2, 3, 4, 5]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """A scheduler and two workers as processes of their own, the workers on loopback addresses of their own."""
    address = "tcp://127.0.0.1:18786"
    started = []

    def start(*arguments: str) -> None:
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )
        )  # fmt: skip

    start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "18786", "--no-dashboard")
    for host in ("127.0.0.2", "127.0.0.3"):
        start("distributed.cli.dask_worker", address, "--host", host, "--nthreads", "1", "--no-dashboard",
              "--local-directory", str(tmp_path))  # fmt: skip
    time.sleep(1)
    yield address
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_the_same_code_runs_on_a_cluster_named_by_the_environment(
    cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SCHEDULER_VARIABLE, cluster)
    found = fan_out(tasks.process_of, list(range(8)))
    assert len(set(found)) == 2
    assert os.getpid() not in found
