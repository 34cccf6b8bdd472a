"""Counts of sets of people, and how they add up by definition, for the linear program and its attacker.

The relations are those of the tables: people are cases and others, a total is the sum of its disjoint rows, and so is
its part in any other set (the women of a category are the women of its strata). They are found from the people, so an
analysis that is added brings its relations with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from stegvis.disclosure.people_sets import alike

Group = int
Relation = tuple[Group, tuple[Group, ...]]

# Sums of so many random numbers of this size are exact in a float64.
_LARGEST = 2**36


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
    matrix: np.ndarray,
    published: dict[Group, int],
    pairs: Iterable[tuple[Group, Group]],
    blocks: Iterable[Sequence[Group]],
) -> Counts:
    """The counts of sets of people and their relations.

    Args:
        matrix: S x N (bool), who is in which set.
        published: how many numbers count a set, by its number.
        pairs: (people, cases) of rows that count both.
        blocks: sets that have nobody in common.
    """
    # People who are alike in every set are one column.
    place, people = alike(matrix)
    first = np.zeros(len(people), dtype="int64")
    first[place] = np.arange(len(place))
    matrix = matrix[:, first]
    fingerprints = _Fingerprints(matrix)
    relations: set[Relation] = set()
    for total, cases in dict.fromkeys(pairs):
        if total != cases:
            others = fingerprints.add(matrix[total] & ~matrix[cases])
            relations.add((total, tuple(sorted((cases, others)))))
    every = fingerprints.matrix()
    parts = [tuple(sorted(set(block))) for block in blocks]
    for block in dict.fromkeys(parts):
        relations |= fingerprints.split(every, block)
    values = {number: int(people[row].sum()) for number, row in enumerate(every)}
    return Counts(values, dict(published), sorted(relations))


class _Fingerprints:
    """Sets by the sums of random numbers of their people, so that equal sets are found without comparing them."""

    def __init__(self, matrix: np.ndarray) -> None:
        random = np.random.default_rng(0)
        self.weights = random.integers(1, _LARGEST, size=(2, matrix.shape[1])).astype("float64")
        self.rows = list(matrix)
        self.number_of = {self.of(row): number for number, row in reversed(list(enumerate(matrix)))}

    def of(self, row: np.ndarray) -> tuple[float, ...]:
        return tuple((self.weights @ row).tolist())

    def add(self, row: np.ndarray) -> Group:
        """The number of a set, which is added if it is new."""
        mark = self.of(row)
        if mark not in self.number_of:
            self.number_of[mark] = len(self.rows)
            self.rows.append(row)
        return self.number_of[mark]

    def matrix(self) -> np.ndarray:
        return np.array(self.rows, dtype=bool).reshape(len(self.rows), self.weights.shape[1])

    def split(self, every: np.ndarray, block: Sequence[Group]) -> set[Relation]:
        """Each set that lies in the block's union, as the sum of its parts, where all parts are sets too."""
        union = every[list(block)].any(axis=0)
        inside = np.flatnonzero(~(every & ~union).any(axis=1))
        parts_of_block, sets = every[list(block)], every[inside].astype("float64")
        # Whole numbers below 2**53, so the sums are exact in any order.
        marks = [sets @ (parts_of_block * weight).T for weight in self.weights]
        found: set[Relation] = set()
        for position, number in enumerate(inside):
            each = zip(marks[0][position].tolist(), marks[1][position].tolist(), strict=True)
            parts = [self.number_of.get(mark) for mark in each if mark != (0.0, 0.0)]
            known = [part for part in parts if part is not None]
            if len(known) == len(parts) > 1:
                found.add((int(number), tuple(sorted(known))))
        return found
