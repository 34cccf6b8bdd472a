"""Small drops in a landing zone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path


def sha256(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def deliver(folder: Path, files: dict[str, str], synthetic: bool = False) -> Path:
    """A complete drop."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    manifest = {"files": {name: {"sha256": sha256(content)} for name, content in files.items()}}
    (folder / "drop.json").write_text(json.dumps(manifest | ({"synthetic": True} if synthetic else {})))
    return folder


def withdraw(landing: Path, name: str, content: str = "person\nP1\n") -> None:
    folder = landing / "withdrawals"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.csv").write_text(content)
    (folder / f"{name}.json").write_text(json.dumps({"files": {f"{name}.csv": {"sha256": sha256(content)}}}))
