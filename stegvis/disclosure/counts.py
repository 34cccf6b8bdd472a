"""Counts of groups of people, and how they add up, for disclosure control and its attacker.

A group is a tuple: the people it is drawn from (a wave, for instance), then ``attribute=value`` in alphabetical order.
An attribute has one value for each person, so groups that differ in the value of one attribute have nobody in common;
where their counts sum to the count of the group without it, that is a relation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

Group = tuple[str, ...]
Relation = tuple[Group, tuple[Group, ...]]

CASE = "low_back_pain=yes"
OTHER = "low_back_pain=no"
SEVERE = "severe_low_back_pain=yes"
NOT_SEVERE = "severe_low_back_pain=no"


def within(group: Group, *attributes: str) -> Group:
    """The people of a group who also have the attributes (``attribute=value``)."""
    return (group[0], *sorted({*group[1:], *attributes}))


def is_root(group: Group) -> bool:
    """Whether a group is everyone of a wave (or of another whole): no attribute distinguishes its people."""
    return len(group) == 1


def in_words(group: Group) -> str:
    """A group in words."""
    return " / ".join(group)


@dataclass
class Counts:
    """The counts of groups, which of them are published, and how they add up.

    Attributes:
        values: people of each group; some groups are not published, but can be derived.
        published: how many published numbers depend on a group's count.
        relations: (total, parts): the parts have nobody in common and are together the total.
    """

    values: dict[Group, int] = field(default_factory=dict)
    published: dict[Group, int] = field(default_factory=dict)
    relations: list[Relation] = field(default_factory=list)

    def publish(self, group: Group, count: int, of: str = "") -> Group:
        """Add a published count; returns the group under which it was added.

        Two numbers that should be the same count but are not are of different people: the second becomes a group
        of its own (named by ``of``), so that it is protected at least by itself.
        """
        if self.values.get(group, count) != count:
            group = within(group, f"as counted in={of}")
        self.values[group] = count
        self.published[group] = self.published.get(group, 0) + 1
        return group

    def derive(self, group: Group, count: int) -> None:
        """Add a count that is not published, but that others add up to."""
        self.values.setdefault(group, count)

    def relate(self, total: Group, parts: Iterable[Group]) -> None:
        """Add the relation that parts sum to a total, where all are known and they do."""
        parts = tuple(sorted(parts))
        known = total in self.values and all(part in self.values for part in parts)
        if known and sum(self.values[part] for part in parts) == self.values[total]:
            self.relations.append((total, parts))

    def split(self, total: Group, part: Group, rest: Group) -> None:
        """Add a group's part and complement; the count of the complement follows."""
        if total in self.values and part in self.values and self.values[total] >= self.values[part]:
            self.derive(rest, self.values[total] - self.values[part])
            self.relate(total, (part, rest))

    def close(self) -> None:
        """Add the people of each group who are not cases, and every relation that the groups' names imply."""
        for case, other in ((CASE, OTHER), (SEVERE, NOT_SEVERE)):
            for group in [group for group in self.values if case in group[1:]]:
                everyone = (group[0], *(each for each in group[1:] if each != case))
                self.split(everyone, group, within(everyone, other))
        domains: dict[tuple[str, str], set[str]] = {}
        for group in self.values:
            for attribute in group[1:]:
                domains.setdefault((group[0], attribute.partition("=")[0]), set()).add(attribute)
        parts = sorted((each.partition("=")[0], base, each, group) for each, base, group in self._bases())
        for (name, base), members in groupby(parts, key=lambda each: each[:2]):
            found = {attribute: group for *_, attribute, group in members}
            # The names must imply that the parts are complete: a group that happens to be empty is no relation.
            if found.keys() == domains[base[0], name]:
                self.relate(base, found.values())
        self.relations = sorted(set(self.relations))

    def _bases(self) -> Iterator[tuple[str, Group, Group]]:
        """(attribute, the group without it, the group) for each group and attribute whose base is counted too."""
        for group in self.values:
            for attribute in group[1:]:
                base = (group[0], *(each for each in group[1:] if each != attribute))
                if base in self.values:
                    yield attribute, base, group
