"""``drop.json``: which files a delivery consists of, with their hashes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from stegvis.storage.names import shown, special_file

MANIFEST = "drop.json"
SHA256 = re.compile(r"[0-9a-fA-F]{64}")
LARGEST = 64 << 20  # bytes; half a million files have less
LONGEST_FILE_NAME = 255  # bytes, as most file systems allow


@dataclass(frozen=True)
class Issue:
    """Why a delivery, or a file of it, is not accepted: the file, the rule's short name, and a sentence."""

    file: str
    rule: str
    message: str


@dataclass(frozen=True)
class Manifest:
    """What a ``drop.json`` says: the sha256 of each file by name, if it is synthetic, and which drop it replaces."""

    files: dict[str, str]
    synthetic: bool
    notes: tuple[str, ...]
    replaces: str | None = None


def read_manifest(path: Path) -> Manifest | Issue:
    """Read ``drop.json``: ``{"files": {"<name>": {"sha256": "..."}}, "synthetic": true}``."""
    special = special_file(path)
    if special is not None:
        return Issue(path.name, "manifest_form", f"{path.name} is {special}")
    try:
        if not path.is_file():
            return Issue(path.name, "no_manifest", f"there is no {path.name} yet: the delivery is not complete")
        if path.stat().st_size > LARGEST:
            return Issue(path.name, "manifest_form", f"{path.name} is larger than {LARGEST >> 20} MB")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        return Issue(path.name, "manifest_form", f"{path.name} is not in UTF-8")
    except PermissionError:
        return Issue(path.name, "unreadable", f"{path.name} may not be opened")
    except (OSError, ValueError, RecursionError, MemoryError):
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
        if name == path.name:
            return Issue(path.name, "manifest_form", f"{path.name} must not list itself")
        sha256 = about.get("sha256") if isinstance(about, dict) else None
        if not isinstance(sha256, str) or not SHA256.fullmatch(sha256):
            return Issue(path.name, "manifest_form", f"{form}, with 64 hexadecimal digits for each file")
    synthetic = content.get("synthetic", False)
    if not isinstance(synthetic, bool):
        return Issue(path.name, "manifest_form", f"in {path.name}, synthetic must be true or false")
    replaces = content.get("replaces")
    if replaces is not None and (not isinstance(replaces, str) or not replaces):
        return Issue(path.name, "manifest_form", f"in {path.name}, replaces must be the name of another drop")
    unknown = sorted(set(content) - {"files", "synthetic", "replaces"})
    listed = ", ".join(shown(key) for key in unknown[:5]) + (" ..." if len(unknown) > 5 else "")
    notes = (f"{path.name} has unknown keys, which are ignored: {listed}",) if unknown else ()
    return Manifest({name: about["sha256"].lower() for name, about in files.items()}, synthetic, notes, replaces)


def _safe_file_name(name: str) -> bool:
    """A name inside its folder, not hidden, that can be printed."""
    plain = bool(name) and not name.startswith(".") and name.isprintable() and not set(name) & {"/", "\\"}
    return plain and len(name.encode()) <= LONGEST_FILE_NAME
