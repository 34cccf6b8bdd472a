"""The landing zone: which deliveries there are, which are complete and intact, and which are not and why.

Nothing in the landing zone is ever changed. The contents of the files are read elsewhere
(``stegvis/storage/delivered_files.py``).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal, get_args

from stegvis.storage.landing_cache import Accepted, LandingCache
from stegvis.storage.landing_mirror import MirroredObjects
from stegvis.storage.manifest import MANIFEST, Issue, Manifest, read_manifest
from stegvis.storage.names import TABLE_ENDINGS, name_order, name_problem, shown, special_file, visible_entries, wave_of
from stegvis.storage.recording_files import recording_level
from stegvis.storage.remote_files import RemoteFile
from stegvis.storage.superseding import replaced, superseded
from stegvis.storage.wave_order import last_year, overlapping

Kind = Literal["baseline", "recordings", "followup", "withdrawals", "registry"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# The modules that say what is accepted.
_RULES = ("landing", "manifest", "names", "recording_files")

MOST_ISSUES = 100  # listed one by one; a drop of 60,000 files that all differ is one fault


@dataclass(frozen=True)
class LandedFile:
    """A file of a drop: its name, where it is, its size in bytes, its sha256, its time of change (ns since 1970).

    ``remote``: the recording in object storage in whose place the file is; the sha256 is its.
    """

    name: str
    path: Path
    bytes: int
    sha256: str
    modified: int = 0
    remote: RemoteFile | None = None

    @property
    def content(self) -> Path | RemoteFile:
        """Where the content is: on this machine, or in object storage."""
        return self.remote or self.path

    @property
    def is_unchanged(self) -> bool:
        """Whether the file is still the one that was scanned, by size and time."""
        try:
            state = self.path.stat()
        except OSError:
            return False
        return (state.st_size, state.st_mtime_ns) == (self.bytes, self.modified)


@dataclass(frozen=True)
class Drop:
    """An accepted delivery.

    ``partition``: the batch of recordings, the wave of a follow-up, else None. ``digest``: of the files' names and
    contents, not of the drop's name. ``synthetic``: whether ``drop.json`` says that no real person is in it.
    ``replaces``: the drop of the same kind that it makes unused.
    """

    kind: Kind
    name: str
    partition: str | None
    path: Path
    files: tuple[LandedFile, ...]
    digest: str
    synthetic: bool
    notes: tuple[str, ...] = ()
    replaces: str | None = None

    @property
    def landed(self) -> float:
        """When it was complete, in seconds since 1970: the time of its ``drop.json``."""
        manifest = self.path.with_suffix(".json") if self.kind == "withdrawals" else self.path / MANIFEST
        return manifest.stat().st_mtime


@dataclass(frozen=True)
class Unused:
    """A delivery that is not used: it waits, was rejected, repeats an earlier one, or raises an alarm."""

    kind: Kind
    name: str
    path: Path
    issues: tuple[Issue, ...]

    @property
    def reason(self) -> str:
        """All reasons in one line."""
        return "; ".join(issue.message for issue in self.issues)


@dataclass(frozen=True)
class Landing:
    """Everything in the landing zone, by kind and then in the order in which names are applied.

    ``alarms``: the contents of another wave under a second wave's name, or waves whose years overlap.
    """

    accepted: list[Drop] = field(default_factory=list)
    waiting: list[Unused] = field(default_factory=list)
    rejected: list[Unused] = field(default_factory=list)
    repeated: list[Unused] = field(default_factory=list)
    alarms: list[Unused] = field(default_factory=list)
    superseded: list[Unused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def synthetic(self) -> bool:
        """Whether any delivery in use is marked as synthetic."""
        return any(drop.synthetic for drop in self.accepted)

    def drops(self, kind: Kind, partition: str | None = None) -> list[Drop]:
        """The accepted deliveries of a kind (and wave or batch), in the order they apply."""
        return [d for d in self.accepted if d.kind == kind and partition in (None, d.partition)]


def scan(landing: Path, cache: Path | None) -> Landing:
    """Scan the landing zone.

    Args:
        landing: its folder; one that does not exist has no deliveries.
        cache: where hashes are kept between scans; None computes them all.

    Returns:
        Each delivery in exactly one of the lists. A delivery of the same kind and contents as one accepted before it,
        in name order, is repeated; of a follow-up under another wave's name it is an alarm.
    """
    found = Landing()
    if not landing.is_dir():
        return found
    known = LandingCache(landing, cache, MirroredObjects.of(cache.parent) if cache else None)
    for entry in visible_entries(landing):
        if entry.name not in KINDS:
            found.notes.append(f"'{shown(entry.name)}' is not one of the folders {', '.join(KINDS)}: ignored")
    for kind in KINDS:
        first_with: dict[str, Drop] = {}
        for path in _deliveries(landing / kind, kind):
            try:
                drop = _as_before(kind, path, known) or examine(kind, path, known)
            except OSError:  # no permission to open it: a problem of this delivery alone
                issue = Issue(shown(path.name), "unreadable", f"{shown(path.name)} cannot be opened")
                drop = Unused(kind, shown(delivery_name(kind, path)), path, (issue,))
            if isinstance(drop, Unused):
                waits = all(issue.rule in WAITING_RULES for issue in drop.issues)
                (found.waiting if waits else found.rejected).append(drop)
            elif drop.digest in first_with and drop.replaces != first_with[drop.digest].name:
                _add_repeated(found, drop, first_with[drop.digest])
            else:
                first_with[drop.digest] = drop
                found.accepted.append(drop)
        if kind != "withdrawals":  # consent that was withdrawn stays withdrawn
            _set_superseded_apart(found, kind)
    _set_overlapping_apart(found)
    known.save()
    return found


def _add_repeated(found: Landing, drop: Drop, first: Drop) -> None:
    if drop.kind == "followup" and drop.partition != first.partition:
        message = (
            f"the same contents as '{first.name}', which is another wave: one of the two is in the wrong place. It is "
            'not used; deliver the right file with "replaces" in its drop.json, or take this drop away'
        )
        found.alarms.append(Unused(drop.kind, drop.name, drop.path, (Issue(drop.name, "other_wave", message),)))
        return
    message = f"the same contents as '{first.name}', which came before: nothing to do"
    found.repeated.append(Unused(drop.kind, drop.name, drop.path, (Issue(drop.name, "repeated", message),)))


def _set_superseded_apart(found: Landing, kind: Kind) -> None:
    mine = [drop for drop in found.accepted if drop.kind == kind]
    for unused in (found.rejected, found.alarms):
        by = {drop.replaces: drop.name for drop in mine if drop.replaces}
        for each in [each for each in unused if each.kind == kind and each.name in by]:
            unused.remove(each)
            found.superseded.append(Unused(kind, each.name, each.path, (replaced(each.name, by[each.name]),)))
    why = superseded(mine)
    found.superseded.extend(Unused(kind, d.name, d.path, (why[d.name],)) for d in mine if d.name in why)
    found.accepted[:] = [drop for drop in found.accepted if drop.kind != kind or drop.name not in why]


def _set_overlapping_apart(found: Landing) -> None:
    """Follow-ups of a wave whose years overlap those of another raise an alarm."""
    mine = [drop for drop in found.accepted if drop.kind == "followup" and drop.partition]
    by = overlapping(drop.partition for drop in mine if drop.partition)
    for drop in [drop for drop in mine if drop.partition in by]:
        wave = by[str(drop.partition)]
        message = (
            f"its years overlap those of wave {wave}, and waves follow one another. It is not used; name it by years "
            f"from {last_year(wave)} on, deliver it as a later part of that wave ({wave}.2), or take this drop away"
        )
        found.accepted.remove(drop)
        found.alarms.append(Unused(drop.kind, drop.name, drop.path, (Issue(drop.name, "waves_overlap", message),)))


# A delivery with only these issues is still being copied.
WAITING_RULES = ("no_manifest", "file_not_there_yet")


def examine(kind: Kind, path: Path, known: LandingCache) -> Drop | Unused:
    """One delivery: its name, ``drop.json``, and the presence and hash of each file.

    Args:
        kind: which folder of the landing zone it belongs to.
        path: the drop's folder, or the csv of withdrawals.
        known: for a root above the drop; a drop that is accepted is recorded.
    """
    name = delivery_name(kind, path)
    misplaced = place_issue(kind, path)
    if misplaced:
        return Unused(kind, shown(name), path, (misplaced,))
    state = _state(path / MANIFEST)
    manifest, files, issues = examine_files(kind, path, known)
    if manifest is None or issues:
        return Unused(kind, name, path, issues)
    notes = list(manifest.notes)
    if kind != "withdrawals":
        unlisted = [shown(e.name) for e in visible_entries(path) if e.name not in {MANIFEST, *manifest.files}]
        notes += [f"{file_name} is not listed in {MANIFEST}: ignored" for file_name in unlisted]
    digest = _digest(("withdrawals.csv" if kind == "withdrawals" else file.name, file.sha256) for file in files)
    if state and not notes:
        known.accept(f"{kind}/{path.name}", Accepted(*state, _rules(), digest, manifest.synthetic, manifest.replaces))
    partition = _partition(kind, name)
    return Drop(kind, name, partition, path, files, digest, manifest.synthetic, tuple(notes), manifest.replaces)


def _as_before(kind: Kind, path: Path, known: LandingCache) -> Drop | None:
    """A drop that was accepted before and has the same files with the same hashes; None if it must be examined."""
    name = f"{kind}/{path.name}"
    how = known.accepted(name)
    if how is None or how.rules != _rules() or place_issue(kind, path):
        return None
    files, manifest = [], None
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if not entry.is_file(follow_symlinks=False):
                return None
            state = entry.stat()
            if entry.name == MANIFEST:
                manifest = (state.st_size, state.st_mtime_ns)
                continue
            sha256 = known.unchanged(f"{name}/{entry.name}", state)
            file = path / entry.name
            if sha256 is None or known.is_faulty(file):
                return None
            remote = known.remote(file, state, sha256)
            files.append(LandedFile(entry.name, file, state.st_size, sha256, state.st_mtime_ns, remote))
    files.sort(key=lambda file: file.name)
    if manifest != (how.size, how.modified) or how.digest != _digest((file.name, file.sha256) for file in files):
        return None
    known.accept(name, how)
    partition = _partition(kind, path.name)
    return Drop(kind, path.name, partition, path, tuple(files), how.digest, how.synthetic, (), how.replaces)


@cache
def _rules() -> str:
    """A hash of the code that accepts drops: what another version accepted is examined again."""
    package = resources.files("stegvis.storage")
    return hashlib.sha256(b"".join((package / f"{name}.py").read_bytes() for name in _RULES)).hexdigest()


def _state(file: Path) -> tuple[int, int] | None:
    try:
        state = file.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns


def examine_files(
    kind: Kind, path: Path, known: LandingCache
) -> tuple[Manifest | None, tuple[LandedFile, ...], tuple[Issue, ...]]:
    """The manifest (None if it cannot be used), the listed files that exist, and all issues."""
    folder, manifest_path = (
        (path.parent, path.with_suffix(".json")) if kind == "withdrawals" else (path, path / MANIFEST)
    )
    manifest = read_manifest(manifest_path)
    if isinstance(manifest, Issue):
        return None, (), (manifest,)
    files, issues = [], []
    there = {entry.name for entry in folder.iterdir()}
    for name, sha256 in sorted(manifest.files.items()):
        file = folder / name
        special = special_file(file) if name in there else None
        if special is not None:
            issues.append(Issue(name, "unsafe_file", f"{name} is {special}"))
            continue
        try:
            if name not in there or not file.is_file():
                message = f"{name} is named in {manifest_path.name} and not there yet"
                issues.append(Issue(name, "file_not_there_yet", message))
                continue
            state = file.stat()  # before it is hashed: a change meanwhile is noticed when it was read
            remote = known.remote(file, state, sha256)
            sha256_now = sha256 if remote else known.sha256(file, state)
            files.append(LandedFile(name, file, state.st_size, sha256_now, state.st_mtime_ns, remote))
        except OSError:
            issues.append(Issue(name, "unreadable", f"{name} cannot be opened"))
            continue
        if sha256_now != sha256 or known.is_faulty(file):
            message = f"{name} is not the file that {manifest_path.name} describes: its sha256 differs"
            issues.append(Issue(name, "hash_mismatch", message))
    expected = _expected_files(kind, delivery_name(kind, path), list(manifest.files))
    return manifest, tuple(files), tuple([*_in_short(issues), expected] if expected else _in_short(issues))


def _in_short(issues: list[Issue]) -> list[Issue]:
    """Not more issues than somebody reads; what rejects a drop comes before what it waits for."""
    if len(issues) <= MOST_ISSUES:
        return issues
    first = sorted(issues, key=lambda issue: issue.rule in WAITING_RULES)
    rest = first[MOST_ISSUES]
    return [
        *first[:MOST_ISSUES],
        Issue(MANIFEST, rest.rule, f"and {len(issues) - MOST_ISSUES:,} more files like these"),
    ]


def delivery_name(kind: Kind, path: Path) -> str:
    """The drop's name: its folder's, or for withdrawals its csv's without the ending."""
    return path.stem if kind == "withdrawals" else path.name


