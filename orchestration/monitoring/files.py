"""The files in ``monitoring/`` of a home: what was seen last, what was sent, and when the daemon last looked.

All are small and replaced at once, and all may be deleted: what is open is then sent once more. None names a person, a
file of a recording, or how many people withdrew.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from stegvis.storage.whole_files import write_whole

FOLDER = "monitoring"
SEEN = "seen.json"  # the causes and counts of the last look at the whole home
STATE = "state.html"  # the first page of the UI, for a webserver that may not write to the home
SENT = "sent.json"  # what was sent to whom
REFRESH = "refresh.json"  # how the last refresh ended
LOOKED = "looked"  # its time: when the daemon's sensor last looked
SENDING = "sending.lock"
PRUNED = "pruned"  # its time: when old runs were last deleted


def place(root: Path, name: str) -> Path:
    """A file of a home's folder ``monitoring/``."""
    return root / FOLDER / name


def read_json(file: Path) -> dict[str, Any]:
    """An object of a JSON file; empty where it is absent or damaged."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(file: Path, content: dict[str, Any]) -> None:
    """Replace a JSON file at once."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(file, json.dumps(content, indent=1))


def mark(file: Path) -> None:
    """Set the time of a file to now, making it where it is absent."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch()


def seconds_since(file: Path) -> float | None:
    """How long ago a file was marked; None if never. A clock that went back counts as now."""
    try:
        return max(0.0, time.time() - file.stat().st_mtime)
    except OSError:
        return None
