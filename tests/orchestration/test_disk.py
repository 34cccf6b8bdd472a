"""A full disk, and folders that cannot be written: said plainly, and made good by the next refresh."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from stegvis.orchestration.verify import verify
from stegvis.storage.home import Home
from tests.orchestration.story import Story, apart_from_published
from tests.sizes import FULL
from tests.small_disk import mount, small_disk

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WAVE = "2024-2026"
# How often the disk is full, each time at another moment of a refresh.
TIMES_FULL = 40 if FULL else 2


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that nobody, not even root, can write to."""
    mount("--bind", folder, folder)
    try:
        mount("-o", "remount,ro,bind", folder)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def refresh(home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stegvis.orchestration", "refresh", "--home", str(home)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


def deliver(story: Story) -> None:
    story.drop("followup", WAVE, story.answers().iloc[::2], "questionnaire.csv")
    story.drop("recordings", "2019-09", story.days().iloc[:20], "days.csv")


def assert_as_undisturbed(home: Path, undisturbed: Story) -> None:
    mended = refresh(home)
    assert mended.returncode == 0, mended.stderr
    deliver(undisturbed)
    assert undisturbed.refresh().ok
    # What is published depends on the releases before, and one may have been made without what the disk refused.
    left, right = (apart_from_published(each.tables()) for each in (Story(Home(home, home / "landing")), undisturbed))
    for name in right:
        pd.testing.assert_frame_equal(left[name], right[name], obj=name)


def test_a_full_disk(story: Story, tmp_path: Path) -> None:
    used = sum(file.stat().st_size for file in story.home.root.rglob("*") if file.is_file())
    disk = tmp_path / "disk"
    with small_disk(disk, 2 + used // 1_000_000):
        home = disk / "home"
        shutil.copytree(story.home.root, home, symlinks=True)
        before = (home / "releases" / "latest").resolve()
        deliver(Story(Home(home, home / "landing")))
        full = refresh(home)
        assert full.returncode == 1
        assert "no space" in full.stderr.lower() or "disk" in full.stderr.lower()
        assert "Traceback" not in full.stderr
        assert (home / "releases" / "latest").resolve() == before
        mount("-o", "remount,size=400m", disk)
        assert_as_undisturbed(home, story)


@pytest.mark.timeout(3000)
def test_a_disk_that_is_full_at_any_moment(story: Story, tmp_path: Path) -> None:
    """From one that takes nothing more to one that takes nearly all that a new wave needs."""
    undisturbed = Story(Home(tmp_path / "undisturbed", tmp_path / "undisturbed" / "landing"))
    shutil.copytree(story.home.root, undisturbed.home.root, symlinks=True)
    answers = story.answers().iloc[::2]
    undisturbed.drop("followup", WAVE, answers, "questionnaire.csv")
    before = size(undisturbed.home.root)
    assert undisturbed.refresh().ok
    needed = size(undisturbed.home.root) - before
    tables, disk = apart_from_published(undisturbed.tables()), tmp_path / "disk"
    refused = 0
    with small_disk(disk, 400):
        for number in range(TIMES_FULL):
            home = disk / f"home-{number}"
            shutil.copytree(story.home.root, home, symlinks=True)
            there = Story(Home(home, home / "landing"))
            there.drop("followup", WAVE, answers, "questionnaire.csv")
            with no_more_than(disk, needed * number // TIMES_FULL):
                full = refresh(home)
            refused += full.returncode
            assert full.returncode in (0, 1)
            assert "Traceback" not in full.stderr
            if full.returncode:
                # SQLite does not always say that it is the disk.
                assert re.search("disk refuses: no space left|the disk is full, or", full.stderr), full.stderr
            mended = refresh(home)
            assert mended.returncode == 0, mended.stderr
            again = apart_from_published(there.tables())
            for name in tables:
                pd.testing.assert_frame_equal(again[name], tables[name], obj=name)
            assert there.planned() == {}
            assert verify(there.release()).problems == []
            shutil.rmtree(home)
    assert refused >= TIMES_FULL // 2


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@contextmanager
def no_more_than(disk: Path, left: int) -> Iterator[None]:
    """Fill a disk up to so many bytes."""
    filler = disk / "filler"
    with filler.open("wb") as opened:
        os.posix_fallocate(opened.fileno(), 0, max(shutil.disk_usage(disk).free - left, 1))
    try:
        yield
    finally:
        filler.unlink()


def test_a_read_only_lake(story: Story, tmp_path: Path) -> None:
    home = tmp_path / "other"
    shutil.copytree(story.home.root, home, symlinks=True)
    deliver(Story(Home(home, home / "landing")))
    with read_only(home / "lake"):
        refused = refresh(home)
    assert refused.returncode == 1
    assert "epoch_classification" in refused.stderr
    assert "read-only" in refused.stderr.lower()
    assert "Traceback" not in refused.stderr
    assert_as_undisturbed(home, story)


def test_a_read_only_home_is_said_plainly(story: Story) -> None:
    deliver(story)
    with read_only(story.home.root):
        refused = refresh(story.home.root)
    assert refused.returncode == 1
    assert "read-only" in refused.stderr.lower()
    assert "Traceback" not in refused.stderr
