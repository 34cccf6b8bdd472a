"""Killed anywhere, the next refresh ends in what an undisturbed one makes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from stegvis.storage.home import Home
from tests.orchestration.dagster_view import stale_in_the_ui
from tests.orchestration.fork_server import ForkServer
from tests.orchestration.story import Story
from tests.sizes import FULL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

KILLS = 200 if FULL else 20
KILLS_BETWEEN_DELIVERIES = KILLS // 5  # there are five kinds of delivery
LONGEST_SECONDS = 3.0
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
