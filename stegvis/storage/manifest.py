"""``drop.json``: which files a delivery consists of, with their hashes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "drop.json"
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Issue:
    """Why a delivery, or a file of it, is not accepted: the file, the rule's short name, and a sentence."""

    file: str
    rule: str
    message: str


@dataclass(frozen=True)
class Manifest:
    """What a ``drop.json`` says: the sha256 of each file by its name, and whether the drop is synthetic."""

    files: dict[str, str]
    synthetic: bool
    notes: tuple[str, ...]


def read_manifest(path: Path) -> Manifest | Issue:
    """Read ``drop.json``: ``{"files": {"<name>": {"sha256": "..."}}, "synthetic": true}``."""
    if not path.is_file():
        return Issue(path.name, "no_manifest", f"there is no {path.name} yet: the delivery is not complete")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return Issue(path.name, "manifest_form", f"{path.name} is not valid JSON")
    form = f'{path.name} must have the form {{"files": {{"<name>": {{"sha256": "..."}}}}}}'
    files = content.get("files") if isinstance(content, dict) else None
    if not isinstance(files, dict) or not files:
        return Issue(path.name, "manifest_form", form)
    for name, about in files.items():
        if not _safe_file_name(name):
            return Issue(
                path.name, "unsafe_name", f"{path.name} names a file that is not a plain file name of the drop"
            )
        if not isinstance(about, dict) or not SHA256.fullmatch(str(about.get("sha256")).lower()):
            return Issue(path.name, "manifest_form", f"{form}, with 64 hexadecimal digits for each file")
    synthetic = content.get("synthetic", False)
    if not isinstance(synthetic, bool):
        return Issue(path.name, "manifest_form", f"in {path.name}, synthetic must be true or false")
    unknown = sorted(set(content) - {"files", "synthetic"})
    notes = (f"{path.name} has unknown keys, which are ignored: {', '.join(unknown)}",) if unknown else ()
    return Manifest({name: about["sha256"].lower() for name, about in files.items()}, synthetic, notes)


def _safe_file_name(name: str) -> bool:
    """A name inside its folder, not hidden, that can be printed."""
    return bool(name) and not name.startswith(".") and name.isprintable() and not set(name) & {"/", "\\"}
