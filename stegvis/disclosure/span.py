"""Which sets may be published: none that, added to those before it, defines a small set.

Whoever knows who is in the published sets knows every sum and difference of their counts: the linear span of their 0/1
vectors. Sets enter an orthonormal basis in order of importance. One that would put a small set, or people who are alike
in every set and few (a single person has leverage 1), into the span is suppressed.

The idea is the auditor's of sum queries (Chin and Ozsoyoglu 1982, IEEE Transactions on Software Engineering
SE-8(6):574-582, doi 10.1109/TSE.1982.236161). The basis is kept as a Cholesky factor of the sets' intersections, which
are whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np

from stegvis.disclosure.overlaps import Overlaps, alike

# Squared distances (in people) below this are zero: the true ones of sets of people are far above it.
NOTHING = 1e-6
# A small set closer to the span than this share of its size counts as inside it.
INSIDE = 1e-6
# Sets that are compared with the basis at once.
_AT_ONCE = 32
# After so many searches for pairs that the span defines, fewer sets are published each time.
_MOST_SEARCHES = 6


@dataclass(frozen=True)
class Chosen:
    """The sets that may be published, and the small sets that the fixed ones define already."""

    published: frozenset[int]
    known: tuple[tuple[int, ...], ...]


def choose(
    sets: Overlaps,
    order: Iterable[int],
    small: Sequence[tuple[int, ...]],
    smallest: int,
    fixed: Iterable[int] = (),
) -> Chosen:
    """The sets that may be published.

    Args:
        sets: all sets.
        order: the sets in order of importance.
        small: small sets (columns of the matrix) that must not be defined (``small_sets``).
        smallest: the smallest publishable count.
        fixed: sets that are published already.
    """
    order = list(order)
    position = {number: at for at, number in enumerate(order)}
    same = _alike(sets, smallest)
    secret = list(dict.fromkeys([*small, *same]))
    place = {people: number for number, people in enumerate(secret)}
    places = [place[people] for people in same]
    span = _Span(sets, secret)
    span.fix(sorted(fixed))
    accepted = span.add(order, refuse=True)
    for search in count():
        more = [each for each in _pairs(span, same, places, smallest) if each not in place]
        if not more:
            break
        place |= {people: len(place) + number for number, people in enumerate(more)}
        secret += more
        if search >= _MOST_SEARCHES and accepted:
            order = order[: position[accepted[len(accepted) // 2]]]
        # What was decided before the first set that is refused now stays as it is.
        first = min(len(order), span.watch(more, position))
        span.keep_before(first, position)
        accepted = [number for number in accepted if position[number] < first]
        accepted += span.add(order[first:], refuse=True)
    return Chosen(frozenset(accepted), tuple(secret[number] for number in np.flatnonzero(span.known)))


def defined(sets: Overlaps, published: Iterable[int], small: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The audit: which small sets lie in the span of the published sets, by a pivoted factor of their intersections."""
    from scipy.linalg import solve_triangular
    from scipy.linalg.lapack import dpstrf

    numbers = np.array(sorted(published), dtype="int64")
    if not len(numbers) or not small:
        return []
    factor, pivots, rank, _ = dpstrf(sets.common[np.ix_(numbers, numbers)], tol=NOTHING, lower=1)
    overlap = _overlap(sets, small)[numbers[pivots[:rank] - 1]]
    inside = (solve_triangular(factor[:rank, :rank], overlap, lower=True) ** 2).sum(axis=0)
    sizes = _sizes(sets, small)
    return [people for people, share, size in zip(small, inside, sizes, strict=True) if share > size * (1 - INSIDE)]


def _sizes(sets: Overlaps, small: Sequence[tuple[int, ...]]) -> np.ndarray:
    """How many people are in each small set."""
    if not small:
        return np.zeros(0)
    starts = np.cumsum([0, *(len(columns) for columns in small[:-1])])
    return np.add.reduceat(sets.people[[column for columns in small for column in columns]], starts).astype("float64")