def _expected_files(kind: Kind, name: str, files: list[str]) -> Issue | None:
    """What is wrong with the set of files of a drop, by its kind; None if nothing."""
    if kind == "withdrawals":
        wrong = files != [f"{name}.csv"]
        return (
            Issue(f"{name}.json", "file_missing", f"{name}.json must list {name}.csv and nothing else")
            if wrong
            else None
        )
    endings = ",".join(ending[1:] for ending in TABLE_ENDINGS)
    if kind == "recordings":
        if any(recording_level(file) for file in files):
            return None
        return Issue(MANIFEST, "file_missing", "the batch lists no recording: no days, epochs, signal or cwa file")
    stem = {"baseline": "participants", "registry": "vital_status"}.get(kind, "questionnaire")
    tables = [file for file in files if Path(file).stem == stem and Path(file).suffix.lower() in TABLE_ENDINGS]
    if len(tables) == 1:
        return None
    how_many = "more than one file" if tables else "no file"
    return Issue(MANIFEST, "file_missing", f"the drop lists {how_many} {stem}.{{{endings}}}; it must list one")


def place_issue(kind: Kind, path: Path) -> Issue | None:
    """What is wrong with the place or the name of a delivery; None if nothing."""
    name = delivery_name(kind, path)
    if kind == "withdrawals":
        if path.suffix != ".csv" or (path.exists() and not path.is_file()):
            message = "withdrawals are a file <drop>.csv beside a file <drop>.json"
            return Issue(shown(path.name), "misplaced", message)
    elif not path.is_dir():
        message = f"a file directly under {kind}/: each delivery has a folder of its own"
        return Issue(shown(path.name), "misplaced", message)
    problem = name_problem(name)
    if problem is None and kind == "followup" and wave_of(name) is None:
        problem = "a wave is named by its years, such as 2024 or 2021-2023; a later part of it 2021-2023.2"
    return None if problem is None else Issue(shown(name), "drop_name", problem)


def _partition(kind: Kind, name: str) -> str | None:
    return name if kind == "recordings" else wave_of(name) if kind == "followup" else None


def _deliveries(folder: Path, kind: Kind) -> Iterator[Path]:
    """The deliveries of a kind in name order; of withdrawals, the csv of each name, there or not."""
    if not folder.is_dir():
        return
    entries = visible_entries(folder)
    if kind == "withdrawals":
        tables = [entry for entry in entries if entry.suffix != ".json"]
        stems = {entry.stem for entry in tables}
        entries = tables + [
            entry.with_suffix(".csv") for entry in entries if entry.suffix == ".json" and entry.stem not in stems
        ]
    yield from sorted(entries, key=lambda entry: (name_order(delivery_name(kind, entry)), entry.suffix))


def _digest(files: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(files))
    return hashlib.sha256(lines.encode()).hexdigest()
