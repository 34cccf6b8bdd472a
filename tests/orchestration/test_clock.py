"""The clock goes back by days between refreshes, or by hours within one: nothing is made again, or published twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.attacks import attackers
from tests.orchestration.story import Story
from tests.sizes import FULL

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
WAVE = "2024-2026"


def refresh(story: Story, clock: str) -> subprocess.CompletedProcess[str]:
    """A refresh by another clock: ``-3d``, or ``-3d x-600``, which runs back ten minutes each second."""
    if FAKETIME is None:
        pytest.skip("needs libfaketime (Debian: libfaketime)")
    # Waiting goes by a clock that cannot be set.
    fake = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": clock, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1"}
    command = [sys.executable, "-m", "stegvis.orchestration", "refresh", "--home", str(story.home.root)]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **fake}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("clock", ["-3d", "-3d x-600"] if FULL else ["-3d"])
def test_a_wave_published_by_a_clock_that_went_back_keeps_its_numbers(story: Story, clock: str) -> None:
    first = attackers.read(story.release())
    story.drop("followup", WAVE, story.answers().iloc[::2], "questionnaire.csv")
    back = refresh(story, clock)
    assert back.returncode == 0, back.stderr
    newest, numbers = story.release(), attackers.read(story.release())
    assert set(numbers["wave"]) == {"2021-2023", WAVE, "all"}
    assert story.planned() == {}
    # By the right clock again, with late answers: the wave was published, so its numbers stay.
    story.drop("followup", f"{WAVE}.2", story.answers().iloc[1::6], "questionnaire.csv")
    assert story.refresh().ok
    assert story.planned() == {}
    again = attackers.read(story.release())
    for wave, before in (("2021-2023", first), (WAVE, numbers), ("all", numbers)):
        left, right = (rows[rows["wave"] == wave].reset_index(drop=True) for rows in (again, before))
        pd.testing.assert_frame_equal(left, right, obj=wave)
    assert (story.home.releases / newest.name).is_dir()
