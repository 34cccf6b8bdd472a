"""Tasks distributed over real worker processes: order, failures, dead workers, an external cluster."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stegvis.storage.fan_out import SCHEDULER_VARIABLE, ClusterLostError, LostTaskError, fan_out
from tests.stegvis.storage import fan_out_tasks as tasks
from tests.stegvis.storage.clusters import SCHEDULER_PID, two_workers


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
        with pytest.raises(ClusterLostError):
            fan_out(tasks.takes_the_scheduler_down, [str(tmp_path / SCHEDULER_PID)] * 6)


def test_a_scheduler_that_does_not_respond_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SCHEDULER_VARIABLE, "tcp://127.0.0.1:9")
    with pytest.raises(ClusterLostError, match=SCHEDULER_VARIABLE):
        fan_out(tasks.square, [1], patience="1s")
