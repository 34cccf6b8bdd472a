"""Which counts are held back: the rules put together.

Belongs here: the order of the rules. Does not belong here: the rules themselves (``protect``, ``earlier``), the tables
without what is held back (``leaving``).
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from stegvis.disclosure.counts import Counts, Group, is_root
from stegvis.disclosure.earlier import differing, too_close, unchanged
from stegvis.disclosure.protect import exposed, protect
from stegvis.disclosure.tables import BASELINE
from stegvis.study.protocol import Protocol


@dataclass(frozen=True)
class Decision:
    """Groups whose counts are held back, by the rule that held them back first.

    Attributes:
        small: small counts, and those that would give them away.
        close: counts too close to an earlier release's, and those that would give them away.
        exposed: sensitive counts that can be bounded too closely whatever is hidden: nothing may leave.
    """

    small: frozenset[Group]
    close: frozenset[Group]
    exposed: tuple[Group, ...]


def decide(
    counts: Counts,
    protocol: Protocol,
    earlier: Sequence[Counts] = (),
    hidden: Set[Group] = frozenset(),
    fixed: Set[Group] = frozenset(),
) -> Decision:
    """What is held back of counts.

    Args:
        counts: all counts that are to leave together, and how they add up.
        protocol: smallest count, protection width, rounding.
        earlier: what earlier releases told.
        hidden: told counts that are held back already (by a decision on a part of these counts).
        fixed: counts whose telling is decided already; not in ``hidden``.
    """
    # The steps before the follow-up are those of every wave: what is hidden of them must not depend on the wave.
    shared = _only(counts, BASELINE)
    first = _decided(shared, protocol, earlier, hidden & shared.told.keys(), fixed)
    told = shared.told.keys() - hidden - first.small - first.close
    rest = _decided(counts, protocol, earlier, hidden | first.small | first.close, fixed | told)
    return Decision(
        small=first.small | rest.small,
        close=first.close | rest.close,
        exposed=tuple(sorted({*first.exposed, *rest.exposed})),
    )


def _decided(
    counts: Counts, protocol: Protocol, earlier: Sequence[Counts], hidden: Set[Group], fixed: Set[Group]
) -> Decision:
    smallest, width = protocol.disclosure.smallest_count, protocol.release.protection_width
    small = {group for group, count in counts.values.items() if 0 < count < smallest}
    chosen = set(hidden) | (small & counts.told.keys() - fixed)

    # First against an attacker who takes what is as it was for known; what he knows already cannot be taken back.
    before = unchanged(counts, earlier) - chosen
    chosen |= protect(counts, chosen, small - before, width, fixed | before).hidden
    for_small = protect(counts, chosen, small, width, fixed)
    chosen = set(for_small.hidden)

    differ = differing(counts, earlier, smallest, protocol.release.base)
    close = too_close(counts, differ)
    chosen |= close & counts.told.keys() - fixed
    # Whoever knows who joined knows how many there are; where they belong must not follow.
    same = {total for total, parts in counts.relations if len(parts) == 1 and is_root(parts[0])}
    roots = {group for group in close if is_root(group) or group in same}
    for_roots = protect(counts, chosen, roots, width, fixed)
    for_rest = protect(counts, for_roots.hidden, close - roots, width, fixed | roots)
    # What follows from his knowledge alone no release tells; but it must not follow for anyone else.
    his = exposed(replace(counts, told={}), frozenset(), for_rest.exposed, width, roots)
    for_anyone = protect(counts, for_rest.hidden, set(his), width, fixed)
    # Those that differ by few must not be known; their companions are hidden where that is possible.
    known = {*for_roots.exposed, *for_rest.exposed} - set(his) | {*for_anyone.exposed}
    return Decision(
        small=frozenset(for_small.hidden - hidden),
        close=frozenset(for_anyone.hidden - for_small.hidden),
        exposed=(*for_small.exposed, *(known & differ - small)),
    )


def _only(counts: Counts, whose: str) -> Counts:
    """The counts of the groups drawn from one set of people."""
    return Counts(
        {group: count for group, count in counts.values.items() if group[0] == whose},
        {group: count for group, count in counts.told.items() if group[0] == whose},
        [each for each in counts.relations if all(group[0] == whose for group in (each[0], *each[1]))],
    )
