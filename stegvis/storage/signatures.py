"""Signatures under releases, and ``latest``, which moves to a release when enough people have signed it.

A signature is a file, ``releases/.signoff/<release>/<name>.json``, with who signed, when, and the hash of the signed
manifest; it is not valid for another manifest. The files say who claims to have signed; who may write to the folder of
releases is governed by the machine's own permissions.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from stegvis.storage.hash_chain import read_lines
from stegvis.storage.releases import (
    LEDGER,
    MANIFEST,
    enter_in_ledger,
    latest,
    manifest_sha256,
    point_latest,
)

FOLDER = ".signoff"


class SignatureError(ValueError):
    """A signature cannot be given; the message says why."""


@dataclass(frozen=True)
class Signature:
    """One signature: who, when, and of which manifest; ``problem`` says why it is not valid."""

    name: str
    time: str
    manifest_sha256: str
    problem: str = ""


def sign(releases: Path, release: str, name: str) -> Signature:
    """Sign a release.

    Raises:
        SignatureError: there is no such release, the name is blank, or this person has signed it already.
    """
    folder = releases / release
    name = " ".join(name.split())
    if not re.search(r"\w", name):
        raise SignatureError("a signature needs a name")
    if Path(release).name != release or not (folder / MANIFEST).is_file():
        raise SignatureError(f"there is no release {release}")
    if _person(name) in {_person(each.name) for each in signatures(folder) if not each.problem}:
        raise SignatureError(f"{name} has signed {release} already: a second signature must be another person's")
    signature = Signature(name, datetime.now(UTC).isoformat(timespec="seconds"), manifest_sha256(folder))
    file = releases / FOLDER / release / f"{_file_name(name)}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "name": signature.name,
        "time": signature.time,
        "release": release,
        "manifest_sha256": signature.manifest_sha256,
    }
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return signature


def signatures(release: Path) -> list[Signature]:
    """The signatures under a release, in the order of their file names; those that are not valid say why."""
    folder = release.parent / FOLDER / release.name
    found: list[Signature] = []
    people: set[str] = set()
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            facts = json.loads(file.read_text(encoding="utf-8"))
            signature = Signature(str(facts["name"]), str(facts["time"]), str(facts["manifest_sha256"]))
            of = str(facts["release"])
        except (OSError, ValueError, KeyError, TypeError):
            found.append(Signature(file.stem, "", "", f"{file.name} cannot be read"))
            continue
        problem = ""
        if of != release.name or signature.manifest_sha256 != manifest_sha256(release):
            problem = f"{signature.name} signed another manifest"
        elif _person(signature.name) in people:
            problem = f"{signature.name} signed twice"
        else:
            people.add(_person(signature.name))
        found.append(Signature(signature.name, signature.time, signature.manifest_sha256, problem))
    return found


def valid_signatures(release: Path) -> int:
    """How many different people have signed a release as it is."""
    return sum(not each.problem for each in signatures(release))


def advance_latest(releases: Path, needed: int) -> None:
    """Point ``latest`` at the last published release with enough signatures; it never moves back to an earlier one."""
    enter_in_ledger(releases)
    now = latest(releases)
    for entry in reversed(read_lines(releases / LEDGER)):
        name = str(entry["release"])
        if now is not None and name == now.name:
            return
        folder = releases / name
        if not (folder / MANIFEST).is_file():
            return  # gone: an earlier one must not take its place
        if valid_signatures(folder) >= needed:
            point_latest(releases, name)
            return


def _person(name: str) -> str:
    return " ".join(name.casefold().split())


def _file_name(name: str) -> str:
    return re.sub(r"[^\w-]+", "_", _person(name)).strip("_")
