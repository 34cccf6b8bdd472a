"""Exclude delivered rows of withdrawn participants, and list the deliveries that still name them.

The landing zone belongs to the data owner: what it holds of a withdrawn person is listed for removal by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stegvis.storage.landing import Landing
from stegvis.storage.whole_files import write_whole
from stegvis.storage.withdrawal_list import FOLDER, WithdrawalList

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ToRemove:
    """A delivered file, or the files of a drop that are named after people, and how many withdrawn people it names."""

    delivery: str
    people: int


def leave_out(withdrawn: WithdrawalList, asset: str, partition: str, kind: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of people who are not on the list; records which deliveries have rows of those who are.

    Args:
        withdrawn: the list of withdrawals.
        asset: the table the rows are for, and ``partition`` its key; replaces what was recorded for them.
        partition: see ``asset``.
        kind: of delivery, as the landing zone's folder is called.
        rows: with the columns person, delivery and delivered_file.
    """
    mask = withdrawn.among(rows["person"])
    gone = rows.loc[mask, ["person", "delivery", "delivered_file"]]
    withdrawn.note_found(gone["person"])
    _record(withdrawn, asset, partition, kind, gone.itertuples(index=False, name=None))
    return rows.loc[~mask]


def _record(
    withdrawn: WithdrawalList, asset: str, partition: str, kind: str, named: Iterable[tuple[str, str, str]]
) -> None:
    people: dict[tuple[str, str], set[str]] = {}
    for person, delivery, file in named:
        # A file named after a person is counted with its drop.
        shown = "" if withdrawn.named_in(file) else file
        people.setdefault((delivery, shown), set()).add(person)
    facts = [
        {"kind": kind, "drop": drop, "file": file, "people": len(those)}
        for (drop, file), those in sorted(people.items())
    ]
    target = _file(withdrawn.root, asset, partition)
    if facts:
        write_whole(target, json.dumps(facts))
    else:
        target.unlink(missing_ok=True)


def to_remove(root: Path, landing: Landing) -> list[ToRemove]:
    """What the landing zone still holds of withdrawn people, as far as it was read; drops that are gone are not listed.

    A file that is named after a person is shown by its drop alone.
    """
    there = {(drop.kind, drop.name) for drop in landing.accepted}
    found: list[ToRemove] = []
    for file in sorted((root / FOLDER / "landing").glob("*.json")):
        facts: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        for fact in facts:
            if (fact["kind"], fact["drop"]) in there:
                name = fact["file"] or "files named after them"
                separator = "/" if fact["file"] else ", "
                found.append(ToRemove(f"{fact['kind']}/{fact['drop']}{separator}{name}", int(fact["people"])))
    return found


def _file(root: Path, asset: str, partition: str) -> Path:
    return root / FOLDER / "landing" / (f"{asset}={partition}.json" if partition else f"{asset}.json")
