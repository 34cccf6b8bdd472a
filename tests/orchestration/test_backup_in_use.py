"""Backups of a home that is in use, and backups that are killed or find the disk full."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from stegvis.orchestration.restore import restore
from stegvis.storage.backup import back_up
from stegvis.storage.backup_folder import UNFINISHED, backups_in, problems
from stegvis.storage.home import Home
from stegvis.storage.records import damaged_files, read_records
from stegvis.storage.warehouse import Warehouse
from tests.orchestration.command import stegvis_here
from tests.orchestration.story import Story, apart_from_published
from tests.orchestration.test_disk import small_disk
from tests.sizes import FULL

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

ROOT = Path(__file__).parents[2]
MOST_RESTORED = 6 if FULL else 2
KILLS = 12 if FULL else 4


def begin(*command: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "stegvis.orchestration", *map(str, command)],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_every_backup_of_a_home_in_use_shows_one_moment(story: Story, tmp_path: Path) -> None:
    folder, key = tmp_path / "backups", tmp_path / "key"
    back_up(story.home, folder, key_to=key)
    story.drop("followup", "2024-2026", story.answers().iloc[::2], "questionnaire.csv")
    story.drop("recordings", "2019-09", story.days().iloc[:20], "days.csv")
    story.withdraw("2031-01", [story.baseline()["person"].iloc[5]])
    refresh = begin("refresh", "--home", story.home.root)
    while refresh.poll() is None:
        back_up(story.home, folder)
        time.sleep(0.5)
    _out, said = refresh.communicate()
    assert refresh.returncode == 0, said
    assert "lock" not in said.lower()
    made = backups_in(folder)
    assert len(made) > MOST_RESTORED
    undisturbed = apart_from_published(story.tables())
    for number, backup in enumerate(random.Random(2).sample(made[1:], MOST_RESTORED)):
        assert list(problems(backup)) == []
        home = Home(tmp_path / f"restored-{number}", story.home.landing)
        restore(backup.folder, home, key)
        with Warehouse(home).session("test") as connection:
            records = read_records(connection)
        assert [name for each in records for name in damaged_files(home.root, each.files)] == []
        verified = stegvis_here("verify", home=home.root)
        assert verified.returncode == 0, verified.stdout
        if number < 2:
            restored = Story(home)
            assert restored.refresh().ok
            again = apart_from_published(restored.tables())
            for name in undisturbed:
                pd.testing.assert_frame_equal(again[name], undisturbed[name], obj=name)


def test_a_killed_backup_leaves_nothing_that_looks_complete(story: Story, tmp_path: Path) -> None:
    folder, moments = tmp_path / "backups", random.Random(3)
    killed = 0
    for number in range(KILLS):
        process = begin("backup", folder, "--home", story.home.root)
        # Once it has begun to copy, and a while longer each time.
        while process.poll() is None and not (folder / f"{UNFINISHED}{process.pid}").exists():
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.1) * number)
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        assert not [each for each in backups_in(folder) if list(problems(each))]
    assert killed
    back_up(story.home, folder)
    assert not list(folder.glob(".*"))
    assert [found for each in backups_in(folder) for found in problems(each)] == []


def test_a_killed_restore_leaves_a_home_that_is_refused_or_none(story: Story, tmp_path: Path) -> None:
    folder, key, moments = tmp_path / "backups", tmp_path / "key", random.Random(4)
    back_up(story.home, folder, key_to=key)
    for number in range(KILLS // 2):
        target = tmp_path / f"restored-{number}"
        process = begin("restore", folder, "--home", target, "--key", key)
        time.sleep(moments.uniform(0.4, 2.0))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        if target.exists() and process.returncode == -signal.SIGKILL:
            looked = stegvis_here("status", home=target)
            whole = not (target / ".restoring").exists()
            assert whole or (looked.returncode == 1 and "did not end" in looked.stderr)


def test_a_full_disk_leaves_no_backup_and_says_so(story: Story, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    with small_disk(disk, 2):
        full = stegvis_here("backup", disk / "backups", home=story.home.root)
        assert full.returncode == 1
        assert "no backup was made: the disk refuses: no space left on device" in full.stderr
        assert list((disk / "backups").iterdir()) == []
    assert story.steps() == []


def test_a_restore_to_a_full_disk_leaves_nothing(story: Story, tmp_path: Path) -> None:
    back_up(story.home, tmp_path / "backups", key_to=tmp_path / "key")
    disk = tmp_path / "disk"
    with small_disk(disk, 2):
        full = stegvis_here("restore", tmp_path / "backups", "--key", tmp_path / "key", home=disk / "home")
        assert full.returncode == 1
        assert "nothing was restored: the disk refuses" in full.stderr
        assert list(disk.iterdir()) == []
