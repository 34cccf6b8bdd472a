"""Sealing a drop: writing its ``drop.json``, after which the delivery counts."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from stegvis.storage.manifest import MANIFEST
from stegvis.storage.names import visible_entries


class SealError(ValueError):
    """The drop cannot be sealed; the message says why and what to do."""


@dataclass(frozen=True)
class Sealed:
    """What was sealed.

    Attributes:
        manifest: the file written.
        files: names of the files it lists.
        skipped: names of entries it does not list, such as folders and links.
        new: whether it was written now; False if the same seal was there already.
    """

    manifest: Path
    files: tuple[str, ...]
    skipped: tuple[str, ...]
    new: bool


def seal(drop: Path, synthetic: bool = False) -> Sealed:
    """Write the ``drop.json`` of a folder, or the ``.json`` beside a csv of withdrawals.

    The file appears at once and whole, after every file has been read: a drop is never complete too early.

    Args:
        drop: a drop's folder, or a csv of withdrawals.
        synthetic: mark the drop as simulated.

    Raises:
        SealError: there is nothing to seal, a file cannot be read or is changing, or another seal is there already.
    """
    if drop.is_dir():
        entries, manifest = [e for e in visible_entries(drop) if e.name != MANIFEST], drop / MANIFEST
    elif drop.is_file() and drop.suffix.lower() == ".csv":
        entries, manifest = [drop], drop.with_suffix(".json")
    else:
        raise SealError(f"{drop} is neither a drop's folder nor a csv of withdrawals")
    files = [entry for entry in entries if entry.is_file() and not entry.is_symlink()]
    if not files:
        raise SealError(f"{drop} has no file to seal")
    content = {
        "files": {file.name: {"sha256": _sha256(file)} for file in files},
        **({"synthetic": True} if synthetic else {}),
    }
    listed = tuple(file.name for file in files)
    skipped = tuple(entry.name for entry in entries if entry not in files)
    if manifest.exists():
        if _content(manifest) == content:
            return Sealed(manifest, listed, skipped, new=False)
        raise SealError(
            f"{manifest.name} is there already, and says something else: a delivery that was sealed is never changed. "
            f"Put corrected files into a new folder; if this one was sealed too early, delete {manifest.name} first"
        )
    unfinished = manifest.with_name(f".{manifest.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(manifest)
    return Sealed(manifest, listed, skipped, new=True)


def _sha256(file: Path) -> str:
    try:
        before = file.stat()
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
        after = file.stat()
    except OSError as error:
        raise SealError(f"{file.name} cannot be read: {(error.strerror or 'no reason given').lower()}") from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise SealError(f"{file.name} is still being written; seal the drop when it is complete")
    return found


def _content(manifest: Path) -> object:
    try:
        return json.loads(manifest.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None