def _overlap(sets: Overlaps, small: Sequence[tuple[int, ...]]) -> np.ndarray:
    """How many people of each small set are in each set: S x small sets; a byte each where that is enough."""
    largest = int(_sizes(sets, small).max(initial=1))
    found = np.zeros((len(sets.matrix), len(small)), dtype=np.min_scalar_type(largest))
    single = [number for number, columns in enumerate(small) if len(columns) == 1]
    columns = [small[number][0] for number in single]
    found[:, single] = sets.matrix[:, columns] * sets.people[columns].astype(found.dtype)
    for number, columns_of in enumerate(small):
        if len(columns_of) != 1:
            found[:, number] = sets.matrix[:, list(columns_of)] @ sets.people[list(columns_of)]
    return found


class _Span:
    """The span of the sets added so far, seen from the small sets."""

    def __init__(self, sets: Overlaps, secret: Sequence[tuple[int, ...]]) -> None:
        self.sets = sets
        self.overlap = _overlap(sets, secret)
        self.sizes = _sizes(sets, secret)
        self.inside_of = np.zeros(len(secret))
        self.known = np.zeros(len(secret), dtype=bool)
        self.fixed = 0
        self.rows: list[int] = []
        # Memory is used by the rows that are written only.
        self.factor = np.zeros((len(sets.matrix), len(sets.matrix)))
        self.seen = np.empty((len(sets.matrix), len(secret)))

    def add(self, numbers: Sequence[int], refuse: bool = False) -> list[int]:
        """Add sets; with ``refuse`` none that would put a small set into the span. Returns those that were added."""
        added = []
        for start in range(0, len(numbers), _AT_ONCE):
            added += self._add_some(np.array(numbers[start : start + _AT_ONCE]), refuse)
        return added

    def _add_some(self, numbers: np.ndarray, refuse: bool) -> list[int]:
        lines, seen = self._outside(numbers)
        products = self.sets.common[np.ix_(numbers, numbers)] - lines.T @ lines
        start, added = len(self.rows), []
        # What the directions found among these sets have in common with each of them.
        shared = np.zeros((0, len(numbers)))
        for at, number in enumerate(numbers.tolist()):
            rest, k = products[at, at], len(self.rows)
            if rest < NOTHING:
                added.append(number)  # it follows from those before
                continue
            vector = (seen[at] - shared[:, at] @ self.seen[start:k]) / np.sqrt(rest)
            inside = self.inside_of + vector**2
            if refuse and (inside > self.sizes * (1 - INSIDE)).any():
                continue
            added.append(number)
            self.rows.append(number)
            self.factor[k, :start], self.factor[k, start:k] = lines[:, at], shared[:, at]
            self.factor[k, k] = np.sqrt(rest)
            self.seen[k], self.inside_of = vector, inside
            shared = np.vstack([shared, products[at] / np.sqrt(rest)])
            products -= np.outer(shared[-1], shared[-1])
        return added

    def _outside(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sets by the directions of the basis (k x sets), and what is left of their overlap with the small sets."""
        from scipy.linalg import solve_triangular

        k = len(self.rows)
        seen = self.overlap[numbers].astype("float64")
        if not k:
            return np.zeros((0, len(numbers))), seen
        lines = solve_triangular(
            self.factor[:k, :k], self.sets.common[np.ix_(np.array(self.rows), numbers)], lower=True
        )
        used = np.flatnonzero(lines.any(axis=1))
        if len(used):  # sets of another wave have nobody in common with these
            some = slice(int(used[0]), int(used[-1]) + 1)
            seen -= lines[some].T @ self.seen[some]
        return lines, seen

    def fix(self, numbers: Sequence[int]) -> None:
        """Add sets that are published already; small sets that they define can no longer be protected."""
        self.add(numbers)
        self.fixed = len(self.rows)
        self.known = self.inside_of > self.sizes * (1 - INSIDE)
        self.sizes = np.where(self.known, np.inf, self.sizes)

    def watch(self, secret: Sequence[tuple[int, ...]], position: Mapping[int, int]) -> int:
        """Watch further small sets.

        Args:
            secret: the small sets.
            position: of each set that is not fixed, in the order in which they are added.

        Returns:
            The position of the first set that put one of them into the span; beyond the last one if none did.
        """
        from scipy.linalg import solve_triangular

        k = len(self.rows)
        overlap, sizes = _overlap(self.sets, secret), _sizes(self.sets, secret)
        seen = solve_triangular(self.factor[:k, :k], overlap[self.rows].astype("float64"), lower=True)
        inside = np.cumsum(seen**2, axis=0) > sizes * (1 - INSIDE)
        known = inside[self.fixed - 1] if self.fixed else np.zeros(len(secret), dtype=bool)
        wider = np.empty((len(self.seen), self.seen.shape[1] + len(secret)))
        wider[:k] = np.hstack([self.seen[:k], seen])
        self.seen, self.overlap = wider, np.hstack([self.overlap, overlap])
        self.sizes = np.append(self.sizes, np.where(known, np.inf, sizes))
        self.known = np.append(self.known, known)
        crossed = np.flatnonzero(inside[:, ~known].any(axis=1))
        return position[self.rows[int(crossed[0])]] if len(crossed) else len(position)

    def keep_before(self, end: int, position: Mapping[int, int]) -> None:
        """Take back the sets that were added at a position or after it."""
        kept = self.rows[self.fixed :]
        self.rows = self.rows[: self.fixed] + [number for number in kept if position[number] < end]
        self.inside_of = (self.seen[: len(self.rows)] ** 2).sum(axis=0)

    def rest(self, directions: np.ndarray, groups: Sequence[tuple[int, ...]], places: Sequence[int]) -> np.ndarray:
        """What of some directions (G x D) is left in small sets, given with their places, outside the span."""
        from scipy.linalg import solve_triangular

        k = len(self.rows)
        weighted = directions * self.sets.people[:, None]
        inner = np.array([row @ weighted for row in self.sets.matrix[self.rows]])
        inner = solve_triangular(self.factor[:k, :k], inner, lower=True)
        whole = np.array([weighted[list(group)].sum(axis=0) for group in groups])
        outer: np.ndarray = whole - (inner.T @ self.seen[:k])[:, places].T
        return outer


def _alike(sets: Overlaps, smallest: int) -> list[tuple[int, ...]]:
    """The people who are alike in every set, where they are few: columns."""
    place, counts = alike(sets.matrix)
    people = np.bincount(place, weights=sets.people)
    columns = np.split(np.argsort(place, kind="stable"), np.cumsum(counts)[:-1])
    within = np.asarray(sets.matrix.any(axis=0))
    return [
        tuple(group.tolist())
        for group, size in zip(columns, people, strict=False)
        if size < smallest and within[group[0]]
    ]


def _pairs(span: _Span, same: Sequence[tuple[int, ...]], places: Sequence[int], smallest: int) -> list[tuple[int, ...]]:
    """Two groups of people who are alike, together few, whose union lies in the span: found by random projection."""
    if not span.rows or len(same) < 2:
        return []
    directions = np.random.default_rng(0).normal(size=(span.sets.matrix.shape[1], 3))
    seen = span.rest(directions, same, places).T
    sizes = _sizes(span.sets, same)
    order = np.argsort(seen[0])
    opposite = np.searchsorted(seen[0][order], -seen[0] - NOTHING)
    found = []
    for step in range(4):
        other = order[np.minimum(opposite + step, len(order) - 1)]
        few = (np.arange(len(same)) < other) & (sizes + sizes[other] < smallest)
        for one in np.flatnonzero(few & (np.abs(seen + seen[:, other]).max(axis=0) < NOTHING)).tolist():
            found.append(tuple(sorted((*same[one], *same[int(other[one])]))))
    return list(dict.fromkeys(found))
