"""Complementary suppression by linear programming, and its audit.

For each sensitive count that an attacker could bound too closely, the cheapest other table of people is sought in which
that count is larger by the protection width and every published sum still holds; every published count that differs in
it is suppressed. Both tables then fit the published counts, so the attacker cannot distinguish them (Kelly, Golden and
Assad 1992, Networks 22(4):397-417, doi 10.1002/net.3230220407).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Set
from dataclasses import dataclass

import numpy as np

from stegvis.disclosure.attack import LONGEST_SEARCH, TOLERANCE, ranges, whole
from stegvis.disclosure.counts import Counts, Group

# Cost of a count that is suppressed already, relative to 1 per published number: enough to prefer small changes.
_FREE = 1e-4


@dataclass(frozen=True)
class Protected:
    """The suppressed counts, and the sensitive counts that can still be bounded too closely.

    These are the ones for which no other table was found in bounded time: more must be suppressed.
    """

    hidden: frozenset[Group]
    unprotected: tuple[Group, ...]


def unprotected(
    counts: Counts, hidden: Set[Group], sensitive: Iterable[Group], width: int, fixed: Set[Group] = frozenset()
) -> list[Group]:
    """The audit: which sensitive counts an attacker can bound to a range narrower than ``width``.

    Args:
        counts: all counts and how they add up.
        hidden: which of the published ones are suppressed.
        sensitive: counts that must not be known closely, published or not.
        width: the smallest range (largest minus smallest possible value) that is enough.
        fixed: counts that the attacker knows in any case.
    """
    known = {group: counts.values[group] for group in counts.published if group not in hidden}
    known |= {group: counts.values[group] for group in fixed if group in counts.values}
    asked = sorted(set(sensitive))
    found = ranges(counts.relations, known, asked, counts.values, enough=width)
    return [group for group in asked if found[group][1] - found[group][0] < width]


def protect(
    counts: Counts, hidden: Set[Group], sensitive: Set[Group], width: int, fixed: Set[Group] = frozenset()
) -> Protected:
    """Suppress further published counts until no sensitive one can be bounded more closely than ``width``.

    Args:
        counts: all counts and how they add up.
        hidden: counts that are suppressed already, including the sensitive ones.
        sensitive: counts that must not be known closely, published or not.
        width: the smallest range that is enough.
        fixed: counts that the attacker knows in any case.
    """
    chosen = set(hidden)
    left = unprotected(counts, chosen, sensitive, width, fixed)
    if not left:
        return Protected(frozenset(chosen), ())
    program = _Program(counts, fixed)
    impossible: set[Group] = set()
    while left:
        seen, before = _Seen(program), len(chosen) + len(impossible)
        for group in sorted(left, key=lambda each: (-counts.values[each], each)):
            if seen.range_of(group) >= width:
                continue
            moved = program.moved(group, width, chosen)
            if moved is None:
                impossible.add(group)
                continue
            seen.note(moved)
            differ = {each for each, by in zip(program.groups, moved, strict=True) if abs(by) > TOLERANCE}
            chosen |= differ & counts.published.keys()
        if len(chosen) + len(impossible) == before:
            impossible |= set(left)  # whatever the reason: a round that suppresses nothing would be the same again
        left = [each for each in unprotected(counts, chosen, sensitive, width, fixed) if each not in impossible]
    return Protected(frozenset(chosen), tuple(unprotected(counts, chosen, impossible, width, fixed)))


class _Program:
    """The program that looks for another table of people: its equations, built once."""

    def __init__(self, counts: Counts, fixed: Set[Group]) -> None:
        from scipy.sparse import csr_array, hstack

        self.counts = counts
        self.groups = sorted({group for total, parts in counts.relations for group in (total, *parts)})
        self.place = {group: column for column, group in enumerate(self.groups)}
        rows, columns, signs = [], [], []
        for row, (total, parts) in enumerate(counts.relations):
            rows += [row] * (1 + len(parts))
            columns += [self.place[total], *(self.place[part] for part in parts)]
            signs += [1.0] + [-1.0] * len(parts)
        matrix = csr_array((signs, (rows, columns)), shape=(len(counts.relations), len(self.groups)))
        self.equations = hstack([matrix, -matrix], format="csr")
        self.values = np.array([counts.values[group] for group in self.groups], dtype=float)
        self.fixed = np.array([group in fixed for group in self.groups])
        largest = max(float(self.values.max(initial=1.0)), 1.0)
        # Suppress the fewest published numbers, then the smallest counts.
        self.cost = np.array(
            [counts.published.get(group, 0) * (1 + counts.values[group] / largest) for group in self.groups]
        )

    def moved(self, group: Group, width: int, hidden: Set[Group]) -> np.ndarray | None:
        """How the counts of the cheapest table in which ``group`` has ``width`` more people differ; None: no such."""
        from scipy.optimize import linprog

        if group not in self.place:
            return None  # in no relation: nothing else reveals it
        free = np.array([each in hidden or each not in self.counts.published for each in self.groups])
        cost = np.where(free, _FREE, self.cost + _FREE)
        upper = np.where(self.fixed, 0.0, math.inf)
        lower = np.where(self.fixed, 0.0, self.values)
        column = self.place[group]
        bounds = np.column_stack([np.zeros(2 * len(self.groups)), np.concatenate([upper, lower])])
        bounds[column] = (width, width)
        bounds[len(self.groups) + column] = (0, 0)
        solved = linprog(
            np.concatenate([cost, cost]),
            A_eq=self.equations,
            b_eq=np.zeros(self.equations.shape[0]),
            bounds=bounds,
            method="highs",
            options={"maxiter": LONGEST_SEARCH},
        )
        if solved.status != 0:
            return None
        moved: np.ndarray = solved.x[: len(self.groups)] - solved.x[len(self.groups) :]
        return moved


class _Seen:
    """The range of each count over the tables found so far that fit the published counts."""

    def __init__(self, program: _Program) -> None:
        self.program = program
        self.low = np.zeros(len(program.groups))
        self.high = np.zeros(len(program.groups))

    def note(self, moved: np.ndarray) -> None:
        self.low = np.minimum(self.low, moved)
        self.high = np.maximum(self.high, moved)

    def range_of(self, group: Group) -> float:
        """Its largest minus its smallest possible value, in whole people."""
        column = self.program.place.get(group)
        if column is None:
            return 0.0
        truth = self.program.values[column]
        smallest, largest = whole(truth + self.low[column], truth + self.high[column])
        return largest - smallest
