"""Backing up a home while it is in use.

Two passes: what is large and hardly ever changes (lake, releases) is copied first, without hindering anybody. Then,
with the warehouse's lock held, everything is brought to one moment: what changed since, what is small, and the
warehouse itself. Nothing is published, and nobody erased, without that lock.

Not in a backup: the landing zone (it belongs to the data owner; only if asked for), the home's key (whoever has both
can link keyed hashes to people, so it is stored apart), Dagster's history (the next refresh mirrors the warehouse's
records), locks, caches and unfinished files.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from stegvis.storage.backup_folder import (
    CONTENT,
    UNFINISHED,
    Backup,
    BackupError,
    File,
    Manifest,
    backups_in,
    expire,
    key_id,
    open_backup,
    remove_unfinished,
    write_manifest,
)
from stegvis.storage.backups_made import MadeBackup, note_backup
from stegvis.storage.disk import refusal
from stegvis.storage.home import Home
from stegvis.storage.home_format import read_format
from stegvis.storage.home_key import KEY_FILE, home_key
from stegvis.storage.lock import locked
from stegvis.storage.warehouse import Warehouse
from stegvis.storage.whole_files import copy_whole, sync_folder
from stegvis.storage.withdrawal_list import read_list
from stegvis.version import described

Progress = Callable[[str], None]

KEEP_DAYS = 90
# Folders and files of a home that can be made again, or must not be in a backup.
_LEFT_OUT = {KEY_FILE, "dagster", "hashes.json", "landing", "logs", "warehouse.tmp", "lake/staging"}
_ALL_THE_SAME = ("dagster/dagster.yaml",)  # settings, which somebody may have edited
_LARGE = ("lake", "releases", "landing")
# A file that changed less than this before the last backup may have changed again with the same time, seconds.
_CLOCK_STEP = 2.0


@dataclass
class _Copy:
    """A backup in progress: what is in it, and from where unchanged files are taken."""

    home: Home
    target: Path
    before: Backup | None
    files: dict[str, File] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    since: float = field(default_factory=lambda: datetime.now(UTC).timestamp())
    copied: int = 0

    def take(self, name: str) -> None:
        """Take a file of the home as it is now; one that is gone meanwhile is passed over."""
        source, target = _source(self.home, name), self.target / name
        try:
            if source.is_symlink():
                self._take_link(name, source, target)
                return
            state = source.stat()
            known = self.files.get(name)
            if known and _is_same(known, state, self.since):
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            if not self._link(name, state, target):
                state, size, sha256 = copy_whole(source, target)
                self.files[name] = File(size, state.st_mtime_ns, sha256)
                self.copied += size
        except FileNotFoundError:
            self.drop(name)

    def drop(self, name: str) -> None:
        """Leave out a file that is no longer there."""
        (self.target / name).unlink(missing_ok=True)
        self.files.pop(name, None)
        self.links.pop(name, None)

    def _take_link(self, name: str, source: Path, target: Path) -> None:
        """Symbolic links within the home: ``releases/latest``."""
        to = str(source.readlink())
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.symlink_to(to)
        self.links[name] = to

    def _link(self, name: str, state: os.stat_result, target: Path) -> bool:
        """Link a file that the backup before has, if it is unchanged and the disk can link."""
        if self.before is None:
            return False
        known = self.before.manifest.files.get(name)
        if not (known and _is_same(known, state, self.before.manifest.made.timestamp())):
            return False
        try:
            os.link(self.before.content / name, target)
        except OSError:
            return False
        self.files[name] = known
        return True


def back_up(
    home: Home,
    folder: Path,
    landing: bool = False,
    key_to: Path | None = None,
    keep_days: int = KEEP_DAYS,
    progress: Progress = lambda line: None,
) -> MadeBackup:
    """Back up a home into a folder of backups, and delete those in it that are too old.

    Args:
        home: the home; it may be in use.
        folder: created if absent; of one home only.
        landing: whether the landing zone is in it.
        key_to: a file outside of both that gets the home's key.
        keep_days: backups that are older are deleted, never the newest; 0 keeps all.
        progress: called with a line now and then.

    Raises:
        BackupError: the folder cannot be used, or the disk refuses; no backup is left half-made.
        stegvis.storage.lock.LockedError: the home was in use too long.
    """
    folder = folder.expanduser().resolve()
    if not home.root.is_dir() or not any(home.root.iterdir()):
        raise BackupError(f"there is no home in {home.root}")
    for part in (home.root, home.landing):
        if folder.is_relative_to(part):
            raise BackupError(f"a backup inside {part} is lost with it: choose a folder on another disk")
    key = home_key(home.root)
    saved = _save_key(home, key, key_to, folder) if key_to else False
    with locked(home.root / "backup.lock", "backup", on_wait=lambda who: progress(f"waiting for {who}")):
        unfinished = folder / f"{UNFINISHED}{os.getpid()}"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            remove_unfinished(folder)
            before = _before(folder, key)
            (unfinished / CONTENT).mkdir(parents=True, mode=0o700)
            copy = _Copy(home, unfinished / CONTENT, before)
            manifest = _filled(copy, key, landing, progress)
            write_manifest(unfinished, manifest, key)
            sync_folder(unfinished)
            made = unfinished.rename(_free_name(folder, manifest.made))
            sync_folder(folder)
        except OSError as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise BackupError(f"no backup was made: {refusal(error) or error.strerror or 'the disk refuses'}") from None
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        removed = expire(folder, keep_days) if keep_days else []
        entry = MadeBackup(
            manifest.time, str(made), manifest.bytes, copy.copied, len(manifest.files), manifest.withdrawn,
            keep_days, manifest.key, saved, removed,
        )  # fmt: skip
        note_backup(home.root, entry)
    return entry


def _filled(copy: _Copy, key: bytes, landing: bool, progress: Progress) -> Manifest:
    """Copy the home, and say what was copied."""
    home = copy.home
    large = list(_names(home, landing, _LARGE))
    for number, name in enumerate(large, start=1):
        copy.take(name)
        if number % 1000 == 0 or number == len(large):
            progress(f"{number:,} of {len(large):,} files of lake and releases, {copy.copied / 1e6:,.0f} MB copied")
    with Warehouse(home).at_rest("backup"):
        now = datetime.now(UTC)
        there = list(_names(home, landing))
        for name in there:
            copy.take(name)
        for name in (set(copy.files) | set(copy.links)) - set(there):
            copy.drop(name)
        withdrawn, form = len(read_list(home.root)), read_format(home.root)[0]
    progress(f"{len(copy.files):,} files, {copy.copied / 1e6:,.0f} MB copied")
    number = copy.before.manifest.number + 1 if copy.before else 1
    return Manifest(
        number, now.isoformat(timespec="microseconds"), described(), form, str(home.root), key_id(key), withdrawn,
        landing, copy.files, copy.links,
    )  # fmt: skip


def _names(home: Home, landing: bool, only: tuple[str, ...] = ()) -> Iterator[str]:
    """The paths of everything that belongs into a backup; of some folders only, if they are named."""
    for each in sorted(home.root.iterdir()):
        is_landing = each.name == "landing" or each.resolve() == home.landing
        if is_landing or each.name in _LEFT_OUT or (only and each.name not in only) or _is_passing(each.name):
            continue
        if each.is_dir():
            yield from _below(each, each.name)
        else:
            yield each.name
    if landing and home.landing.is_dir():
        yield from _below(home.landing, "landing")
    if not only:
        yield from (name for name in _ALL_THE_SAME if (home.root / name).is_file())


def _below(folder: Path, name: str) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        where = f"{name}/{Path(place).relative_to(folder).as_posix()}".removesuffix("/.")
        # The study folder may be a repository of git; a hidden delivery is none, but what has landed is all copied.
        hidden_too = name in ("study", "landing")
        links = [each for each in folders if (Path(place) / each).is_symlink()]
        for each in sorted(files + links):
            if hidden_too or not _is_passing(each):
                yield f"{where}/{each}"
        folders[:] = [
            each
            for each in sorted(folders)
            if f"{where}/{each}" not in _LEFT_OUT and (hidden_too or each == ".signoff" or not _is_passing(each))
        ]


def _is_passing(name: str) -> bool:
    """Whether a file is a lock, or being written: such names begin with a dot."""
    return name.startswith(".") or name.endswith((".lock", ".tmp", ".wal"))


def _source(home: Home, name: str) -> Path:
    first, _, rest = name.partition("/")
    return home.landing / rest if first == "landing" else home.root / name


def _is_same(known: File, state: os.stat_result, at: float) -> bool:
    """Whether a file is as it was at a time."""
    return (state.st_size, state.st_mtime_ns) == (known.bytes, known.modified) and state.st_mtime < at - _CLOCK_STEP


def _before(folder: Path, key: bytes) -> Backup | None:
    """The newest backup in the folder.

    Raises:
        BackupError: it is of another home.
    """
    if not backups_in(folder):
        return None
    before = open_backup(folder)
    if before.manifest.key != key_id(key):
        raise BackupError(f"{folder} holds backups of another home ({before.manifest.home}): choose another folder")
    return before


def _save_key(home: Home, key: bytes, file: Path, folder: Path) -> bool:
    """Write the home's key to a file of its own."""
    file = file.expanduser().resolve()
    for part in (folder, home.root):
        if file.is_relative_to(part):
            raise BackupError(f"the key belongs apart from {part}: whoever has both can link hashes to people")
    if file.is_dir():
        raise BackupError(f"--key-to names a folder; it needs a file: {file / KEY_FILE}")
    if file.exists():
        if file.read_bytes() != key:
            raise BackupError(f"{file} is there already and is not this home's key: choose another file")
        return True
    file.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(key)
        opened.flush()
        os.fsync(opened.fileno())
    return True


def _free_name(folder: Path, made: datetime) -> Path:
    name = f"{made:%Y-%m-%dT%H%M%SZ}"
    names = [name, *(f"{name}-{number}" for number in range(2, 1000))]
    return next(folder / each for each in names if not (folder / each).exists())
