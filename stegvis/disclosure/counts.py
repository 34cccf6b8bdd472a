"""Counts of sets of people, and how they add up by definition, for the linear program and its attacker.

The relations are those of the tables: people are cases and others, a total is the sum of its disjoint rows, and so is
its part in any other set (the women of a category are the women of its strata). They are found from the people, so an
analysis that is added brings its relations with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from stegvis.disclosure.overlaps import Overlaps

Group = int
Relation = tuple[Group, tuple[Group, ...]]


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


def counts_of(
    sets: Overlaps,
    published: dict[Group, int],
    pairs: Iterable[tuple[Group, Group]],
    blocks: Iterable[Sequence[Group]],
) -> Counts:
    """The counts of sets of people and their relations.

    Args:
        sets: the sets.
        published: how many numbers count a set, by its number.
        pairs: (people, cases) of rows that count both: sets and subsets of them.
        blocks: sets that have nobody in common.
    """
    common, others = _with_others(sets.common, pairs)
    relations: set[Relation] = {
        (total, tuple(sorted((cases, other)))) for (total, cases), other in others.items() if other != total
    }
    parts = _Parts(common)
    for block in dict.fromkeys(tuple(sorted(set(block))) for block in blocks):
        relations |= parts.of(block)
    values = {number: int(size) for number, size in enumerate(common.diagonal())}
    return Counts(values, dict(published), sorted(relations))


def _with_others(
    common: np.ndarray, pairs: Iterable[tuple[Group, Group]]
) -> tuple[np.ndarray, dict[tuple[Group, Group], Group]]:
    """What sets have in common, those of people who are not cases too, and the number of each of the latter."""
    distinct = [(total, cases) for total, cases in dict.fromkeys(pairs) if total != cases]
    totals, cases = (np.array([pair[side] for pair in distinct], dtype="int64") for side in (0, 1))
    rows = np.concatenate([common, common[totals] - common[cases]])
    every = np.concatenate([rows, rows[:, totals] - rows[:, cases]], axis=1)
    sizes = every.diagonal()
    equal = (every == sizes) & (every == sizes[:, None])
    first = equal.argmax(axis=1)
    kept = np.flatnonzero((first == np.arange(len(every))) | (np.arange(len(every)) < len(common)))
    number = dict(zip(kept.tolist(), range(len(kept)), strict=True))
    others = {pair: number[int(first[len(common) + at])] for at, pair in enumerate(distinct)}
    return every[np.ix_(kept, kept)], others


class _Parts:
    """Which set, if any, is the part of a set that lies in another."""

    def __init__(self, common: np.ndarray) -> None:
        self.common = common
        self.sizes = common.diagonal()
        self.inside = common == self.sizes  # [a, b]: b lies in a
        self.found: dict[Group, np.ndarray] = {}

    def within(self, part: Group) -> np.ndarray:
        """For each set: the set that is its part in ``part``; -1 if there is none, -2 if nobody is."""
        if part not in self.found:
            subsets = np.flatnonzero(self.inside[part])
            same = self.inside[:, subsets] & (self.sizes[subsets] == self.common[:, part, None])
            number = np.where(same.any(axis=1), subsets[same.argmax(axis=1)], -1)
            self.found[part] = np.where(self.common[:, part] == 0, -2, number)
        return self.found[part]

    def of(self, block: Sequence[Group]) -> set[Relation]:
        """Each set that lies in the block's union, as the sum of its parts, where all parts are sets too."""
        parts = np.array([self.within(part) for part in block])
        covered = self.common[:, list(block)].sum(axis=1) == self.sizes
        chosen = covered & (parts != -1).all(axis=0) & ((parts >= 0).sum(axis=0) > 1)
        return {
            (int(number), tuple(sorted(int(part) for part in parts[:, number] if part >= 0)))
            for number in np.flatnonzero(chosen)
        }
