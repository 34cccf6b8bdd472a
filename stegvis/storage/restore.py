"""The files of a backup become a home again: beside their place, verified, and moved into it last."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stegvis.storage.backup_folder import Backup, BackupError, File, backups_in, is_sealed_with, key_id
from stegvis.storage.disk import refusal
from stegvis.storage.home_format import RESTORING
from stegvis.storage.home_key import KEY_BYTES, KEY_FILE
from stegvis.storage.whole_files import copy_whole

# Moved first: a home that has these and no more publishes nothing, and lets nobody back in.
_FIRST = ("home.json", KEY_FILE, "withdrawals", "published.jsonl", "decisions.jsonl")


def read_key(file: Path | None, backup: Backup) -> bytes:
    """The home's key, from the file that it was stored in apart from the backup.

    Raises:
        BackupError: no file was named, or it is not the key of this backup.
    """
    if file is None:
        raise BackupError(
            "the home's key is not in the backup: --key names the file that stegvis backup --key-to wrote. Without it "
            "withdrawn people cannot be recognized, so nothing is restored"
        )
    try:
        key = file.expanduser().read_bytes()
    except OSError:
        raise BackupError(f"{file} cannot be read: --key names the file with the home's key") from None
    if len(key) != KEY_BYTES or key_id(key) != backup.manifest.key:
        raise BackupError(f"{file} is not the key of this backup")
    if not is_sealed_with(backup, key):
        raise BackupError(f"the manifest of {backup.folder} was altered: use another backup")
    return key


def newer_backups(backup: Backup) -> list[Backup]:
    """The backups of the same home beside this one that were made after it."""
    return [
        each
        for each in backups_in(backup.folder.parent)
        if each.manifest.number > backup.manifest.number and each.manifest.key == backup.manifest.key
    ]


def refuse_unless_empty(root: Path) -> None:
    """A home is restored into a folder that is new, or has nothing but a landing zone.

    Raises:
        BackupError: there is more in it.
    """
    if root.exists() and not root.is_dir():
        raise BackupError(f"{root} is a file")
    there = [each.name for each in root.iterdir()] if root.is_dir() else []
    if set(there) - {"landing", RESTORING} or (RESTORING in there and not (root / RESTORING).is_dir()):
        raise BackupError(
            f"{root} is not empty: move what is in it (except the landing zone) elsewhere, and name that place with "
            "--records-from, because withdrawals and releases after the backup are recorded in it"
        )


@contextmanager
def unpacked(backup: Backup, root: Path, key: bytes, progress: Callable[[str], None]) -> Iterator[Path]:
    """The files of a backup in a folder inside the home's; when the block ends well, they are moved into the home.

    Args:
        backup: where they come from. Every file is compared with its hash while it is copied.
        root: the home's folder; see ``refuse_unless_empty``.
        key: the home's key.
        progress: called with a line now and then.

    Raises:
        BackupError: a file is missing or altered, or the disk refuses. The home is as it was.
    """
    refuse_unless_empty(root)
    is_new, staging = not root.exists(), root / RESTORING
    shutil.rmtree(staging, ignore_errors=True)
    try:
        staging.mkdir(parents=True, mode=0o700)
        _unpack(backup, staging, progress)
        handle = os.open(staging / KEY_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as written:
            written.write(key)
        yield staging
    except BaseException as error:
        shutil.rmtree(staging, ignore_errors=True)
        if is_new:
            shutil.rmtree(root, ignore_errors=True)
        if isinstance(error, OSError):
            raise BackupError(f"nothing was restored: {refusal(error) or error.strerror}") from None
        raise
    _move(staging, root)


def _move(staging: Path, root: Path) -> None:
    """Move everything into the home; a home in which the folder is left was not restored to the end."""
    first = [name for name in _FIRST if (staging / name).exists()]
    others = sorted(each.name for each in staging.iterdir() if each.name not in first)
    for name in [*first, *others]:
        if name == "landing" and (root / name).exists():
            continue
        (staging / name).rename(root / name)
    shutil.rmtree(staging)


def _unpack(backup: Backup, target: Path, progress: Callable[[str], None]) -> None:
    files = backup.manifest.files
    has_landing = (target.parent / "landing").exists()
    for number, (name, file) in enumerate(files.items(), start=1):
        if name.startswith("landing/") and has_landing:
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            sound = _copied(backup.content / name, target / name, file)
        except FileNotFoundError:
            sound = False
        if not sound:
            raise BackupError(
                f"the backup {backup.folder} is damaged, so nothing was restored: stegvis backup --check counts what "
                "is wrong with it; use another backup"
            )
        if number % 1000 == 0 or number == len(files):
            progress(f"{number:,} of {len(files):,} files verified and copied")
    for name, to in backup.manifest.links.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        (target / name).symlink_to(to)


def _copied(source: Path, target: Path, expected: File) -> bool:
    """Copy a file; returns whether it is what was backed up."""
    _state, _size, sha256 = copy_whole(source, target)
    # The planner recognizes an unchanged file of the lake by its time, which a copy of the backup may have lost.
    os.utime(target, ns=(expected.modified, expected.modified))
    return sha256 == expected.sha256
