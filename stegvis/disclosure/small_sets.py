"""The search for small sets: groups of 1 to 4 people, cases or others that published sets define together.

Four searches: the sets themselves, those of their people who are not cases, sums of the disjoint rows of a block, and
differences of nested sets, of all of these. A fifth, people who are distinguished from all others (leverage 1), is
made where sets are chosen (``span``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np

from stegvis.disclosure.overlaps import Overlaps, group_rows

# Blocks of at most so many rows are summed in every way, larger ones from either end.
_EVERY_SUM = 6


def small_sets(
    sets: Overlaps, pairs: Iterable[tuple[int, int]], blocks: Iterable[Sequence[int]], smallest: int
) -> list[tuple[int, ...]]:
    """The sets of 1 to ``smallest`` - 1 people that sets of people define.

    Args:
        sets: all sets.
        pairs: (people, cases) of the rows that count both: numbers of sets.
        blocks: numbers of sets that have nobody in common.
        smallest: the smallest publishable count.

    Returns:
        The columns of the matrix of each small set, each set once.
    """
    every, sizes = _derived(sets, pairs, blocks)
    found: set[tuple[int, ...]] = set()
    for position, size in enumerate(sizes):
        if 0 < size < smallest:
            found.add(_columns(every[position]))
        start = position + 1
        end = int(np.searchsorted(sizes, size + smallest, side="left"))
        if size and start < end:
            inside = ~(every[position] & ~every[start:end]).any(axis=1)
            for larger in every[start:end][inside]:
                found.add(_columns(larger & ~every[position]))
    return sorted(found - {()})


def _derived(
    sets: Overlaps, pairs: Iterable[tuple[int, int]], blocks: Iterable[Sequence[int]]
) -> tuple[np.ndarray, np.ndarray]:
    """The sets, their people who are not cases, and sums of a block: packed, and how many people; small ones first."""
    bits = _packed(sets.matrix)
    rows, sizes = [bits], [sets.sizes]
    for people, cases in dict.fromkeys(pairs):
        rows.append((bits[people] & ~bits[cases])[None])
        sizes.append(np.array([sets.sizes[people] - sets.common[people, cases]], dtype="int64"))
    for chosen in dict.fromkeys(chosen for block in blocks for chosen in _sums(block)):
        rows.append(np.bitwise_or.reduce(bits[list(chosen)], axis=0)[None])
        sizes.append(sets.sizes[list(chosen)].sum(keepdims=True))
    every, size = np.concatenate(rows), np.concatenate(sizes)
    group, _ = group_rows(every.view("uint8"))
    first = np.unique(group, return_index=True)[1]
    order = first[np.argsort(size[first], kind="stable")]
    return every[order], size[order]


def _sums(block: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The sums of two or more rows of a block: all of them, or those from either end."""
    parts = tuple(dict.fromkeys(block))
    if len(parts) <= _EVERY_SUM:
        for size in range(2, len(parts) + 1):
            yield from combinations(parts, size)
        return
    for size in range(2, len(parts) + 1):
        yield parts[:size]
        yield parts[-size:]


def _packed(matrix: np.ndarray) -> np.ndarray:
    """The rows as words of 64 columns."""
    missing = -matrix.shape[1] % 64
    padded = np.pad(matrix, ((0, 0), (0, missing)))
    return np.packbits(padded, axis=1, bitorder="little").view("<u8")


def _columns(words: np.ndarray) -> tuple[int, ...]:
    return tuple(np.flatnonzero(np.unpackbits(words.view("uint8"), bitorder="little")).tolist())
