"""The people behind what was published, outside the warehouse: ``publications/`` of the home.

For each wave a table with a row for each person: whether he or she was analyzed, and a keyed hash of the person's data
as they were. With it the home knows how many people have changed since; it never holds what they answered. Erasing
somebody is deleting the row, here too.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegvis.storage.home_key import hash_with, home_key
from stegvis.storage.whole_files import write_whole
from stegvis.storage.withdrawal_list import WithdrawalList, read_list

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "publications"
PURPOSE = "data of a person"
_APPLIED = "applied_withdrawals"
AS_DELIVERED = "as_delivered"


@dataclass(frozen=True)
class PublishedPeople:
    """The people behind a wave's published numbers.

    Attributes:
        release: whose numbers they are.
        analyzed: how many were analyzed then; some may be erased since.
        everyone: how many there were.
        people: ``person``, ``analyzed`` (whether) and ``digest`` (of the person's data).
        identifiers: how the home stored identifiers then (the protocol's ``identifiers.stored``). With others everybody
            would count as changed.
    """

    release: str
    analyzed: int
    everyone: int
    people: pd.DataFrame
    identifiers: str = AS_DELIVERED

    def changed(self, now: pd.DataFrame, analyzed: bool = True) -> int:
        """How many people have changed, left or come.

        Args:
            now: ``person``, ``analyzed`` and ``digest`` of today.
            analyzed: only those who are or were analyzed.
        """
        both = self.people.merge(now, on="person", how="outer", suffixes=("_then", "_now"))
        differs = both["digest_then"].ne(both["digest_now"]) | both["digest_now"].isna()
        if not analyzed:
            return int(differs.sum()) + self.everyone - len(self.people)
        of_interest = both["analyzed_then"].eq(True) | both["analyzed_now"].eq(True)
        return int((of_interest & differs).sum()) + self.analyzed - int(self.people["analyzed"].sum())


def digests(root: Path, people: pd.DataFrame) -> pd.DataFrame:
    """``person``, ``analyzed`` and ``digest`` of the people of a wave.

    Args:
        root: the home's folder.
        people: ``person``, ``reason`` (for exclusion; missing for the analyzed) and the data they are analyzed by.
    """
    key = home_key(root)
    columns = [name for name in people if name != "wave"]
    rows = people[columns].astype("object").where(people[columns].notna(), None).itertuples(index=False, name=None)
    as_json = json.JSONEncoder(default=str).encode  # made once: ``json.dumps`` makes one for every row
    made = [hash_with(key, PURPOSE, as_json(row)) for row in rows]
    return people[["person"]].assign(analyzed=people["reason"].isna(), digest=made).reset_index(drop=True)


def store(root: Path, wave: str, published: PublishedPeople) -> None:
    """Write the people behind a wave; the table first, so that a half-written pair does not fit together."""
    facts = {name: value for name, value in vars(published).items() if name != "people"}
    _write(root / FOLDER / f"{wave}.parquet", published.people)
    write_whole(root / FOLDER / f"{wave}.json", json.dumps(facts))


def published_people(root: Path, wave: str) -> PublishedPeople | None:
    """The people behind a published wave without those who have withdrawn; None if the home has lost them."""
    import pandas as pd

    table, facts = (root / FOLDER / f"{wave}.{end}" for end in ("parquet", "json"))
    try:
        found: Mapping[str, Any] = json.loads(facts.read_text(encoding="utf-8"))
        people = pd.read_parquet(table)
        people = people[~read_list(root).among(people["person"])].reset_index(drop=True)
        facts_of = str(found["release"]), int(found["analyzed"]), int(found["everyone"])
        return PublishedPeople(*facts_of, people, str(found.get("identifiers", AS_DELIVERED)))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(root: Path, withdrawn: WithdrawalList) -> set[str]:
    """Delete the rows of withdrawn people; returns who was found.

    Tables and list of which this was done before are recognized by their content, and not read again. A table that
    cannot be read is deleted.
    """
    tables, mark = sorted((root / FOLDER).glob("*.parquet")), root / FOLDER / _APPLIED
    if not tables or (mark.exists() and mark.read_text(encoding="utf-8") == _content(tables, withdrawn)):
        return set()
    import pandas as pd

    found: set[str] = set()
    for table in tables:
        try:
            people = pd.read_parquet(table)
            gone = withdrawn.among(people["person"])
        except (OSError, ValueError, KeyError):
            table.unlink()  # damaged: it is lost to the home either way, and may hold bytes of a withdrawn person
            continue
        if gone.any():
            found |= set(people["person"][gone])
            _write(table, people[~gone].reset_index(drop=True))
    write_whole(mark, _content(tables, withdrawn))
    return found


def forget_other_identifiers(root: Path, stored: str) -> None:
    """Delete the people whose identifiers were stored otherwise: the home begins to store them as ``stored``."""
    for table in sorted((root / FOLDER).glob("*.parquet")):
        facts = table.with_suffix(".json")
        try:
            before = str(json.loads(facts.read_text(encoding="utf-8")).get("identifiers", AS_DELIVERED))
        except (OSError, ValueError, AttributeError):
            before = ""
        if before != stored:
            table.unlink()
            facts.unlink(missing_ok=True)


def _content(tables: list[Path], withdrawn: WithdrawalList) -> str:
    """A keyed hash of the tables and of the list."""
    contents = [hashlib.sha256(table.read_bytes()).hexdigest() for table in tables if table.exists()]
    parts = [withdrawn.version, *contents]
    return hash_with(withdrawn.key, PURPOSE, "".join(parts))


def _write(file: Path, people: pd.DataFrame) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    people.to_parquet(unfinished, index=False)
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.replace(file)
