"""What the home stores in the place of a person's identifier: the identifier itself, or a pseudonym.

The protocol decides (``identifiers.stored``). A reader of deliveries gets a function from the canonical spelling to
what is stored, and applies it while it reads; nothing after it knows of any other identifier. A recording's file is
named after its person, so its name is stored with the pseudonym in it.

``pseudonyms.json`` in the home says which key its pseudonyms were made with: with another one everybody would be
somebody new.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from stegvis.deliveries.identifiers import Stored, as_delivered
from stegvis.storage.faults import NAMED_FILES
from stegvis.storage.home_key import PSEUDONYMS, HomeKeyError, hash_with, home_key
from stegvis.storage.manifest import MANIFEST
from stegvis.storage.names import TABLE_ENDINGS
from stegvis.storage.pseudonym import pseudonym_of
from stegvis.storage.published_people import forget_other_identifiers
from stegvis.storage.recording_files import person_in, sensor_of
from stegvis.storage.whole_files import write_whole
from stegvis.storage.withdrawal_list import mark_pending
from stegvis.study.protocol import Protocol

_NAME_DIGITS = 16


class PseudonymCollisionError(RuntimeError):
    """Two people have one pseudonym. The message names neither."""


@dataclass
class Pseudonyms:
    """The pseudonym of each identifier; calling it with one gives the other.

    Attributes:
        key: the home's key.
    """

    key: bytes
    _of: dict[str, str] = field(default_factory=dict, repr=False)
    _whose: dict[str, str] = field(default_factory=dict, repr=False)

    def __call__(self, person: str) -> str:
        """The pseudonym of an identifier in canonical form.

        Raises:
            PseudonymCollisionError: another identifier has it.
        """
        known = self._of.get(person)
        if known is not None:
            return known
        found = pseudonym_of(self.key, person)
        if self._whose.setdefault(found, person) != person:
            raise PseudonymCollisionError("two people have the same pseudonym: the home needs another home.key")
        self._of[person] = found
        return found


def stored_identifiers(root: Path, protocol: Protocol) -> Stored:
    """The function from an identifier in canonical form to what the home stores.

    Args:
        root: the home's folder.
        protocol: of the home's study; reads ``identifiers.stored``.

    Raises:
        HomeKeyError: the key is gone, damaged, or not the one that the home's pseudonyms were made with.
    """
    marker = root / PSEUDONYMS
    if protocol.identifiers.stored == "as_delivered":
        marker.unlink(missing_ok=True)
        return as_delivered
    key = home_key(root)
    made_with = {"key": hash_with(key, "key", "")}
    if not marker.exists():
        _begin(root)
        write_whole(marker, json.dumps(made_with) + "\n")
    elif _read(marker) != made_with:
        raise HomeKeyError(f"{PSEUDONYMS} was made with another home.key: restore both from one backup of the home")
    return Pseudonyms(key)


def stored_name(name: str, stored: Stored) -> str:
    """The name of a file of a batch as the home stores it.

    A recording's has the pseudonym in the place of the identifier. Of any other file, whose name may hold an identifier
    anywhere, only the ending is kept, beside a keyed hash that distinguishes it from others.
    """
    if not isinstance(stored, Pseudonyms):
        return name
    stem, ending = PurePath(name).stem, PurePath(name).suffix
    if name == MANIFEST or stem in NAMED_FILES:
        return name
    sensor = sensor_of(name) if ending.lower() == ".cwa" else None
    if sensor is not None:
        person, half = sensor
        return f"{stored(person)}{half}{ending}"
    named = person_in(stem) if ending.lower() in TABLE_ENDINGS else None
    if named is not None:
        return f"{stored(named)}{ending}"
    kept = ending if ending.lower() in (".cwa", *TABLE_ENDINGS) else ""
    return f"file-{hash_with(stored.key, 'file name', name)[:_NAME_DIGITS]}{kept}"


def _begin(root: Path) -> None:
    """A home that begins with pseudonyms, now or late, keeps no identifier from before once it is rebuilt."""
    forget_other_identifiers(root, "keyed_hash")
    if (root / "warehouse.duckdb").exists():
        mark_pending(root)  # the next refresh writes the warehouse anew when everything is rebuilt


def _read(marker: Path) -> object:
    try:
        return json.loads(marker.read_text(encoding="utf-8"))
    except ValueError:
        raise HomeKeyError(f"{PSEUDONYMS} in the home is damaged: restore it from a backup") from None
