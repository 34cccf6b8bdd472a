"""Restoring a home: verify the backup, continue its records by later ones, apply withdrawals, then move it into place.

Belongs here: the order, and what is refused. Does not belong here: copying files (``stegvis/storage/restore.py``),
records (``stegvis/storage/later_records.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stegvis.orchestration.withdraw import apply_withdrawals
from stegvis.storage.alerts import add_alert
from stegvis.storage.backup_folder import Backup, BackupError, open_backup
from stegvis.storage.home import Home
from stegvis.storage.landing import scan
from stegvis.storage.landing_mirror import mirror_landing
from stegvis.storage.later_records import Later, holds_records, take_over
from stegvis.storage.releases import enter_in_ledger
from stegvis.storage.restore import newer_backups, read_key, refuse_unless_empty, unpacked
from stegvis.storage.signatures import advance_latest
from stegvis.storage.warehouse import Warehouse
from stegvis.storage.withdrawal_list import read_list
from stegvis.study.study import Study

Progress = Callable[[str], None]


@dataclass
class Restored:
    """What was restored.

    Attributes:
        backup: its folder.
        time: the moment it shows.
        files: how many files.
        bytes: their size.
        read: where later records were read from.
        withdrawn: people who withdrew after the backup, as far as that is known here.
        releases: releases published after it that were taken over.
        notes: what the reader should know, each a sentence.
    """

    backup: str
    time: str
    files: int
    bytes: int
    read: list[str] = field(default_factory=list)
    withdrawn: int = 0
    releases: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def restore(
    folder: Path,
    home: Home,
    key: Path | None,
    records_from: Sequence[Path] = (),
    nothing_since: bool = False,
    progress: Progress = lambda line: None,
) -> Restored:
    """Restore a home from a backup.

    Withdrawals after the backup are applied before anything of the home can be used: those of the places named, of
    newer backups beside this one, of the home it was made from if that is still there, and of the landing zone.

    Args:
        folder: a backup, or a folder of them: then the newest.
        home: a new or empty folder, in which at most a landing zone may be.
        key: the file with the home's key.
        records_from: what is left of the home, lists of withdrawals, folders of releases.
        nothing_since: somebody knows that nobody withdrew and nothing was published after the backup.
        progress: called with a line now and then.

    Raises:
        BackupError: the backup is damaged, the key is not its key, the home is not empty, records contradict each
            other, or it is not known what happened after the backup. The home is as it was.
    """
    backup = open_backup(folder.expanduser().resolve())
    refuse_unless_empty(home.root)
    secret = read_key(key, backup)
    places = [*_named(records_from), *_known(backup, home)]
    if not (places or nothing_since):
        raise BackupError(
            f"the backup is of {backup.manifest.time[:16]}Z, and nothing here says who withdrew and what was published "
            "after that. Name what is left of the home, a list of withdrawals or copies of later releases with "
            "--records-from; or say --nothing-since if nobody withdrew and nothing was published"
        )
    files, size = len(backup.manifest.files), backup.manifest.bytes
    done = Restored(str(backup.folder), backup.manifest.time, files, size, [str(place) for place in places])
    with unpacked(backup, home.root, secret, progress) as staging:
        staged = Home(staging, _landing(home, staging))
        before = len(read_list(staging))
        later = take_over(staging, [*places, *(each.content for each in newer_backups(backup))])
        _apply(staged, later, done)
        done.withdrawn = len(read_list(staging)) - before
        done.releases = later.releases
    return done


def _apply(home: Home, later: Later, done: Restored) -> None:
    """Erase whoever withdrew, and enter the releases that were taken over; the home is not in its place yet."""
    mirror_landing(home)
    read = apply_withdrawals(home, scan(home.landing, home.hash_cache))
    # Also where nobody is new on the list: whatever the backup's moment left behind is erased.
    with Warehouse(home).session("restore"):
        pass
    home.releases.mkdir(exist_ok=True, mode=0o700)
    enter_in_ledger(home.releases)
    advance_latest(home.releases, Study.of(home.root).protocol.release.signatures)
    done.notes += [*read.problems, *later.notes]
    add_alert(home.root, "info", "restore", "home", f"restored from the backup of {done.time}")


def _landing(home: Home, staging: Path) -> Path:
    """Where the landing zone is while the home is not in its place."""
    return home.landing if home.landing.is_dir() else staging / "landing"


def _named(places: Sequence[Path]) -> list[Path]:
    found = [place.expanduser().resolve() for place in places]
    for place in found:
        if not holds_records(place):
            raise BackupError(f"{place} is no home, no backup, no list of withdrawals and no folder of releases")
    return found


def _known(backup: Backup, home: Home) -> list[Path]:
    """The home that the backup was made from, if it is still there."""
    origin = Path(backup.manifest.home)
    return [origin] if origin != home.root and holds_records(origin) else []
