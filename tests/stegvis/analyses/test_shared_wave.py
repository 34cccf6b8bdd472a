"""Two processes share the analyses of a wave: the same rows, whoever computes them, whatever happens to one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from stegvis.analyses import shared_wave as module
from stegvis.analyses.second_process import SecondProcess
from stegvis.analyses.shared_wave import SharedWave, from_either, shared_wave
from stegvis.analyses.suite import SUITE
from stegvis.analyses.wave_data import WaveData, rows_of
from stegvis.statistics.results import ResultRow, members_of, to_frame
from tests.stegvis.analyses.test_bias_models import quick
from tests.stegvis.conftest import lossy_wave_of

PLACES = [(group, number) for group in sorted(SUITE, reverse=True) for number in range(len(SUITE[group]))]


@pytest.fixture(scope="module")
def process() -> Iterator[SecondProcess]:
    process = SecondProcess()
    yield process
    process.end()


@pytest.fixture
def wave() -> WaveData:
    return lossy_wave_of(600, used=quick())


def wait_for(happened: Callable[[], object], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)


def shared_rows(group: str, shared: SharedWave, data: WaveData) -> tuple[list[ResultRow], dict[str, object]]:
    """The rows of a group, with what the second process read of the protocol for them."""
    read: dict[str, object] = {}
    analyses = [from_either(group, number, each, shared, read.__setitem__) for number, each in enumerate(SUITE[group])]
    return rows_of(analyses, data), read


@pytest.mark.parametrize("group", SUITE)
def test_the_second_process_gives_the_same_rows_people_and_values_read(group, process, wave):
    here: dict[str, object] = {}
    recorded = replace(wave, protocol=wave.protocol.with_record("", here.__setitem__))
    expected = rows_of(SUITE[group], recorded)
    mine = [place for place in PLACES if place[0] == group]
    shared = SharedWave(wave, mine, process)
    wait_for(lambda: len(shared._found) == len(mine))
    found, there = shared_rows(group, shared, wave)
    pd.testing.assert_frame_equal(to_frame(found), to_frame(expected), check_exact=True)
    pd.testing.assert_frame_equal(members_of(found), members_of(expected))
    assert there == here
    assert here


def test_what_needs_the_whole_cohort_is_computed_here(process, wave):
    """The second process is given a wave without it (``fit_wave``)."""
    mine = [place for place in PLACES if place[0] == "bias_models"]
    shared = SharedWave(replace(wave, cohort=None), mine, process)
    wait_for(lambda: not shared._todo and shared._running is None)
    assert len(shared._found) == len(mine) - 1
    found, _ = shared_rows("bias_models", shared, wave)
    assert to_frame(found).equals(to_frame(rows_of(SUITE["bias_models"], wave)))


def test_while_one_process_goes_forward_the_other_goes_backward(process, wave):
    """Whoever computes which of them, there is every row once."""
    shared = SharedWave(wave, [place for place in PLACES if place[0] == "risk_ratios"], process)
    rows, _ = shared_rows("risk_ratios", shared, wave)
    assert to_frame(rows).equals(to_frame(rows_of(SUITE["risk_ratios"], wave)))


@pytest.mark.slow
def test_a_second_process_that_is_killed_costs_nothing_but_time(wave):
    process = SecondProcess()
    shared = SharedWave(wave, PLACES, process)
    wait_for(lambda: shared._found)
    process._process.send_signal(signal.SIGKILL)
    rows, _ = shared_rows("risk_ratios", shared, wave)
    assert to_frame(rows).equals(to_frame(rows_of(SUITE["risk_ratios"], wave)))
    assert not process.alive
    process.end()


def test_an_error_in_the_second_process_is_raised_where_it_was_asked(process, wave):
    """The analysis is computed again here, so that the error has its own place in the code."""
    broken = replace(wave, people=wave.people.drop(columns="age"))
    shared = SharedWave(broken, [("risk_ratios", 0)], process)
    wait_for(lambda: shared._running is None and not shared._todo)
    assert shared._found == {}
    with pytest.raises(KeyError, match="age"):
        shared_rows("risk_ratios", shared, broken)


def test_it_is_begun_once_for_the_tables_of_a_run_and_anew_for_other_data(wave, monkeypatch):
    monkeypatch.setattr(module, "SMALLEST", 100)
    monkeypatch.setattr(module, "_processors", lambda: 2)
    first = shared_wave(wave, ["risk_ratios", "bias_models"])
    again = shared_wave(lossy_wave_of(600, used=quick()), ["risk_ratios", "bias_models"])
    other = shared_wave(lossy_wave_of(500, used=quick()), ["risk_ratios"])
    changed = wave.protocol.model_copy(update={"models": wave.protocol.models.model_copy(update={"confidence": 0.9})})
    assert first is again
    assert first is not other
    assert shared_wave(replace(wave, protocol=changed), ["risk_ratios"]) is not other
    assert not first._todo


def test_small_waves_and_single_processors_need_no_second_process(wave, monkeypatch):
    assert shared_wave(wave, ["risk_ratios"]) is None
    monkeypatch.setattr(module, "SMALLEST", 100)
    monkeypatch.setattr(module, "_processors", lambda: 1)
    assert shared_wave(wave, ["risk_ratios"]) is None


def test_the_second_process_ends_with_the_one_that_started_it(tmp_path: Path):
    program = (
        "import time; from stegvis.analyses.second_process import SecondProcess; "
        "print(SecondProcess()._process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout
        second = int(first.stdout.readline())
        first.kill()
    wait_for(lambda: not is_running(second))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().split(") ")[1].startswith("Z"))
