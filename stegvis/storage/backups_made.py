"""The backups that were made of a home: ``backups.jsonl`` in it, one line each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stegvis.storage.json_lines import append_lines, read_objects
from stegvis.storage.withdrawal_list import read_list

BACKUPS_FILE = "backups.jsonl"


@dataclass(frozen=True)
class MadeBackup:
    """One backup.

    Attributes:
        time: UTC, ISO 8601.
        path: its folder.
        bytes: the size of its files.
        copied: how many of these bytes were copied; the others are as in the backup before.
        files: how many files.
        withdrawn: how many people were on the list of withdrawals.
        keep_days: after how many days it may be deleted; 0 for never.
        key: which home.key belongs to it (``backup_folder.key_id``).
        key_saved: whether the key was written to a file of its own at the same time.
        removed: names of older backups in the same folder that were deleted.
    """

    time: str
    path: str
    bytes: int
    copied: int
    files: int
    withdrawn: int
    keep_days: int
    key: str
    key_saved: bool
    removed: Sequence[str] = ()

    @property
    def made(self) -> datetime:
        """``time`` as a time."""
        return datetime.fromisoformat(self.time)

    @property
    def expires(self) -> datetime | None:
        """When it may be deleted; None for never."""
        return self.made + timedelta(days=self.keep_days) if self.keep_days else None


def note_backup(root: Path, entry: MadeBackup) -> None:
    """Add a backup to the home's list."""
    append_lines(root / BACKUPS_FILE, [json.dumps(asdict(entry))])


def made_backups(root: Path) -> list[MadeBackup]:
    """Every backup that was made of a home, the earliest first, also those that are gone."""
    return read_objects(root / BACKUPS_FILE, MadeBackup)


def last_backup(root: Path) -> MadeBackup | None:
    """The newest backup of a home; None if there never was one."""
    return max(made_backups(root), key=lambda entry: entry.time, default=None)


def key_was_saved(root: Path) -> bool:
    """Whether the key of a home was written to a file of its own with any backup."""
    return any(entry.key_saved for entry in made_backups(root))


def overdue_deletions(root: Path, now: datetime | None = None) -> list[MadeBackup]:
    """Backups that are past their time, are still there, and hold people who have withdrawn since.

    The newest backup is not among them: it is needed until there is another. A folder that cannot be reached now is
    not there.

    Raises:
        stegvis.storage.home_key.HomeKeyError: the list of withdrawals cannot be read.
    """
    newest, withdrawn, moment = last_backup(root), len(read_list(root)), now or datetime.now(UTC)
    return [
        entry
        for entry in made_backups(root)
        if entry is not newest
        and entry.path != (newest.path if newest else "")
        and entry.expires is not None
        and entry.expires < moment
        and entry.withdrawn < withdrawn
        and Path(entry.path).is_dir()
    ]
