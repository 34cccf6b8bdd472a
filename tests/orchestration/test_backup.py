"""Backups: whole or not there, without key and landing zone, cheap when little changed, and deleted in time."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stegvis.storage.backup import back_up
from stegvis.storage.backup_folder import BackupError, backups_in, expire, open_backup, problems
from stegvis.storage.backups_made import last_backup, note_backup, overdue_deletions
from tests.orchestration.command import stegvis_here
from tests.orchestration.story import Story


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def files_of(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_a_backup_holds_everything_but_key_landing_zone_and_history(story: Story, folder: Path, tmp_path: Path) -> None:
    key = tmp_path / "elsewhere" / "home.key"
    made = stegvis_here("backup", folder, "--key-to", key, "--json", home=story.home.root)
    assert made.returncode == 0, made.stderr
    assert "landing zone is not in it" in made.stderr
    backup = open_backup(folder)
    assert json.loads(made.stdout)["path"] == str(backup.folder)
    assert json.loads(made.stdout)["bytes"] == backup.manifest.bytes > 0
    names = files_of(backup.content)
    assert names >= {"warehouse.duckdb", "published.jsonl", "releases/ledger.jsonl", "study/protocol.toml", "home.json"}
    assert {name.split("/")[0] for name in names} >= {"lake", "publications", "withdrawals"}
    assert {name for name in names if name.startswith("dagster")} == {"dagster/dagster.yaml"}
    assert not [name for name in names if name.startswith("landing") or name.endswith((".lock", ".wal"))]
    secret = key.read_bytes()
    assert secret == (story.home.root / "home.key").read_bytes()
    assert oct(key.stat().st_mode & 0o777) == "0o600"
    assert not [name for name in names if secret in (backup.content / name).read_bytes()]
    assert secret.hex() not in (backup.folder / "manifest.json").read_text()
    assert not backup.folder.stat().st_mode & 0o077
    assert list(problems(backup)) == []
    assert last_backup(story.home.root).path == str(backup.folder)


def test_the_landing_zone_is_backed_up_if_asked_for(story: Story, folder: Path) -> None:
    back_up(story.home, folder, landing=True)
    backup = open_backup(folder)
    landed = {f"landing/{name}" for name in files_of(story.home.landing)}
    assert landed <= files_of(backup.content)
    assert backup.manifest.landing


def test_what_is_unchanged_is_on_the_disk_once(story: Story, folder: Path) -> None:
    for file in story.home.root.rglob("*"):  # as if it had been made a while ago
        os.utime(file, ns=(file.lstat().st_atime_ns, file.lstat().st_mtime_ns - 10**10), follow_symlinks=False)
    first = back_up(story.home, folder)
    shard = next((story.home.lake / "epochs").rglob("*.parquet"), story.release() / "results.csv")
    second = back_up(story.home, folder)
    assert second.copied < first.copied / 10
    before, now = backups_in(folder)
    name = shard.relative_to(story.home.root)
    assert (before.content / name).samefile(now.content / name)
    shutil.rmtree(before.folder)
    assert list(problems(now)) == []


def test_a_file_that_changed_within_the_clocks_step_is_copied_again(story: Story, folder: Path) -> None:
    file = story.home.study / "note.txt"
    file.write_text("one")
    back_up(story.home, folder)
    state = file.stat()
    file.write_text("two")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    back_up(story.home, folder)
    assert (open_backup(folder).content / "study" / "note.txt").read_text() == "two"


def test_an_interrupted_backup_is_never_taken_for_a_complete_one(story: Story, folder: Path) -> None:
    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(story.home, folder, progress=stop)
    assert list(folder.iterdir()) == []
    back_up(story.home, folder)
    killed = folder / ".unfinished-1"
    shutil.copytree(open_backup(folder).folder, killed, symlinks=True)
    with pytest.raises(BackupError, match="not completed"):
        open_backup(killed)
    assert len(backups_in(folder)) == 1
    back_up(story.home, folder)
    assert not killed.exists()
    assert len(backups_in(folder)) == 2


def test_a_damaged_backup_is_counted(story: Story, folder: Path) -> None:
    back_up(story.home, folder)
    assert stegvis_here("backup", folder, "--check").returncode == 0
    content = open_backup(folder).content
    (content / "published.jsonl").write_text("{}\n")
    (content / "study" / "study.toml").unlink()
    (content / "study" / "more.toml").write_text("")
    checked = stegvis_here("backup", folder, "--check")
    assert checked.returncode == 1
    for part in ("1 files are missing", "1 files are not in its manifest", "1 files are altered"):
        assert part in checked.stdout


def test_a_line_that_is_being_written_is_not_in_the_backup(story: Story, folder: Path) -> None:
    file = story.home.root / "exports.jsonl"
    file.write_text('{"whole": 1}\n{"bro')
    back_up(story.home, folder)
    assert (open_backup(folder).content / "exports.jsonl").read_text() == '{"whole": 1}\n'


@pytest.mark.parametrize("place", ["home", "landing", "another home's backups", "key with it"])
def test_a_folder_that_cannot_hold_the_backup_is_refused(story: Story, folder: Path, place: str) -> None:
    arguments: list[str | Path] = [folder]
    if place == "home":
        arguments = [story.home.root / "backups"]
    elif place == "landing":
        arguments = [story.home.landing / "backups"]
    elif place == "key with it":
        arguments = [folder, "--key-to", folder / "home.key"]
    else:
        back_up(story.home, folder)
        (story.home.root / "withdrawals" / "list.jsonl").unlink(missing_ok=True)
        (story.home.root / "home.key").write_bytes(bytes(32))
    refused = stegvis_here("backup", *arguments, home=story.home.root)
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert "Traceback" not in refused.stderr
    assert {each.name[0] for each in folder.glob("*")} <= {"2"}


def test_a_backup_without_a_home_is_refused(folder: Path, tmp_path: Path) -> None:
    refused = stegvis_here("backup", folder, home=tmp_path / "nothing")
    assert refused.returncode == 1
    assert "there is no home" in refused.stderr
    assert not folder.exists()


def test_old_backups_are_deleted_but_never_the_newest(story: Story, folder: Path) -> None:
    for _ in range(3):
        back_up(story.home, folder)
    names = [each.folder.name for each in backups_in(folder)]
    assert expire(folder, days=90) == []
    later = datetime.now(UTC) + timedelta(days=91)
    assert expire(folder, days=90, now=later) == names[:2]
    assert [each.folder.name for each in backups_in(folder)] == names[2:]
    assert expire(folder, days=90, now=later) == []


def test_a_clock_that_went_back_does_not_change_their_order(story: Story, folder: Path) -> None:
    back_up(story.home, folder)
    back_up(story.home, folder)
    last = open_backup(folder)
    last.folder.rename(folder / "2001-01-01T000000Z")
    assert open_backup(folder).manifest == last.manifest
    back_up(story.home, folder)
    assert open_backup(folder).manifest.number == 3


def test_a_backup_past_its_time_that_holds_people_who_withdrew_since_is_reported(story: Story, folder: Path) -> None:
    first = back_up(story.home, folder)
    second = back_up(story.home, folder)
    later = datetime.now(UTC) + timedelta(days=91)
    assert overdue_deletions(story.home.root, later) == []
    from stegvis.storage.withdrawal_list import add_to_list

    add_to_list(story.home.root, "a drop", [story.baseline()["person"].iloc[0]])
    assert [entry.path for entry in overdue_deletions(story.home.root, later)] == [first.path]
    assert overdue_deletions(story.home.root) == []
    note_backup(story.home.root, second)
    shutil.rmtree(first.path)
    assert overdue_deletions(story.home.root, later) == []
