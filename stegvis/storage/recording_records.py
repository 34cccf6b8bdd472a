"""The processing records of a batch's recordings: ``lake/recordings/batch=<batch>/<fingerprint>.json``.

Each recording has a processing record whose file name is the fingerprint of its inputs and method. A record that exists
is therefore valid, and its recording is not read again. ``stegvis/storage/classification.py`` describes the content.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stegvis.storage.lake_copy import LakeCopy

ENDING = ".json"
RecordingRecord = dict[str, Any]


@dataclass(frozen=True)
class RecordingRecords:
    """The processing records of one batch in the lake at ``root``; ``copy``: of the lake in object storage."""

    root: Path
    batch: str
    copy: LakeCopy | None = None

    @property
    def folder(self) -> Path:
        return self.root / "recordings" / f"batch={self.batch}"

    def read(self, name: str) -> RecordingRecord | None:
        """The record of this name, if there is one; what only the copy has is fetched first."""
        file = self.folder / f"{name}{ENDING}"
        if not file.exists() and not (self.copy and self.copy.fetch("recordings", self.batch, file)):
            return None
        found: RecordingRecord = json.loads(file.read_text(encoding="utf-8"))
        return found

    def write(self, name: str, record: RecordingRecord) -> None:
        """Write a record atomically."""
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f"{name}.{os.getpid()}.tmp"
        unfinished.write_text(json.dumps(record), encoding="utf-8")
        unfinished.replace(self.folder / f"{name}{ENDING}")

    def keep_only(self, names: Iterable[str]) -> None:
        """Remove every other file of the batch, unfinished ones included."""
        wanted = {f"{name}{ENDING}" for name in names}
        for file in self.folder.glob("*"):
            if file.name not in wanted:
                file.unlink()

    def store_copies(self, names: Iterable[str]) -> int:
        """Write the records that the copy lacks; returns how many."""
        files = [file for name in names if (file := self.folder / f"{name}{ENDING}").exists()]
        return self.copy.store_files("recordings", self.batch, files) if self.copy else 0
