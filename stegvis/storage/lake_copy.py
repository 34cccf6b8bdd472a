"""A copy of the lake in object storage: the shards and processing records of each batch.

The folder ``lake/`` of the home is what everything reads. What a batch is published from is written to the copy before,
and a shard or record that the folder lacks (a new machine, a lost disk) is fetched on demand, so that nothing is
classified twice. The name of an object ends with the sha256 of its content, which is compared when it is fetched.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from stegvis.storage.objects import ObjectGoneError, ObjectStore
from stegvis.storage.storage_settings import storage_settings
from stegvis.storage.whole_files import sha256_of

Kind = Literal["epochs", "recordings"]
KINDS: tuple[Kind, ...] = ("epochs", "recordings")
_AT_ONCE = 16


@dataclass
class LakeCopy:
    """The copy at an address. ``known`` are the objects of the batches that were listed."""

    store: ObjectStore
    known: dict[tuple[Kind, str], dict[str, tuple[str, int]]] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path) -> LakeCopy | None:
        """The copy that ``storage.toml`` of the home at ``root`` names, if it does."""
        settings = storage_settings(root)
        return cls(settings.store(settings.lake)) if settings.lake else None

    def files(self, kind: Kind, batch: str) -> dict[str, tuple[str, int]]:
        """The files of a batch: sha256 and size in bytes by name."""
        if (kind, batch) not in self.known:
            found = self._folder(kind, batch).objects()
            named = [(*_split(name), state.size) for name, state in found.items()]
            self.known[kind, batch] = {name: (sha256, size) for name, sha256, size in named if sha256}
        return self.known[kind, batch]

    def fetch(self, kind: Kind, batch: str, target: Path) -> bool:
        """Write a file of a batch to where it belongs; whether the copy has it, with the content it had.

        Raises:
            ObjectStorageError: the object storage cannot be used.
        """
        known = self.files(kind, batch).get(target.name)
        if known is None:
            return False
        sha256, size = known
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.part")
        try:
            if self._folder(kind, batch).fetch(f"{target.name}.{sha256}", size, unfinished) != sha256:
                self.known[kind, batch].pop(target.name)  # so that it is written again
                return False
            unfinished.replace(target)
        except ObjectGoneError:
            return False
        finally:
            unfinished.unlink(missing_ok=True)
        return True

    def store_files(self, kind: Kind, batch: str, files: Iterable[Path]) -> int:
        """Write files of a batch that the copy lacks; returns how many.

        Raises:
            ObjectStorageError: one could not be written. What was written before stays, and is not written again.
        """
        there = self.files(kind, batch)
        new = [file for file in files if file.name not in there]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                for file, sha256 in zip(new, pool.map(lambda each: self._write(kind, batch, each), new), strict=True):
                    there[file.name] = sha256, file.stat().st_size
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return len(new)

    def keep_only(self, kind: Kind, batch: str, names: Iterable[str]) -> None:
        """Delete the files of a batch with other names."""
        wanted = set(names)
        self.delete(kind, batch, [name for name in self.files(kind, batch) if name not in wanted])

    def delete(self, kind: Kind, batch: str, names: Iterable[str]) -> None:
        """Delete files of a batch, whatever their content; those that are not there are no error."""
        wanted = set(names)
        if not wanted:
            return
        folder = self._folder(kind, batch)
        for found in folder.objects():
            if _split(found)[0] in wanted:
                folder.delete(found)
        self.known.pop((kind, batch), None)

    def batches(self) -> list[str]:
        """The batches that have a file."""
        found = {name.split("/")[1] for name in self.store.objects() if name.count("/") == 2}
        return sorted(name.removeprefix("batch=") for name in found if name.startswith("batch="))

    def _write(self, kind: Kind, batch: str, file: Path) -> str:
        sha256 = sha256_of(file)
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            self._folder(kind, batch).write(f"{file.name}.{sha256}", content)
        return sha256

    def _folder(self, kind: Kind, batch: str) -> ObjectStore:
        return self.store.within(f"{kind}/batch={batch}")


def _split(name: str) -> tuple[str, str]:
    """The name of a file and its sha256; blank if an object is none of ours."""
    file, _, sha256 = name.rpartition(".")
    return (file, sha256) if len(sha256) == 64 and "/" not in name else (name, "")
