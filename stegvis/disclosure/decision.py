"""Which counts are suppressed: the rules (``protect``, ``earlier``) in their order."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from stegvis.disclosure.counts import Counts, Group, is_root
from stegvis.disclosure.earlier import differing, too_close, unchanged
from stegvis.disclosure.protect import protect, unprotected
from stegvis.disclosure.tables import BASELINE
from stegvis.study.protocol import Protocol


@dataclass(frozen=True)
class Decision:
    """Groups whose counts are suppressed, by the first rule that applies.

    Attributes:
        small: primary suppression of small counts, and complementary suppression for them.
        close: counts too close to an earlier release's, and complementary suppression for them.
        unprotected: sensitive counts that can be bounded too closely whatever is suppressed: nothing may be published.
    """

    small: frozenset[Group]
    close: frozenset[Group]
    unprotected: tuple[Group, ...]


def decide(
    counts: Counts,
    protocol: Protocol,
    earlier: Sequence[Counts] = (),
    hidden: Set[Group] = frozenset(),
    fixed: Set[Group] = frozenset(),
) -> Decision:
    """Decide which counts are suppressed.

    Args:
        counts: all counts that are to be published together, and how they add up.
        protocol: smallest count, protection width, rounding.
        earlier: the published counts of earlier releases.
        hidden: counts that are suppressed already (by a decision on a part of these counts).
        fixed: counts that are certain to be published; not in ``hidden``.
    """
    # The steps before the follow-up are the same in every wave: their suppression must not depend on the wave.
    shared = _only(counts, BASELINE)
    first = _decided(shared, protocol, earlier, hidden & shared.published.keys(), fixed)
    published = shared.published.keys() - hidden - first.small - first.close
    rest = _decided(counts, protocol, earlier, hidden | first.small | first.close, fixed | published)
    return Decision(
        small=first.small | rest.small,
        close=first.close | rest.close,
        unprotected=tuple(sorted({*first.unprotected, *rest.unprotected})),
    )


def _decided(
    counts: Counts, protocol: Protocol, earlier: Sequence[Counts], hidden: Set[Group], fixed: Set[Group]
) -> Decision:
    smallest, width = protocol.disclosure.smallest_count, protocol.release.protection_width
    small = {group for group, count in counts.values.items() if 0 < count < smallest}
    chosen = set(hidden) | (small & counts.published.keys() - fixed)

    # First against an attacker who takes unchanged counts as known; what is published cannot be withdrawn.
    before = unchanged(counts, earlier) - chosen
    chosen |= protect(counts, chosen, small - before, width, fixed | before).hidden
    for_small = protect(counts, chosen, small, width, fixed)
    chosen = set(for_small.hidden)

    differ = differing(counts, earlier, smallest, protocol.release.base)
    close = too_close(counts, differ)
    chosen |= close & counts.published.keys() - fixed
    # Whoever knows who joined knows the total; the groups that they joined must not follow from it.
    same = {total for total, parts in counts.relations if len(parts) == 1 and is_root(parts[0])}
    roots = {group for group in close if is_root(group) or group in same}
    for_roots = protect(counts, chosen, roots, width, fixed)
    for_rest = protect(counts, for_roots.hidden, close - roots, width, fixed | roots)
    # What follows from this knowledge alone is not disclosed by the release; it must not follow for anyone else.
    follows = unprotected(replace(counts, published={}), frozenset(), for_rest.unprotected, width, roots)
    for_anyone = protect(counts, for_rest.hidden, set(follows), width, fixed)
    # Counts that differ by few must be protected; their companions are suppressed where that is possible.
    known = {*for_roots.unprotected, *for_rest.unprotected} - set(follows) | {*for_anyone.unprotected}
    return Decision(
        small=frozenset(for_small.hidden - hidden),
        close=frozenset(for_anyone.hidden - for_small.hidden),
        unprotected=(*for_small.unprotected, *(known & differ - small)),
    )


def _only(counts: Counts, whose: str) -> Counts:
    """The counts of the groups drawn from one set of people."""
    return Counts(
        {group: count for group, count in counts.values.items() if group[0] == whose},
        {group: count for group, count in counts.published.items() if group[0] == whose},
        [each for each in counts.relations if all(group[0] == whose for group in (each[0], *each[1]))],
    )
