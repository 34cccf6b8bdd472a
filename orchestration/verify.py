"""Whether a release is what was published: nothing altered, added or removed.

A release's folder is compared with its manifest, with the release ledger beside it, and with its signatures.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stegvis.storage.hash_chain import broken_links, read_lines
from stegvis.storage.releases import LEDGER, MANIFEST, ReleaseError, latest, manifest, manifest_sha256, release_folders
from stegvis.storage.signatures import signatures, valid_signatures


@dataclass
class Verified:
    """What was found: ``problems`` mean that it is not what was published; ``notes`` do not."""

    release: str
    files: int = 0
    signed_by: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def verify(folder: Path) -> Verified:
    """Check a release against its manifest, the release ledger beside it and its signatures.

    A copy of a release by itself, without the ledger, can only be checked against its manifest.
    """
    folder = folder.resolve()
    found = Verified(folder.name)
    try:
        facts = manifest(folder)
        listed = {str(name): str(sha256) for name, sha256 in facts["files"].items()}
    except (ReleaseError, KeyError, AttributeError, TypeError):
        found.problems.append(f"{MANIFEST} is absent or cannot be read")
        return found
    found.files = len(listed)
    if facts.get("release") != folder.name:
        found.problems.append(f"the folder is called {folder.name}, the manifest says {facts.get('release')}")
    found.problems += _files(folder, listed)
    _ledger(folder, found)
    _signatures(folder, facts, found)
    return found


def _files(folder: Path, listed: dict[str, str]) -> list[str]:
    there = {
        file.relative_to(folder).as_posix(): file
        for file in sorted(folder.rglob("*"))
        if file.is_symlink() or not file.is_dir()
    }
    problems = []
    for name, sha256 in sorted(listed.items()):
        file = there.get(name)
        if file is None:
            problems.append(f"missing: {name}")
        elif file.is_symlink():
            problems.append(f"not a file but a link: {name}")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
            problems.append(f"altered: {name}")
    return problems + [f"not in the manifest: {name}" for name in there if name not in listed and name != MANIFEST]


def _ledger(folder: Path, found: Verified) -> None:
    ledger = folder.parent / LEDGER
    if not ledger.is_file():
        if len(release_folders(folder.parent)) > 1 or latest(folder.parent):
            found.problems.append(f"there is no {LEDGER} beside the releases")
        else:
            found.notes.append(f"there is no {LEDGER} beside it: only the files were checked")
        return
    found.problems += broken_links(ledger)
    entries = read_lines(ledger)
    mine = {str(entry.get("manifest_sha256")) for entry in entries if entry.get("release") == folder.name}
    if not mine:
        found.problems.append(f"{folder.name} is not in {LEDGER}")
    elif mine != {manifest_sha256(folder)}:
        found.problems.append(f"altered: {MANIFEST} (its hash differs from the one in {LEDGER})")
    names = {str(entry.get("release")) for entry in entries}
    there = {each.name for each in release_folders(folder.parent)}
    found.problems += [f"{name} is in {LEDGER}, but its folder is gone" for name in sorted(names - there)]
    found.problems += [f"{name} is not in {LEDGER}" for name in sorted(there - names - {folder.name})]


def _signatures(folder: Path, facts: dict[str, Any], found: Verified) -> None:
    given = signatures(folder)
    found.signed_by = [each.name for each in given if not each.problem]
    found.problems += [f"invalid signature: {each.problem}" for each in given if each.problem]
    needed = int(facts.get("signatures_needed", 0))
    waits = needed - valid_signatures(folder)
    if waits > 0:
        text = f"{waits} of {needed} signatures are missing"
        is_latest = latest(folder.parent) == folder
        (found.problems if is_latest else found.notes).append(text + (", yet it is the latest" if is_latest else ""))


def release_folder(place: str, releases: Path) -> Path:
    """A release by its folder or by its name in a home."""
    by_path = Path(place)
    if by_path.is_dir() or not re.fullmatch(r"[\w-]+", place):
        return by_path
    return releases / place
