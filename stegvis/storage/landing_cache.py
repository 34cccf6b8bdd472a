"""What is recorded of the landing zone between scans: hashes of unchanged files, and which drops were accepted.

A file is taken as unchanged by its size and time of change. Names of files may be names of people, so the cache holds
keyed hashes of names.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from stegvis.storage.home_key import hash_with, home_key
from stegvis.storage.landing_mirror import MirroredObjects
from stegvis.storage.remote_files import RemoteFile


@dataclass(frozen=True)
class Accepted:
    """A drop as it was accepted: the size and time of change of its ``drop.json``, and what that says.

    ``digest``: of the files' names and contents; ``rules``: a hash of the code that accepted it.
    """

    size: int
    modified: int
    rules: str
    digest: str
    synthetic: bool
    replaces: str | None

    @classmethod
    def of(cls, entry: Any) -> Accepted | None:
        """From the cache; None if it is of another form."""
        try:
            found = cls(*entry)
        except TypeError:
            return None
        texts = isinstance(found.digest, str) and isinstance(found.replaces, str | None)
        return found if texts and isinstance(found.synthetic, bool) else None

    def as_entry(self) -> list[Any]:
        """For the cache."""
        return [self.size, self.modified, self.rules, self.digest, self.synthetic, self.replaces]


@dataclass
class LandingCache:
    """Hashes of files by relative path, size and time of change, kept between scans; without a file, in memory."""

    root: Path
    cache: Path | None = None
    objects: MirroredObjects | None = None
    _known: dict[str, Any] = field(default_factory=dict, init=False)
    _seen: dict[str, Any] = field(default_factory=dict, init=False)
    _renamed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if self.cache is not None:
            try:
                known = json.loads(self.cache.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                known = {}  # absent or damaged: every file is hashed again
            known = known if isinstance(known, dict) else {}
            # A cache of an earlier version has the names themselves: taken over, so that nothing is hashed again.
            self._known = {self._key(name) if _is_path(name) else name: entry for name, entry in known.items()}
            self._renamed = self._known.keys() != known.keys()

    def sha256(self, path: Path, state: os.stat_result) -> str:
        """The sha256 of a file, computed only when its size or time of change is new.

        Args:
            path: the file, in the landing zone.
            state: as it was before the call.
        """
        name = path.relative_to(self.root).as_posix()
        if (known := self.unchanged(name, state)) is not None:
            return known
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        self._seen[self._key(name)] = [state.st_size, state.st_mtime_ns, found]
        return found

    def unchanged(self, name: str, state: os.stat_result) -> str | None:
        """The sha256 of a file, named by its path in the landing zone; None if its size or time of change is new."""
        key = self._key(name)
        entry = self._known.get(key)
        if not (isinstance(entry, list) and len(entry) == 3 and entry[:2] == [state.st_size, state.st_mtime_ns]):
            return None
        self._seen[key] = entry
        return str(entry[2])

    def remote(self, path: Path, state: os.stat_result, sha256: str) -> RemoteFile | None:
        """The object with this sha256 in whose place a file of the landing zone is; None if it is no stand-in.

        The hash is the manifest's, and is compared when the object is read.
        """
        name = path.relative_to(self.root).as_posix()
        found = self.objects.remote(name, sha256) if self.objects else None
        if found:
            self._seen[self._key(name)] = [state.st_size, state.st_mtime_ns, sha256]
        return found

    def is_faulty(self, path: Path) -> bool:
        """Whether an object was read and is not what its manifest says."""
        return self.objects is not None and self.objects.is_faulty(path.relative_to(self.root).as_posix())

    def accepted(self, drop: str) -> Accepted | None:
        """How a drop, named by its path, was accepted before; None if it was not."""
        return Accepted.of(self._known.get(self._key(drop)))

    def accept(self, drop: str, how: Accepted) -> None:
        """Record that a drop was accepted."""
        self._seen[self._key(drop)] = how.as_entry()

    def save(self) -> None:
        """Replace the cache atomically; what no longer exists is dropped from it."""
        if self.cache is None or (self._seen == self._known and not self._renamed):
            return
        self.cache.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.cache.with_name(f".{self.cache.name}.{os.getpid()}")
        unfinished.write_text(json.dumps(self._seen, indent=0, sort_keys=True), encoding="utf-8")
        unfinished.replace(self.cache)

    @cached_property
    def _home_key(self) -> bytes:
        return home_key(self.root if self.cache is None else self.cache.parent)

    def _key(self, name: str) -> str:
        return name if self.cache is None else hash_with(self._home_key, "file name", name)


def _is_path(name: str) -> bool:
    return "/" in name or "." in name
