"""Which sets may be published: none that, added to those before it, defines a small set.

Whoever knows who is in the published sets knows every sum and difference of their counts: the linear span of their 0/1
vectors. Sets enter an orthonormal basis in order of importance. One that would put a small set, or people who are alike
in every set and few (a single person has leverage 1), into the span is suppressed.

The idea is the auditor's of sum queries (Chin and Ozsoyoglu 1982, IEEE Transactions on Software Engineering
SE-8(6):574-582, doi 10.1109/TSE.1982.236161). The basis is kept as a Cholesky factor of the sets' intersections, which
are whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stegvis.disclosure.people_sets import alike

# Squared distances (in people) below this are zero: the true ones of sets of people are far above it.
NOTHING = 1e-6
# A small set closer to the span than this share of its size counts as inside it.
INSIDE = 1e-6


@dataclass(frozen=True)
class Chosen:
    """The sets that may be published, and the small sets that the fixed ones define already."""

    published: frozenset[int]
    known: tuple[tuple[int, ...], ...]


def choose(
    matrix: np.ndarray,
    order: Sequence[int],
    small: Sequence[tuple[int, ...]],
    smallest: int,
    fixed: np.ndarray | None = None,
) -> Chosen:
    """The sets that may be published.

    Args:
        matrix: S x N (bool), who is in which set.
        order: the sets in order of importance.
        small: people (columns) of small sets that must not be defined (``small_sets``).
        smallest: the smallest publishable count.
        fixed: F x N (bool), sets that are published already.
    """
    before = np.zeros((0, matrix.shape[1]), dtype=bool) if fixed is None else fixed
    vectors = np.concatenate([before, matrix])
    same = _alike(vectors, smallest)
    secret = list(dict.fromkeys([*small, *same]))
    while True:
        span = _Span(vectors, secret)
        for number in range(len(before)):
            span.add(number)
        known = span.inside()
        span.ignore(known)
        accepted = [number for number in order if span.add(len(before) + number, refuse=True)]
        more = [each for each in _pairs(span, same, smallest) if each not in set(secret)]
        if not more:
            return Chosen(frozenset(accepted), tuple(secret[number] for number in np.flatnonzero(known)))
        secret += more


def defined(matrix: np.ndarray, small: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """The audit: which small sets lie in the span of sets (S x N), by the eigenvectors of their intersections."""
    if not len(matrix) or not small:
        return []
    values, basis = np.linalg.eigh(intersections(matrix))
    kept = values > 1e-10 * values.max(initial=0.0)
    overlap = _overlap(matrix, small)
    inside = ((overlap @ basis[:, kept]) ** 2 / values[kept]).sum(axis=1)
    return [people for people, share in zip(small, inside, strict=True) if share > len(people) * (1 - INSIDE)]


def intersections(matrix: np.ndarray) -> np.ndarray:
    """How many people each two sets (S x N) have in common: S x S, exact."""
    small = matrix.astype("float32")  # whole numbers up to 2**24 are exact in it
    return (small @ small.T).astype("float64")


def _overlap(matrix: np.ndarray, small: Sequence[tuple[int, ...]]) -> np.ndarray:
    """How many people of each small set are in each set: small sets x S."""
    found = [matrix[:, list(people)].sum(axis=1) for people in small]
    return np.array(found, dtype="float64").reshape(len(small), len(matrix))


class _Span:
    """The span of the sets added so far, seen from the small sets."""

    def __init__(self, vectors: np.ndarray, secret: Sequence[tuple[int, ...]]) -> None:
        self.vectors = vectors
        self.products = intersections(vectors)
        self.overlap = _overlap(vectors, secret)
        self.sizes = np.array([len(people) for people in secret], dtype="float64")
        self.inside_of = np.zeros(len(secret))
        self.rows: list[int] = []
        self.factor = np.zeros((len(vectors), len(vectors)))
        self.seen = np.zeros((len(vectors), len(secret)))

    def add(self, number: int, refuse: bool = False) -> bool:
        """Add a vector; with ``refuse`` not if a small set would be in the span. Returns whether it was added."""
        from scipy.linalg import solve_triangular

        k = len(self.rows)
        line = solve_triangular(self.factor[:k, :k], self.products[number, self.rows], lower=True) if k else np.zeros(0)
        rest = self.products[number, number] - line @ line
        if rest < NOTHING:
            return True  # it follows from those before
        length = np.sqrt(rest)
        seen = (self.overlap[:, number] - line @ self.seen[:k]) / length
        inside = self.inside_of + seen**2
        if refuse and (inside > self.sizes * (1 - INSIDE)).any():
            return False
        self.factor[k, :k], self.factor[k, k] = line, length
        self.seen[k], self.inside_of = seen, inside
        self.rows.append(number)
        return True

    def inside(self) -> np.ndarray:
        """Which small sets lie in the span."""
        return self.inside_of > self.sizes * (1 - INSIDE)

    def rest(self, direction: np.ndarray) -> np.ndarray:
        """The part of a vector (N) that is orthogonal to the span."""
        from scipy.linalg import solve_triangular

        k = len(self.rows)
        mine, factor = self.vectors[self.rows].astype("float64"), self.factor[:k, :k]
        inner = solve_triangular(factor, mine @ direction, lower=True)
        outer: np.ndarray = direction - mine.T @ solve_triangular(factor, inner, lower=True, trans="T")
        return outer

    def ignore(self, chosen: np.ndarray) -> None:
        """Small sets that are known already can no longer be protected."""
        self.sizes = np.where(chosen, np.inf, self.sizes)


def _alike(matrix: np.ndarray, smallest: int) -> list[tuple[int, ...]]:
    """The people who are alike in every set, where they are few."""
    place, counts = alike(matrix)
    groups = np.split(np.argsort(place, kind="stable"), np.cumsum(counts)[:-1])
    return [tuple(group.tolist()) for group in groups if len(group) < smallest and matrix[:, group[0]].any()]


def _pairs(span: _Span, same: Sequence[tuple[int, ...]], smallest: int) -> list[tuple[int, ...]]:
    """Two groups of people who are alike, together few, whose union lies in the span: found by random projection."""
    if not span.rows or len(same) < 2:
        return []
    random = np.random.default_rng(0)
    rests = [span.rest(np.asarray(random.normal(size=span.vectors.shape[1]))) for _ in range(3)]
    seen = np.array([[rest[list(group)].sum() for group in same] for rest in rests])
    order = np.argsort(seen[0])
    found = []
    opposite = np.searchsorted(seen[0][order], -seen[0] - NOTHING)
    for one, start in enumerate(opposite):
        for other in order[start : start + 4]:
            few = len(same[one]) + len(same[other]) < smallest
            if one < other and few and np.abs(seen[:, one] + seen[:, other]).max() < NOTHING:
                found.append(tuple(sorted((*same[one], *same[other]))))
    return found
