"""Append-only files of JSON lines: each line holds the hash of the one before.

The register of exports and the release ledger are such files. A chain cannot show that its last lines were removed;
each user of this module documents how that is detected.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BEFORE = "before"


def add_line(file: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Append an entry with the time and the hash of the line before. Call under a lock.

    Returns:
        The line as written.
    """
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        **entry,
        BEFORE: _digest(lines[-1]) if lines else "",
    }
    with file.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(line) + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    return line


def read_lines(file: Path) -> list[dict[str, Any]]:
    """The entries that can be read, in order; empty when there is no file."""
    if not file.exists():
        return []
    return [each for line in file.read_text(encoding="utf-8").splitlines() if (each := _parsed(line)) is not None]


def broken_links(file: Path) -> list[str]:
    """Where a chain is broken: lines that cannot be read, or that do not match the hash of the line before."""
    problems = []
    before = ""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    for number, line in enumerate(lines, start=1):
        entry = _parsed(line)
        if entry is None:
            problems.append(f"line {number} of {file.name} cannot be read")
        elif entry.get(BEFORE) != before:
            problems.append(f"line {number} of {file.name} does not follow the line before: one was edited or removed")
        before = _digest(line)
    return problems


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _digest(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
