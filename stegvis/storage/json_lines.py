"""Files of one JSON object a line that are only ever appended to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TypeVar

Line = TypeVar("Line")


def append_lines(file: Path, lines: list[str]) -> None:
    """Append whole lines and wait until they are on the disk; a line cut by an earlier crash is ended first."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\n" for line in lines)
    with file.open("a+b") as opened:
        if opened.tell() > 0:
            opened.seek(-1, os.SEEK_END)
            if opened.read(1) != b"\n":
                text = "\n" + text
        opened.write(text.encode())
        opened.flush()
        os.fsync(opened.fileno())


def read_objects(file: Path, kind: type[Line]) -> list[Line]:
    """Every line as an object of a kind, the oldest first; a line cut by a crash is passed over."""
    if not file.exists():
        return []
    found = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            found.append(kind(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return found
