"""Whether a release may be made: nothing that its new numbers are made from is blocked or out of date.

A wave that was published before keeps its numbers and delays nobody; so does a wave or batch that was never made.

Except in a warehouse that was begun anew or restored from a backup: a release without a published wave would let the
next one publish that wave as if for the first time.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import TYPE_CHECKING

from stegvis.storage.releases import manifest, newest
from stegvis.storage.tables import label
from stegvis.study.waves import ACROSS

if TYPE_CHECKING:
    from stegvis.storage.partition_status import HomeState


def hindrances(now: HomeState, expected: Set[str] = frozenset()) -> tuple[str, ...]:
    """Why the release cannot be made now, each a phrase with the next step; empty if it can.

    Args:
        now: the home.
        expected: labels of partitions that will be made before it in the same run.
    """
    found = [
        f"wave {wave} is in the newest release and was not made in this warehouse yet: after a release without it, its "
        "numbers would be published a second time. stegvis status says what it waits for"
        for wave in _published_and_not_here(now)
        if label("disclosure", wave) not in expected
    ]
    for name, key in _made_from(now):
        status = now.partition_status(now.tables[name], key, frozenset(expected))
        if status.state == "blocked" or status.state == "missing upstream":
            found.append(f"{status.label} is {status.state}: {'; '.join(status.reasons)}")
        elif status.state == "stale" and label(name, key) not in expected:
            found.append(f"{status.label} is stale ({'; '.join(status.reasons)}): stegvis refresh makes it first")
    return tuple(found)


def new_waves(now: HomeState) -> set[str]:
    """The waves whose numbers are not those of the newest release, nor of one that is gone."""
    from stegvis.storage.decisions import ORIGIN

    before = newest(now.home.releases)
    published = {**now.lost.repeated, **(manifest(before).get("waves", {}) if before else {})}
    return {
        wave
        for wave, origin in now.records.origins.items()
        if not now.lost.holds(wave) and any(published.get(wave, {}).get(name) != origin[name] for name in ORIGIN)
    }


def _published_and_not_here(now: HomeState) -> list[str]:
    """The waves of the newest release of which this warehouse has nothing, but for those that were retired."""
    before = newest(now.home.releases)
    published = set(manifest(before).get("waves", {})) - {ACROSS} if before else set()
    delivered = {drop.partition for drop in now.landing.accepted if drop.kind == "followup"}
    # A retired wave is not delivered any more; without any delivery, nobody can say so.
    return sorted(wave for wave in published - set(now.records.origins) if wave in delivered or not delivered)


def _made_from(now: HomeState) -> Iterator[tuple[str, str]]:
    """The published partitions that new numbers are made from: of the new waves, and what all waves share."""
    waves = new_waves(now)
    if not waves:
        return
    for table in now.tables.values():
        if table.name == "release":
            continue
        for key in now.records.published(table.name):
            if table.partition != "wave" or key in waves:
                yield table.name, key
