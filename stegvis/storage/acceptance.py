"""Waves and batches far from what is expected that a named person accepted, kept in the home.

Only what was seen is accepted: an item that a later correction makes worse, or another item, waits again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from stegvis.plausibility.ranges import Compared
from stegvis.provenance.fingerprint import short
from stegvis.storage.json_lines import append_lines, read_objects

ACCEPTED_FILE = "accepted.jsonl"
PartitionKind = Literal["wave", "batch"]


class AcceptError(ValueError):
    """There is nothing to accept; the message says why."""


@dataclass(frozen=True)
class Acceptance:
    """One decision.

    Attributes:
        time: UTC, ISO 8601.
        kind: wave or batch.
        name: of the wave or batch.
        by: who decided.
        because: why.
        items: what was seen, by item, as in ``Compared``.
    """

    time: str
    kind: str
    name: str
    by: str
    because: str
    items: Mapping[str, Mapping[str, Any]]


def accept(root: Path, kind: PartitionKind, name: str, by: str, because: str, seen: Iterable[Compared]) -> Acceptance:
    """Record that a named person accepts a wave or batch as it was seen.

    Args:
        root: the home's folder.
        kind: see ``Acceptance``.
        name: see ``Acceptance``.
        by: see ``Acceptance``.
        because: see ``Acceptance``.
        seen: the items for which it waits.

    Raises:
        AcceptError: it waits for nothing, or a name or reason is missing.
    """
    items = {each.item: asdict(each) for each in seen}
    if not items:
        raise AcceptError(f"{kind} {name} does not wait to be accepted: stegvis status lists what is blocked, and why")
    if not by.strip() or not because.strip():
        raise AcceptError("--by names a person and --because gives the reason: neither may be blank")
    decision = Acceptance(
        datetime.now(UTC).isoformat(timespec="seconds"), kind, name, by.strip(), because.strip(), items
    )
    append_lines(root / ACCEPTED_FILE, [json.dumps(asdict(decision))])
    return decision


def how_to_accept(kind: str | None, name: str) -> str:
    """The next step for somebody who reads that a wave or batch waits."""
    return f"Correct it by a new delivery, or if it is right: stegvis accept {kind} {name} --by NAME --because TEXT"


def read_acceptances(root: Path) -> list[Acceptance]:
    """Every decision of a home, oldest first; a line cut by a crash is passed over."""
    return read_objects(root / ACCEPTED_FILE, Acceptance)


def accepted_names(root: Path) -> list[str]:
    """The waves and batches that were accepted: all that a release says of it."""
    return sorted({f"{decision.kind} {decision.name}" for decision in read_acceptances(root)})


def accepted_items(root: Path, kind: str, name: str) -> dict[str, Compared]:
    """What was last accepted of a wave or batch, by item."""
    found: dict[str, Compared] = {}
    for decision in read_acceptances(root):
        if (decision.kind, decision.name) == (kind, name):
            found |= {item: Compared(**seen) for item, seen in decision.items.items()}
    return found


def accepted_part(root: Path, kind: str, name: str) -> dict[str, str]:
    """The decisions on a wave or batch, as a part of what it is made from; none without a decision."""
    items = accepted_items(root, kind, name)
    return {f"accepted {kind}": short(repr(sorted(items.items())))} if items else {}


def not_accepted(compared: Iterable[Compared], accepted: Mapping[str, Compared]) -> list[Compared]:
    """The items outside their range, without those that were accepted and are not worse since, chance aside."""
    return [each for each in compared if each.outside and not _covers(accepted.get(each.item), each)]


def _covers(seen: Compared | None, now: Compared) -> bool:
    if seen is None:
        return False
    if now.outside > 0:
        return seen.outside > 0 and now.value <= seen.value + now.chance
    return seen.outside < 0 and now.value >= seen.value - now.chance
