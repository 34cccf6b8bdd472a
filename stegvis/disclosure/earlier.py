"""Differencing: counts that are too close to those of an earlier release.

Two releases that differ by a few people disclose these people by subtraction. If the count of a group, of its cases or
of its non-cases differs by few, all three are too close: that only one of them changed would reveal the outcome of the
few.
"""

from __future__ import annotations

from collections.abc import Iterable

from stegvis.disclosure.counts import CASE, NOT_SEVERE, OTHER, SEVERE, Counts, Group, within

_STATES = {CASE, OTHER, SEVERE, NOT_SEVERE}


def differing(now: Counts, earlier: Iterable[Counts], smallest_count: int, rounding_base: int = 1) -> set[Group]:
    """Groups whose own counts differ from an earlier release's by 1 to ``smallest_count`` - 1.

    Args:
        now: today's counts.
        earlier: counts of earlier releases, with the complements that follow from them.
        smallest_count: the smallest publishable difference.
        rounding_base: published counts are multiples of it: a count is then too close when it is published as
            another multiple, and may have changed by a small number.
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
    """The groups that ``differ``, with their people, their cases and their non-cases."""
    people = {(group[0], *(each for each in group[1:] if each not in _STATES)) for group in differ}
    states = [(), (CASE,), (OTHER,), (SEVERE,), (NOT_SEVERE,)]
    return {group for bare in people for state in states if (group := within(bare, *state)) in now.values}


def unchanged(now: Counts, earlier: Iterable[Counts]) -> set[Group]:
    """Groups published earlier with the same count: an attacker may take them as known."""
    return {
        group
        for then in earlier
        for group in then.published.keys() & now.values.keys()
        if then.values[group] == now.values[group]
    }
