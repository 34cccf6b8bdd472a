"""Which sets of people are counted in public: importance, suppression, and its audit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from stegvis.disclosure.counts import counts_of
from stegvis.disclosure.people_sets import PeopleSets, Place
from stegvis.disclosure.protect import protect
from stegvis.disclosure.small_sets import small_sets
from stegvis.disclosure.span import choose, defined
from stegvis.disclosure.tables import Tables, blocks, pairs
from stegvis.disclosure.zeros import Zeros, zeros
from stegvis.study.protocol import Protocol

# What is kept first; other analyses come between these and the last.
FIRST = ("attrition", "main", "characteristics", "stratified", "joint")
LAST = ("fixed_cuts", "sample_cuts", "wave_interaction")


@dataclass(frozen=True)
class Decision:
    """Sets that are not counted in public, and small sets that can be derived nevertheless.

    Attributes:
        hidden: numbers of sets.
        closed: places of numbers about everybody or nobody of a group, suppressed as well.
        every: whether every count is suppressed, which then says nothing of how many people there are.
        unprotected: how many small sets can still be derived, by an audit of its own; unless 0, nothing may be
            published.
    """

    hidden: frozenset[int]
    unprotected: int
    closed: frozenset[Place] = frozenset()
    every: bool = False


def decide(
    tables: Tables,
    sets: PeopleSets,
    protocol: Protocol,
    fixed: frozenset[int] = frozenset(),
    never: frozenset[int] = frozenset(),
) -> Decision:
    """Decide which sets are counted in public.

    Args:
        tables: before disclosure control.
        sets: the people behind their counts.
        protocol: smallest count and protection width.
        fixed: sets that are published already.
        never: sets that were suppressed already.
    """
    smallest = protocol.disclosure.smallest_count
    both, apart = pairs(tables, sets), blocks(tables, sets)
    small = small_sets(sets.overlaps, both, apart, smallest)
    extreme = zeros(tables, sets) if protocol.disclosure.zeros_are_disclosive else Zeros()
    small += [tuple(np.flatnonzero(sets.overlaps.matrix[number]).tolist()) for number in sorted(extreme.partners)]
    order = [number for number in _by_importance(tables, sets) if number not in fixed | never | extreme.partners]
    chosen = choose(sets.overlaps, order, small, smallest, fixed)
    published = chosen.published | fixed
    uses = Counter(sets.of.values())
    counts = counts_of(sets.overlaps, dict(uses), both, apart)
    hidden = frozenset(uses) - published
    sensitive = {number for number, size in counts.values.items() if 0 < size < smallest}
    sensitive |= extreme.partners
    found = protect(counts, hidden, sensitive, protocol.release.protection_width, fixed)
    # What cannot be protected, or not in bounded time, costs every count: nothing is added to what is public already.
    gone = frozenset(uses) - fixed if found.unprotected else found.hidden
    published -= gone
    secret = [people for people in small if people not in set(chosen.known)]
    left = defined(sets.overlaps, published, secret)
    return Decision(gone, len(left), extreme.places, bool(found.unprotected))


def _by_importance(tables: Tables, sets: PeopleSets) -> list[int]:
    """The sets, the most important first; of equal importance people before cases, then what is in the most numbers.

    Suppressing a step of the flow costs one number, suppressing the analyzed a hundred.
    """
    analysis, uses = tables.results["analysis"].to_dict(), Counter(sets.of.values())
    rank: dict[int, tuple[int, int, int, int]] = {}
    for place, number in sets.of.items():
        mine = (
            _importance(place, analysis),
            int(place[2] == "events"),
            -uses[number],
            -int(sets.sizes[number]),
        )
        rank[number] = min(rank.get(number, mine), mine)
    return sorted(rank, key=lambda number: (*rank[number], number))


def _importance(place: Place, analysis: dict[object, str]) -> int:
    name = analysis[place[1]] if place[0] == "results" else place[0]
    if name in FIRST:
        return FIRST.index(name)
    return len(FIRST) + (name in LAST)
