"""Killed anywhere, the next refresh ends in what an undisturbed one makes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import count, pairwise
from pathlib import Path

import pandas as pd
import psutil
import pytest

from stegvis.storage.home import Home
from tests.orchestration.dagster_view import stale_in_the_ui
from tests.orchestration.fork_server import ForkServer
from tests.orchestration.story import Story
from tests.sizes import FULL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

KILLS = 200 if FULL else 9
KILLS_BETWEEN_DELIVERIES = 40 if FULL else 3  # there are five kinds of delivery; the small size sees three
LONGEST_SECONDS = 3.0
# While which table is made, and how often; spread over the time that it takes.
ANALYSES = ("risk_ratios", "absolute_risks", "bias_models", "dose_response", "sensitivity_models", "time_use_models")
KILLS_WITHIN = (
    dict.fromkeys((*ANALYSES, "fitted_models", "pooled_models"), 8)
    | {"disclosure": 56, "claims": 8, "report": 16, "release": 56}
    if FULL
    else {"sensitivity_models": 1, "pooled_models": 1, "disclosure": 2, "release": 2}
)
DELIVERIES = 4 if FULL else 1
# They hold the time at which a release was made, or a digest of it.
HOLD_THE_TIME = {"manifest.json", "lineage.json", "datapackage.json", "report/index.html"}


@pytest.fixture
def forks() -> Iterator[ForkServer]:
    server = ForkServer()
    yield server
    server.close()


def released(story: Story) -> dict[str, bytes]:
    """What the newest release says."""
    folder = story.release()
    files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    return {name: file.read_bytes() for name, file in files.items() if name not in HOLD_THE_TIME}


def assert_same(disturbed: Story, undisturbed: Story) -> None:
    left, right = disturbed.tables(), undisturbed.tables()
    assert left.keys() == right.keys()
    for name in left:
        if name != "release":  # its rows hash the manifest, which says when it was made
            pd.testing.assert_frame_equal(left[name], right[name], obj=name)
    assert disturbed.release().name == undisturbed.release().name
    assert released(disturbed) == released(undisturbed)


def deliver(story: Story, number: int) -> None:
    """One delivery after the other: a wave, corrections of it and of the baseline, recordings, a withdrawal."""
    match number % 5:
        case 0:
            story.drop("followup", f"{2024 + number}-{2026 + number}", story.answers().iloc[::2], "questionnaire.csv")
        case 1:
            row = story.baseline().iloc[[number]].assign(SmoStat_NT4BLQ1="3")
            story.drop("baseline", f"2020-{number:02d}", row, "participants.csv")
        case 2:
            story.drop("recordings", f"2019-09-{number}", story.days().iloc[number : number + 20], "days.csv")
        case 3:
            story.drop("followup", f"2021-2023.{number}", story.answers().iloc[number:50], "questionnaire.csv")
        case 4:
            story.withdraw(f"2025-{number:02d}", [story.baseline()["person"].iloc[number]])


def test_killed_at_random_moments(
    story: Story, tmp_path: Path, forks: ForkServer, unused_port: Callable[[], int]
) -> None:
    undisturbed = Story(Home(tmp_path / "undisturbed", tmp_path / "undisturbed" / "landing"))
    shutil.copytree(story.home.root, undisturbed.home.root, symlinks=True)
    moments = random.Random(1)
    kills = number = 0
    while kills < KILLS:
        for each in (story, undisturbed):
            deliver(each, number)
        number += 1
        for _ in range(KILLS_BETWEEN_DELIVERIES):
            child = forks.start(story.home.root)
            time.sleep(moments.uniform(0.0, LONGEST_SECONDS))
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            code = forks.ended()
            kills += code == -signal.SIGKILL
            if code != -signal.SIGKILL:
                break
        forks.start(story.home.root)
        assert forks.ended() == 0
        assert undisturbed.refresh().ok
        assert_same(story, undisturbed)
    assert not stale_in_the_ui(story.home, unused_port())
    assert not story.planned()
    assert not list(story.home.releases.glob(".staging*"))


def began(log: Path) -> list[tuple[str, float]]:
    """The tables that a refresh began to make, each with the time."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [(name, float(at)) for name, at in (line.split() for line in lines)]


def seconds_by_table(log: Path, ended: float) -> dict[str, float]:
    """How long a refresh took for each table, from its log."""
    steps = [*began(log), ("", ended)]
    return {name: then - at for (name, at), (_, then) in pairwise(steps)}


def is_running(child: int) -> bool:
    """Whether a process has not ended yet."""
    try:
        return psutil.Process(child).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(log: Path, left: Mapping[str, int], child: int) -> str | None:
    """Wait until a refresh makes a table in which it is to be killed; None if it ended before."""
    seen = 0
    while is_running(child):
        steps = began(log)
        for name, _ in steps[seen:]:
            if left.get(name):
                return name
        seen = len(steps)
        time.sleep(0.005)
    return None


def test_killed_within_analyses_disclosure_and_release(story: Story, tmp_path: Path, forks: ForkServer) -> None:
    undisturbed = Story(Home(tmp_path / "undisturbed", tmp_path / "undisturbed" / "landing"))
    shutil.copytree(story.home.root, undisturbed.home.root, symlinks=True)
    moments, kills = random.Random(2), 0
    for number in range(DELIVERIES):
        for each in (story, undisturbed):
            wave = f"{2024 + 3 * number}-{2026 + 3 * number}"
            each.drop("followup", wave, each.answers().iloc[number % 2 :: 2 + number], "questionnaire.csv")
        log = tmp_path / f"log-{number}"
        forks.start(undisturbed.home.root, log)
        assert forks.ended() == 0
        seconds = seconds_by_table(log, time.monotonic())
        left = {name: -(-wanted // DELIVERIES) for name, wanted in KILLS_WITHIN.items() if name in seconds}
        for attempt in count():
            log = tmp_path / f"log-{number}-{attempt}"
            child = forks.start(story.home.root, log)
            table = wait_for(log, left, child)
            if table:
                time.sleep(moments.uniform(0.0, seconds[table]))
                left[table] -= 1
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            code = forks.ended()
            kills += code == -signal.SIGKILL
            if not table:
                assert code == 0
                break
        assert_same(story, undisturbed)
    # Those whose table was made faster than in the undisturbed refresh end before they are killed.
    assert kills >= 0.5 * sum(KILLS_WITHIN.values())
    assert not story.planned()
    assert not list(story.home.releases.glob(".staging*"))
