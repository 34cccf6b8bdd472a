"""Counts that are too close to what an earlier release told.

Belongs here: which groups' counts differ from an earlier release's by a small number. Does not belong here: reading
releases, hiding.

Two releases a few people apart tell of these people by subtraction. If the count of a group, of its cases or of its
others differs by few, all three count as too close: that only one of them changed would tell what the few have.
"""

from __future__ import annotations

from collections.abc import Iterable

from stegvis.disclosure.counts import CASE, NOT_SEVERE, OTHER, SEVERE, Counts, Group, within

_STATES = {CASE, OTHER, SEVERE, NOT_SEVERE}


def differing(now: Counts, earlier: Iterable[Counts], smallest_count: int, rounding_base: int = 1) -> set[Group]:
    """Groups whose own counts differ from an earlier release's by 1 to ``smallest_count`` - 1.

    Args:
        now: today's counts.
        earlier: what earlier releases told, and what follows from it for the groups' rests.
        smallest_count: the smallest difference that may be told.
        rounding_base: counts were told as multiples of it: then a count is too close when it is told as another
            multiple, and may have changed by a small number.
    """
    # A count that rounding may have moved by half a base is as close as one that differs by that much less.
    moved = rounding_base / 2 if rounding_base > 1 else 0
    return {
        group
        for then in earlier
        for group in then.values.keys() & now.values.keys()
        if moved < abs(now.values[group] - then.values[group]) < smallest_count + moved
    }


def too_close(now: Counts, differ: Iterable[Group]) -> set[Group]:
    """The groups that ``differ``, with their people, their cases and their others."""
    people = {(group[0], *(each for each in group[1:] if each not in _STATES)) for group in differ}
    states = [(), (CASE,), (OTHER,), (SEVERE,), (NOT_SEVERE,)]
    return {group for bare in people for state in states if (group := within(bare, *state)) in now.values}


def unchanged(now: Counts, earlier: Iterable[Counts]) -> set[Group]:
    """Groups that an earlier release told with today's count: an attacker may well take them for known."""
    return {
        group
        for then in earlier
        for group in then.told.keys() & now.values.keys()
        if then.values[group] == now.values[group]
    }
