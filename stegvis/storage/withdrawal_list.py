"""The list of withdrawals: who must stay out of the home, as keyed hashes, outside the warehouse.

It lies in ``withdrawals/`` of the home and is only ever appended to, so that a warehouse restored from a copy, or a
withdrawal list that is gone from the landing zone, brings nobody back:

``list.jsonl``    one line per person: keyed hash of the identifier, and the drop that named it first
``found.jsonl``   one line per person who was found in a table or a delivery and erased
``landing/``      one file per asset and partition: which deliveries still name withdrawn people, and how many
``pending``       there while bytes of an erased person may be left in the home

Without the home's key (``stegvis/storage/home_key.py``) no identifier can be guessed from it. In a home that stores
pseudonyms, the list knows people by these as well (``stegvis/storage/pseudonym.py``).
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from stegvis.storage.home_key import HomeKeyError, hash_with, home_key
from stegvis.storage.identifiers_in_text import spans
from stegvis.storage.json_lines import append_lines
from stegvis.storage.pseudonym import listed_hash, pseudonym_of_listed
from stegvis.storage.whole_files import write_whole

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

FOLDER = "withdrawals"
LIST = f"{FOLDER}/list.jsonl"


@dataclass(frozen=True)
class WithdrawalList:
    """The list at one moment. ``person in withdrawn`` says whether an identifier, in canonical form, is on it.

    A person may be named by the delivered identifier or by the pseudonym.

    Attributes:
        root: the home's folder.
        people: keyed hashes.
    """

    root: Path
    people: frozenset[str]

    @cached_property
    def version(self) -> str:
        """A digest of who is on the list."""
        return hashlib.sha256("".join(sorted(self.people)).encode()).hexdigest()

    @cached_property
    def key(self) -> bytes:
        """The home's key."""
        return home_key(self.root)

    @cached_property
    def _by_pseudonym(self) -> dict[str, str]:
        """The keyed hash of each person on the list, by pseudonym."""
        return {pseudonym_of_listed(self.key, each): each for each in self.people}

    def hash_of(self, person: str) -> str:
        """The keyed hash of an identifier, or of the person on the list whose pseudonym it is."""
        return self._by_pseudonym.get(person) or listed_hash(self.key, person)

    def __contains__(self, person: object) -> bool:
        return bool(self.people) and isinstance(person, str) and self.hash_of(person) in self.people

    def __len__(self) -> int:
        return len(self.people)

    def among(self, people: pd.Series[str]) -> npt.NDArray[np.bool_]:
        """Which of a column of identifiers are on the list (n,)."""
        # Each identifier is hashed once, however many rows it has.
        known = {person for person in people.dropna().unique() if person in self}
        mask: npt.NDArray[np.bool_] = people.isin(known).to_numpy(dtype=bool)
        return mask

    def named_in(self, text: str) -> set[str]:
        """The withdrawn identifiers that a file name or another short text holds (``identifiers_in_text``)."""
        # Identifiers are kept with letter and accent together (``stegvis/deliveries/identifiers.py``).
        text = unicodedata.normalize("NFC", text)
        return {span for span in spans(text) if span in self} if self.people else set()

    def found(self) -> frozenset[str]:
        """The keyed hashes of those who were found and erased."""
        return self.people & {str(line.get("person")) for line in _lines(self.root / FOLDER / "found.jsonl")}

    def note_found(self, people: Iterable[str]) -> None:
        """Record that these identifiers, of the list, were found and are erased or left out."""
        new = sorted({self.hash_of(person) for person in people} & self.people - self.found())
        if new:
            append_lines(self.root / FOLDER / "found.jsonl", [json.dumps({"person": each}) for each in new])


def read_list(root: Path) -> WithdrawalList:
    """The list of a home; empty if nobody has withdrawn.

    Raises:
        HomeKeyError: the list or the key is damaged: both must be restored, or somebody could come back.
    """
    file = root / LIST
    if not file.exists():
        return WithdrawalList(root, frozenset())
    try:
        key, *lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        withdrawn = WithdrawalList(root, frozenset(line["person"] for line in lines))
        made_with = key["key"]
    except (ValueError, KeyError, TypeError):
        raise HomeKeyError(f"{LIST} in the home is damaged: restore it from a backup") from None
    if made_with != hash_with(withdrawn.key, "key", ""):
        raise HomeKeyError(f"{LIST} was made with another home.key: restore both from one backup of the home")
    return withdrawn


def add_to_list(root: Path, drop: str, people: Iterable[str]) -> int:
    """Put identifiers on the list; the home is marked until nothing of them is left in it.

    Args:
        root: the home's folder.
        drop: the delivery that names them.
        people: identifiers in canonical form.

    Returns:
        How many are new.
    """
    withdrawn = read_list(root)
    new = sorted({withdrawn.hash_of(person) for person in people} - withdrawn.people)
    if new:
        mark_pending(root)
        file, key = root / LIST, hash_with(withdrawn.key, "key", "")
        before = file.read_text(encoding="utf-8") if file.exists() else json.dumps({"key": key}) + "\n"
        after = before + "".join(json.dumps({"person": each, "drop": drop}) + "\n" for each in new)
        write_whole(file, after)
    return len(new)


def mark_pending(root: Path) -> None:
    """Mark that bytes of erased people may be left in the home."""
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    (root / FOLDER / "pending").touch()


def is_pending(root: Path) -> bool:
    """Whether bytes of erased people may be left in the home."""
    return (root / FOLDER / "pending").exists()


def clear_pending(root: Path) -> None:
    """Nothing of anyone on the list is left."""
    (root / FOLDER / "pending").unlink(missing_ok=True)


def _lines(file: Path) -> list[dict[str, str]]:
    """The objects of a file of JSON lines; a line cut by a crash is passed over."""
    if not file.exists():
        return []
    found = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            found.append(entry)
    return found
