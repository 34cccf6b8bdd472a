"""The same content is the same release, whatever fonts, time zone and language the machine has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stegvis.storage.home import Home
from tests.orchestration.story import Story
from tests.orchestration.test_killed import released
from tests.stegvis.reporting.test_fonts import machine_with_a_wide_font

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def test_another_machine_makes_the_same_release(story: Story, tmp_path: Path) -> None:
    elsewhere = Story(Home(tmp_path / "elsewhere", tmp_path / "elsewhere" / "landing"))
    shutil.copytree(story.home.root, elsewhere.home.root, symlinks=True)
    for each in (story, elsewhere):
        each.give_pain("2021-2023.2", every=3)
        each.drop("followup", "2024-2026", each.answers().iloc[::2], "questionnaire.csv")
    # The day in the name of a release is that of Greenwich, wherever it is made.
    other = {**machine_with_a_wide_font(tmp_path), "TZ": "Pacific/Auckland", "LANG": "C", "LC_ALL": "C"}
    made = subprocess.run(
        [sys.executable, "-m", "stegvis.orchestration", "refresh", "--home", str(elsewhere.home.root)],
        cwd=ROOT, env={**os.environ, **other}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert story.refresh().ok
    here, there = released(story), released(elsewhere)
    assert b"<svg" in here["report/wave-2024-2026-details.html"]
    assert here == there
    assert story.release().name == elsewhere.release().name
