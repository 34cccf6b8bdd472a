"""What is remembered of a batch's recordings, so that none is read again: ``lake/recordings/batch=<batch>/*.json``.

A note is named after everything that decides it (the files' hashes, the method), so a note that is there holds, and one
that nobody asks for any more is removed.

Belongs here: keeping notes. Does not belong here: what stands in them (``stegvis/storage/classification.py``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENDING = ".json"
Note = dict[str, Any]


@dataclass(frozen=True)
class RecordingNotes:
    """The notes of one batch."""

    root: Path
    batch: str

    @property
    def folder(self) -> Path:
        return self.root / "recordings" / f"batch={self.batch}"

    def read(self, name: str) -> Note | None:
        """A note, if there is one."""
        file = self.folder / f"{name}{ENDING}"
        if not file.exists():
            return None
        found: Note = json.loads(file.read_text(encoding="utf-8"))
        return found

    def write(self, name: str, note: Note) -> None:
        """Keep a note; it is there whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f"{name}.{os.getpid()}.tmp"
        unfinished.write_text(json.dumps(note), encoding="utf-8")
        unfinished.replace(self.folder / f"{name}{ENDING}")

    def keep_only(self, names: Iterable[str]) -> None:
        """Remove every other note of the batch."""
        wanted = {f"{name}{ENDING}" for name in names}
        for file in self.folder.glob("*"):
            if file.name not in wanted:
                file.unlink()
