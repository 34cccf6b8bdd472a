"""A landing zone in object storage, mirrored into the folder ``landing/`` of the home before it is scanned.

Manifests, tables and lists of withdrawals are copied. Of a raw recording the mirror has the header only, of a signal an
empty file: recordings stay where they are, and workers fetch them (``stegvis/storage/remote_files.py``).

What is recorded of the objects (``landing_objects.json``) says which files of the folder are mirrored and which are
stand-ins. Files that somebody put into the folder by hand stay as they are and are delivered as ever. Nothing in the
object storage is ever changed.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from stegvis.storage.home import Home
from stegvis.storage.home_key import hash_with, home_key
from stegvis.storage.lock import locked
from stegvis.storage.manifest import MANIFEST
from stegvis.storage.objects import ObjectState, ObjectStorageError, ObjectStore
from stegvis.storage.recording_files import recording_level
from stegvis.storage.remote_files import RemoteFile
from stegvis.storage.storage_settings import storage_settings
from stegvis.storage.whole_files import write_whole

FILE = "landing_objects.json"
# Requests at once; each takes some milliseconds of waiting and none of work.
_AT_ONCE = 16
_REPORT_EVERY = 500
_UNFINISHED = ".part"
_IN_ITS_PLACE = "a file put into the landing folder has the name of another object: the object is ignored"
# Seconds between two listings by the sensors, which look every 15 seconds.
UNATTENDED = 60.0


@dataclass
class MirroredObjects:
    """What is recorded of the objects: size, entity tag and whether the content was found to be another.

    Names of recordings are names of people, so they are recorded as keyed hashes.
    """

    root: Path
    store: ObjectStore | None = None
    listed: float = 0.0
    files: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path) -> MirroredObjects:
        """As recorded in the home at ``root``; nothing if the file is absent, damaged, or of another address."""
        settings = storage_settings(root)
        found = cls(root, settings.store(settings.landing) if settings.landing else None)
        if found.store is None:
            return found
        try:
            known = json.loads((root / FILE).read_text(encoding="utf-8"))
            if known["url"] == found.store.url:
                found.listed, found.files = float(known["listed"]), dict(known["files"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return found

    def save(self) -> None:
        """Replace the file at once."""
        if self.store:
            content = {"url": self.store.url, "listed": self.listed, "files": self.files}
            write_whole(self.root / FILE, json.dumps(content, indent=0, sort_keys=True))

    def remote(self, name: str, sha256: str) -> RemoteFile | None:
        """The object in whose place a file of the landing zone is; None if the file is the delivery itself."""
        entry = self.files.get(self._key(name)) if self.store and self.files and is_left_there(name) else None
        return RemoteFile(self.store, name, entry[0], entry[1], sha256) if entry and self.store else None

    def is_faulty(self, name: str) -> bool:
        """Whether the object, as it is now, was found not to have the content that its manifest says."""
        entry = self.files.get(self._key(name))
        return bool(entry and entry[2])

    def is_current(self, name: str, state: ObjectState) -> bool:
        """Whether this state of an object is the one that was mirrored."""
        return (self.files.get(self._key(name)) or [])[:2] == [state.size, state.etag]

    def is_mirrored(self, name: str) -> bool:
        """Whether a file of the folder came from the object storage."""
        return self._key(name) in self.files

    def record(self, name: str, state: ObjectState) -> None:
        """Record that an object is mirrored in this state."""
        self.files[self._key(name)] = [state.size, state.etag, False]

    def forget(self, name: str) -> None:
        """Record that an object is gone."""
        self.files.pop(self._key(name), None)

    def mark_faulty(self, files: Iterable[RemoteFile]) -> None:
        """Record objects whose content is not what their manifest says; the next scan rejects their drops."""
        for file in files:
            entry = self.files.get(self._key(file.name))
            if entry and entry[1] == file.etag:
                entry[2] = True
        self.save()

    @cached_property
    def _home_key(self) -> bytes:
        return home_key(self.root)

    def _key(self, name: str) -> str:
        return hash_with(self._home_key, "file name", name)


def is_left_there(name: str) -> bool:
    """Whether a file of the landing zone, by its path, is a recording that stays in object storage."""
    parts = PurePosixPath(name).parts
    return len(parts) == 3 and parts[0] == "recordings" and recording_level(parts[2]) in ("raw", "signal")


def is_stand_in(home: Home, drop: Path) -> bool:
    """Whether a drop is in a landing folder that is mirrored, and has recordings, which are not in the folder."""
    if storage_settings(home.root).landing is None or not drop.is_dir():
        return False
    folder = drop.resolve()
    known = MirroredObjects.of(home.root)
    names = [f"recordings/{folder.name}/{each.name}" for each in folder.iterdir()]
    return folder.parent == home.landing / "recordings" and any(known.remote(name, "") for name in names)


def mirror_landing(home: Home, report: Callable[[str], None] = lambda line: None, fresh: float = 0.0) -> None:
    """Bring the folder ``landing/`` up to date with the object storage, if ``storage.toml`` names one.

    Only what is new is read. Manifests come last, so that a drop is not complete before its files are.

    Args:
        home: the home.
        report: called with a line of progress, or about an object that cannot be taken.
        fresh: seconds for which a listing counts as up to date.

    Raises:
        stegvis.storage.objects.ObjectStorageError: the storage cannot be used. What was mirrored before stays.
    """
    if storage_settings(home.root).landing is None:
        return
    with locked(home.root / "landing.lock", "mirror of the landing zone"):
        known = MirroredObjects.of(home.root)
        if known.store is None or 0 <= time.time() - known.listed < fresh:
            return
        objects = {name: state for name, state in known.store.objects().items() if _is_usable(name, report)}
        try:
            _take_new(home.landing, known, objects, report)
            _remove_gone(home.landing, known, objects)
            known.listed = time.time()
        finally:  # what is there is not read again
            known.save()


def mirror_if_reachable(home: Home, report: Callable[[str], None] = lambda line: None, fresh: float = 0.0) -> str:
    """``mirror_landing``; why it cannot be done, blank if it was. What was mirrored before stays."""
    try:
        mirror_landing(home, report, fresh)
    except ObjectStorageError as error:
        return str(error)
    return ""


def _take_new(
    landing: Path, known: MirroredObjects, objects: Mapping[str, ObjectState], report: Callable[[str], None]
) -> None:
    new = [name for name, state in objects.items() if not (known.is_current(name, state) and (landing / name).exists())]
    manifests = [name for name in new if _is_manifest(name)]
    done = 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for names in ([name for name in new if not _is_manifest(name)], manifests):
            try:
                taken = pool.map(lambda each: _take(landing, known, each, objects[each]), names)
                for name, is_taken in zip(names, taken, strict=True):
                    done += 1
                    if is_taken:
                        known.record(name, objects[name])
                    else:
                        report(f"{_folder(name)}: {_IN_ITS_PLACE}")
                    if done % _REPORT_EVERY == 0:
                        report(f"{done:,} of {len(new):,} new objects of the landing zone are mirrored")
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def _take(landing: Path, known: MirroredObjects, name: str, state: ObjectState) -> bool:
    """Write the file, or the stand-in, of an object; whether there was no other file in its place."""
    from stegvis.accelerometry.cwa_format import HEADER_BYTES

    assert known.store is not None
    target = landing / name
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{hashlib.sha256(name.encode()).hexdigest()[:16]}{_UNFINISHED}")
    try:
        if is_left_there(name):
            header = min(state.size, HEADER_BYTES) if recording_level(target.name) == "raw" else 0
            unfinished.write_bytes(known.store.read(name, 0, header))
        else:
            known.store.fetch(name, state.size, unfinished)
        if target.exists() and not known.is_mirrored(name) and not filecmp.cmp(target, unfinished, shallow=False):
            return False
        # Of a stand-in size and second may be those of the object before, so the tag is in the nanoseconds.
        changed = int(state.modified) * 1_000_000_000 + int(hashlib.sha256(state.etag.encode()).hexdigest()[:7], 16)
        os.utime(unfinished, ns=(changed, changed))
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def _remove_gone(landing: Path, known: MirroredObjects, objects: Mapping[str, ObjectState]) -> None:
    for folder, _, files in os.walk(landing, topdown=False):
        for file in files:
            name = (Path(folder) / file).relative_to(landing).as_posix()
            if file.startswith(".") and file.endswith(_UNFINISHED):  # of a process that was killed
                (landing / name).unlink()
            if name not in objects and known.is_mirrored(name):
                (landing / name).unlink()
                known.forget(name)
                if not any(Path(folder).iterdir()):
                    Path(folder).rmdir()


def _is_manifest(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name == MANIFEST or (path.parts[0] == "withdrawals" and path.suffix == ".json")


def _is_usable(name: str, report: Callable[[str], None]) -> bool:
    """Whether the name of an object is that of a file in a landing zone: no way out of the folder, nothing hidden."""
    parts = name.split("/")
    if all(part and not part.startswith(".") and "\\" not in part and "\0" not in part for part in parts):
        return True
    if not any(part.startswith(".") for part in parts):
        report(f"{_folder(name)}: the name of an object cannot be that of a file: ignored")
    return False


def _folder(name: str) -> str:
    return PurePosixPath(name).parent.as_posix()
