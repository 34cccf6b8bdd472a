"""Tasks distributed over real worker processes: order, failures, dead workers, an external cluster."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from stegvis.storage.fan_out import fan_out
from stegvis.storage.tasks import SCHEDULER_VARIABLE, ClusterLostError, LostTaskError, StopTasksError
from tests.small_disk import small_disk
from tests.stegvis.storage import fan_out_tasks as tasks
from tests.stegvis.storage.clusters import SCHEDULER_PID, cluster, two_workers


@pytest.fixture(autouse=True)
def no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SCHEDULER_VARIABLE, raising=False)


def test_a_few_tasks_run_in_this_process_and_in_order() -> None:
    reported: list[tuple[int, int, object]] = []
    assert fan_out(tasks.square, [3, 1, 2], lambda *progress: reported.append(progress)) == [9, 1, 4]
    assert reported == [(1, 3, 9), (2, 3, 1), (3, 3, 4)]
    assert fan_out(tasks.process_of, [1]) == [os.getpid()]
    assert fan_out(tasks.square, []) == []


def test_a_failure_does_not_affect_other_tasks_and_its_message_is_withheld() -> None:
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
def test_a_killed_worker_affects_only_its_task(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("a", "victim", "b", "c", "d", "e")]
    assert fan_out(tasks.dies_once, names, workers=2) == ["a", "victim", "b", "c", "d", "e"]
    found = fan_out(tasks.always_dies, [0, 1, 2, 3, 4, 5], workers=2)
    assert isinstance(found[1], LostTaskError)
    assert "died" in str(found[1])
    assert found[:1] + found[2:] == [0, 2, 3, 4, 5]


@pytest.mark.slow
def test_tasks_run_on_the_cluster_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with two_workers(tmp_path) as address:
        monkeypatch.setenv(SCHEDULER_VARIABLE, address)
        found = fan_out(tasks.process_of, list(range(8)))
        assert len(set(found)) == 2
        assert os.getpid() not in found
        # There, too, the task of a dead worker is repeated.
        names = [str(tmp_path / name) for name in ("a", "victim", "b", "c")]
        assert fan_out(tasks.dies_once, names) == ["a", "victim", "b", "c"]


@pytest.mark.slow
def test_a_lost_cluster_is_not_the_fault_of_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with two_workers(tmp_path) as address:
        monkeypatch.setenv(SCHEDULER_VARIABLE, address)
        with pytest.raises(ClusterLostError, match=r"no Dask scheduler answered at tcp://.* within 3 s"):
            fan_out(tasks.takes_the_scheduler_down, [str(tmp_path / SCHEDULER_PID)] * 6, patience=3.0)


def test_a_scheduler_that_does_not_respond_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SCHEDULER_VARIABLE, "tcp://127.0.0.1:9")
    with pytest.raises(ClusterLostError, match=SCHEDULER_VARIABLE):
        fan_out(tasks.square, [1], patience=1.0)


def after(count: int, act: Callable[[], None]) -> Callable[..., None]:
    """Something that is done once so many tasks have ended, for ``on_done``."""

    def on_done(done: int, total: int, result: object) -> None:
        if done == count:
            act()

    return on_done


@pytest.mark.slow
def test_a_scheduler_that_comes_back_gets_what_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster(tmp_path) as made:
        monkeypatch.setenv(SCHEDULER_VARIABLE, made.address)
        for host in ("127.0.0.2", "127.0.0.3"):
            made.start_worker(host)
        made.wait(2)

        def lost() -> None:
            made.kill_scheduler()
            threading.Timer(2, made.start_scheduler).start()

        kept: list[int] = []
        lines: list[str] = []
        found = fan_out(
            tasks.slow_square, list(range(12)), after(4, lost), keep=lambda task, result: kept.append(task),
            report=lines.append, patience=60.0,
        )  # fmt: skip
    assert found == [number * number for number in range(12)]
    assert sorted(kept) == list(range(12)), "each once: what was done is not done again"
    (line,) = [line for line in lines if "was lost" in line]
    assert re.fullmatch(
        r"the Dask scheduler was lost; \d+ of 12 are done and kept. Waiting up to 60 s for it to come back", line
    )
    done = int(line.split("; ")[1].split()[0])
    assert 4 <= done < 12


@pytest.mark.slow
def test_a_scheduler_without_workers_is_not_waited_for_forever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster(tmp_path) as made:
        monkeypatch.setenv(SCHEDULER_VARIABLE, made.address)
        lines: list[str] = []
        with pytest.raises(ClusterLostError, match=r"no workers for \d+ s; 0 of 3 are done and kept. Start workers"):
            fan_out(tasks.square, [1, 2, 3], patience=2.0, report=lines.append)
    assert lines == ["the Dask scheduler has no workers; waiting up to 2 s for one"]


@pytest.mark.slow
def test_what_a_full_scratch_refuses_is_done_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full, roomy = "127.0.0.2", "127.0.0.3"
    with small_disk(tmp_path / "full", 1), cluster(tmp_path) as made:
        monkeypatch.setenv(SCHEDULER_VARIABLE, made.address)
        made.start_worker(full, tmp_path / "full")
        made.wait(1)
        with pytest.raises(StopTasksError, match="the scratch disk is full; free space"):
            fan_out(tasks.writes_megabytes, ["0"])
        made.start_worker(roomy)
        made.wait(2)
        lines: list[str] = []
        found = fan_out(tasks.writes_megabytes, [str(number) for number in range(10)], report=lines.append)
    assert found == [roomy] * 10
    refused = [
        line for line in lines if re.match(r"the scratch disk is full; .*, says worker tcp://127\.0\.0\.2:", line)
    ]
    assert 1 <= len(refused) == len(lines)
    assert not list((tmp_path / f"scratch-{roomy}").rglob("stegvis-*")), "nothing is left behind"
