"""A folder of backups: what is in it, whether a backup is whole, and which are too old.

Each backup is a folder named after its time, and complete once it has that name: before, it is called
``.unfinished-<process>``. It holds ``home/``, the files as in the home, and ``manifest.json``. A file that is the same
in two backups is on the disk once (a hard link), so that deleting one backup never harms another.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stegvis.storage.home_format import FORMAT, newer
from stegvis.storage.home_key import hash_with
from stegvis.storage.whole_files import sha256_of

MANIFEST = "manifest.json"
CONTENT = "home"
UNFINISHED = ".unfinished-"
_PURPOSE = "backup"


class BackupError(RuntimeError):
    """A backup cannot be made or restored; the message says why and what to do."""


@dataclass(frozen=True)
class File:
    """A file of a backup: its size in bytes, its time of change in nanoseconds since 1970, its sha256."""

    bytes: int
    modified: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup is.

    Attributes:
        number: 1 for the first in its folder; the order of backups, whatever the clock said.
        time: UTC, ISO 8601, of the moment that it shows.
        by: the version that made it.
        format: of the home (``home_format.py``).
        home: the folder it was made from.
        key: which home.key belongs to it; the key cannot be guessed from it.
        withdrawn: how many people were on the list of withdrawals.
        landing: whether the landing zone is in it.
        files: by path in the home.
        links: where symbolic links point, by path in the home.
    """

    number: int
    time: str
    by: str
    format: int
    home: str
    key: str
    withdrawn: int
    landing: bool
    files: Mapping[str, File] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(file.bytes for file in self.files.values())

    @property
    def made(self) -> datetime:
        """``time`` as a time."""
        return datetime.fromisoformat(self.time)


@dataclass(frozen=True)
class Backup:
    """A complete backup."""

    folder: Path
    manifest: Manifest

    @property
    def content(self) -> Path:
        """The files, as they are in a home."""
        return self.folder / CONTENT


def key_id(key: bytes) -> str:
    """A name for a home's key by which nobody can guess it."""
    return hash_with(key, _PURPOSE, "key")[:16]


def write_manifest(folder: Path, manifest: Manifest, key: bytes) -> None:
    """Write the manifest of a backup, sealed with the home's key."""
    text = json.dumps(asdict(manifest), sort_keys=True)
    sealed = {"backup": json.loads(text), "seal": hash_with(key, _PURPOSE, text)}
    (folder / MANIFEST).write_text(json.dumps(sealed), encoding="utf-8")


def is_sealed_with(backup: Backup, key: bytes) -> bool:
    """Whether nobody without the home's key wrote or altered the manifest."""
    return _seal(backup.folder) == hash_with(key, _PURPOSE, json.dumps(asdict(backup.manifest), sort_keys=True))


def open_backup(folder: Path) -> Backup:
    """The backup in a folder, or the newest in a folder of backups.

    Raises:
        BackupError: there is none, it is not complete, or it cannot be read.
    """
    if (folder / MANIFEST).is_file():
        if folder.name.startswith(UNFINISHED):
            raise BackupError(f"{folder} is a backup that was not completed: use another one")
        return Backup(folder, _read(folder))
    found = backups_in(folder)
    if not found:
        raise BackupError(f"there is no backup in {folder}")
    return found[-1]


def backups_in(folder: Path) -> list[Backup]:
    """The complete backups of a folder, the earliest first.

    Raises:
        BackupError: the manifest of one cannot be read.
    """
    folders = [each.parent for each in folder.glob(f"*/{MANIFEST}") if not each.parent.name.startswith(".")]
    found = [Backup(each, _read(each)) for each in folders if (each / CONTENT).is_dir()]
    return sorted(found, key=lambda backup: (backup.manifest.number, backup.folder.name))


def problems(backup: Backup) -> Iterator[str]:
    """What is wrong with the files of a backup; reads all of them. A file named after a person is not named."""
    there = {
        file.relative_to(backup.content).as_posix()
        for file in backup.content.rglob("*")
        if file.is_symlink() or not file.is_dir()
    }
    listed = set(backup.manifest.files) | set(backup.manifest.links)
    missing, added = len(listed - there), len(there - listed)
    if missing:
        yield f"{missing:,} files are missing"
    if added:
        yield f"{added:,} files are not in its manifest"
    altered = sum(
        sha256_of(backup.content / name) != file.sha256 for name, file in backup.manifest.files.items() if name in there
    )
    if altered:
        yield f"{altered:,} files are altered"


def expire(folder: Path, days: int, now: datetime | None = None) -> list[str]:
    """Delete the backups that are older than so many days, the earliest first, but never the newest.

    Returns:
        The names of those that are gone.
    """
    limit = (now or datetime.now(UTC)) - timedelta(days=days)
    gone = []
    for backup in backups_in(folder)[:-1]:
        if backup.manifest.made < limit:
            # Renamed first: one that is deleted in part must not look complete.
            doomed = folder / f"{UNFINISHED}{backup.folder.name}"
            backup.folder.rename(doomed)
            shutil.rmtree(doomed)
            gone.append(backup.folder.name)
    return gone


def remove_unfinished(folder: Path) -> None:
    """Delete what killed backups left behind."""
    for each in folder.glob(f"{UNFINISHED}*"):
        shutil.rmtree(each, ignore_errors=True)


def _read(folder: Path) -> Manifest:
    try:
        facts: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["backup"]
        if int(facts["format"]) > FORMAT:
            raise BackupError(newer(f"the backup {folder}", int(facts["format"]), str(facts["by"])))
        files = {str(name): File(**file) for name, file in facts.pop("files").items()}
        return Manifest(files=files, **facts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BackupError(f"{MANIFEST} of the backup {folder} cannot be read: use another backup") from None


def _seal(folder: Path) -> str:
    return str(json.loads((folder / MANIFEST).read_text(encoding="utf-8")).get("seal", ""))
