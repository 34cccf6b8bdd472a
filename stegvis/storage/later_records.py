"""What a home recorded after a backup and must never go back behind: withdrawals, and what was published.

A backup that is restored by itself would bring back people who withdrew after it, and publish waves again that were
published after it, perhaps with other numbers. So what is left of the home, newer backups, a list of withdrawals and
copies of releases are read, and their records continue those of the backup.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stegvis.storage.acceptance import ACCEPTED_FILE
from stegvis.storage.backup_folder import CONTENT, BackupError
from stegvis.storage.decisions import DECISIONS
from stegvis.storage.hash_chain import broken_links, read_lines
from stegvis.storage.published_people import FOLDER as PEOPLE
from stegvis.storage.releases import LEDGER, MANIFEST, PUBLISHED, ReleaseError, manifest, manifest_sha256
from stegvis.storage.signatures import FOLDER as SIGNATURES
from stegvis.storage.whole_files import sha256_of, write_whole
from stegvis.storage.withdrawal_list import LIST, mark_pending

# Files of lines that are only added to.
_CHAINS = (PUBLISHED, DECISIONS, ACCEPTED_FILE, "exports.jsonl")


@dataclass
class Later:
    """What was taken over.

    Attributes:
        withdrawn: people who withdrew after the backup.
        releases: names of releases published after it, whose folders were copied.
        notes: what could not be taken over, each a sentence.
    """

    withdrawn: int = 0
    releases: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def holds_records(place: Path) -> bool:
    """Whether a path is a home (or what is left of one), a backup, a list of withdrawals, or a folder of releases."""
    place = _inside(place)
    names = (LIST, PUBLISHED, LEDGER, f"releases/{LEDGER}", "warehouse.duckdb")
    return place.is_file() or any((place / name).is_file() for name in names)


def take_over(root: Path, places: Iterable[Path]) -> Later:
    """Continue the records of a restored home by those of other places. Nothing is taken from one that contradicts it.

    Args:
        root: the restored home, which nobody uses yet; with its key.
        places: homes, backups, lists of withdrawals, folders of releases.

    Raises:
        BackupError: a record cannot be read, is of another home, or does not continue that of the backup.
    """
    later = Later()
    for place in map(_inside, places):
        lists = place if place.is_file() else place / LIST
        if lists.is_file():
            later.withdrawn += _take_withdrawals(root, lists)
        if place.is_file():
            continue
        for name in _CHAINS:
            _continue(root / name, place / name)
        releases = place if (place / LEDGER).is_file() else place / "releases"
        if (releases / LEDGER).is_file():
            _take_releases(root, releases, later)
    return later


def _inside(place: Path) -> Path:
    return place / CONTENT if (place / CONTENT).is_dir() and (place / MANIFEST).is_file() else place


def _take_withdrawals(root: Path, other: Path) -> int:
    """Add the people of another list of this home; returns how many are new."""
    mine = root / LIST
    ours, theirs = _entries(mine), _entries(other)
    if not theirs:
        return 0
    if ours and ours[0] != theirs[0]:
        raise BackupError(f"{other} was made with another home.key: it is the list of another home")
    known = {entry.get("person") for entry in ours[1:]}
    new = [entry for entry in theirs[1:] if entry.get("person") not in known]
    if new:
        mark_pending(root)
        write_whole(mine, "".join(json.dumps(entry) + "\n" for entry in (ours or theirs[:1]) + new))
    return len(new)


def _entries(file: Path) -> list[dict[str, str]]:
    if not file.exists():
        return []
    try:
        found = [dict(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
        if found and not ("key" in found[0] and all("person" in entry for entry in found[1:])):
            raise ValueError
    except (ValueError, TypeError, UnicodeDecodeError):
        raise BackupError(f"{file} is no list of withdrawals, or it is damaged") from None
    return found


def _continue(mine: Path, other: Path) -> None:
    """Take a longer file of lines in the place of a shorter one that it begins with."""
    if not other.is_file():
        return
    theirs, ours = _whole_lines(other), _whole_lines(mine) if mine.exists() else []
    if theirs == ours[: len(theirs)]:
        return
    if ours != theirs[: len(ours)]:
        raise BackupError(
            f"{other} does not continue {mine.name} of the backup: it is of another home, or one of the two was altered"
        )
    write_whole(mine, b"".join(line + b"\n" for line in theirs).decode("utf-8"))


def _whole_lines(file: Path) -> list[bytes]:
    """The lines of a file, without a last one that is being written."""
    *lines, _unended = file.read_bytes().split(b"\n")
    return [line for line in lines if line]


def _take_releases(root: Path, other: Path, later: Later) -> None:
    """Copy the releases that the backup lacks, with their signatures and the people behind them."""
    mine = root / "releases"
    if problems := broken_links(other / LEDGER):
        raise BackupError(f"{other}: {problems[0]}")
    mine.mkdir(exist_ok=True)
    _continue(mine / LEDGER, other / LEDGER)
    for name, sha256 in _published(other):
        if (mine / name / MANIFEST).is_file():
            continue
        if not (other / name).is_dir():
            later.notes.append(f"release {name} was published after the backup, and {other} does not have it")
        elif not _is_intact(other / name, sha256):
            later.notes.append(f"release {name} in {other} is not what was published, so it was not taken")
        else:
            shutil.copytree(other / name, mine / name)
            later.releases.append(name)
    if (other / SIGNATURES).is_dir():
        shutil.copytree(other / SIGNATURES, mine / SIGNATURES, dirs_exist_ok=True)
    people = other.parent / PEOPLE
    if later.releases and people.is_dir():
        shutil.copytree(people, root / PEOPLE, dirs_exist_ok=True)


def _published(releases: Path) -> Iterator[tuple[str, str]]:
    """Name and hash of every release in a ledger, each once."""
    hashes = {str(line["release"]): str(line.get("manifest_sha256")) for line in read_lines(releases / LEDGER)}
    yield from ((name, sha256) for name, sha256 in hashes.items() if Path(name).name == name)


def _is_intact(folder: Path, sha256: str) -> bool:
    """Whether a release has exactly the files that its manifest lists, and the manifest is the one of the ledger."""
    try:
        if manifest_sha256(folder) != sha256:
            return False
        listed: dict[str, str] = dict(manifest(folder)["files"])
    except (OSError, ReleaseError, KeyError, TypeError, ValueError):
        return False
    there = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if not file.is_dir()}
    if any(file.is_symlink() for file in there.values()) or set(there) - {MANIFEST} != set(listed):
        return False
    return all(sha256_of(there[name]) == expected for name, expected in listed.items())
