"""Drops that replace others: ``"replaces": "<drop>"`` in ``drop.json`` makes an earlier drop of the same kind unused.

A fault is cured by delivering again: nothing is removed from the landing zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stegvis.storage.manifest import Issue

if TYPE_CHECKING:
    from stegvis.storage.landing import Drop


def superseded(drops: Sequence[Drop]) -> dict[str, Issue]:
    """Which of the accepted drops of one kind are replaced by another of them, and by which.

    A drop that was replaced still replaces what it names. Drops that replace each other in a circle replace nothing.

    Args:
        drops: accepted, of one kind.

    Returns:
        By the name of a drop, why it is not used.
    """
    names = {drop.name for drop in drops}
    replaces = {drop.name: drop.replaces for drop in drops if drop.replaces is not None and drop.replaces in names}
    return {name: replaced(name, by) for by, name in replaces.items() if not _in_a_circle(by, replaces)}


def replaced(name: str, by: str) -> Issue:
    """Why a drop is not used that another one replaces."""
    return Issue(name, "superseded", f"replaced by '{by}', whose drop.json says so")


def _in_a_circle(start: str, replaces: Mapping[str, str]) -> bool:
    seen: set[str] = set()
    name = replaces.get(start)
    while name is not None and name not in seen:
        if name == start:
            return True
        seen.add(name)
        name = replaces.get(name)
    return False
