"""The distinct sets of people behind published counts, and which number counts which set.

Two numbers that count the same people are one set: they are published together or suppressed together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from stegvis.statistics.members import unpacked

# (table, row, column) of a published number.
Place = tuple[str, Any, str]


class SetsError(ValueError):
    """The recorded people do not fit a table's counts; the message contains no value."""


@dataclass(frozen=True)
class Source:
    """A table with the people behind its counts.

    Attributes:
        members: ``wave``, ``person`` and ``numbers`` (``statistics.members``).
        places: of the bits in ``numbers``, two for each row; None for what is not published.
        counts: the published number at each place, to check the bits by; None where there is none.
    """

    members: pd.DataFrame
    places: Sequence[Place | None]
    counts: Sequence[int | None]


@dataclass
class PeopleSets:
    """Distinct sets of people.

    Attributes:
        matrix: S x N, which of the N people (of a wave) are in a set.
        of: the number of the set behind each published count; counts of nobody have none.
        everyone: the N people (wave, person).
    """

    matrix: np.ndarray
    of: dict[Place, int]
    everyone: pd.MultiIndex
    sizes: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.sizes = self.matrix.sum(axis=1)


def alike(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The groups of people who are in the same sets: the group of each person (N), and the size of each group.

    Args:
        matrix: S x N (bool), who is in which set.
    """
    columns = np.ascontiguousarray(np.packbits(matrix, axis=0).T)
    names = columns.view(np.dtype((np.void, columns.shape[1]))).ravel() if columns.size else np.zeros(len(columns))
    _, place, counts = np.unique(names, return_inverse=True, return_counts=True)
    return place, counts


def people_sets(sources: Iterable[Source]) -> PeopleSets:
    """The distinct sets behind the counts of tables.

    Raises:
        SetsError: a count is not the size of its set: the people were recorded for other rows.
    """
    sources = list(sources)
    keys = [pd.MultiIndex.from_frame(each.members[["wave", "person"]].astype("str")) for each in sources]
    everyone = pd.MultiIndex.from_tuples([], names=["wave", "person"])
    for each in keys:
        everyone = everyone.union(each)
    number_of: dict[bytes, int] = {}
    rows: list[np.ndarray] = []
    of: dict[Place, int] = {}
    for source, key in zip(sources, keys, strict=True):
        bits = unpacked(source.members["numbers"], len(source.places) // 2)
        spread = np.zeros((len(bits), len(everyone)), dtype=bool)
        spread[:, everyone.get_indexer(key)] = bits
        sizes = bits.sum(axis=1)
        for place, count, row, size in zip(source.places, source.counts, spread, sizes, strict=True):
            if place is None or count is None:
                continue
            if count != size:
                raise SetsError(f"the people behind {place[0]} were recorded for other rows: make its table again")
            if not size:
                continue
            name = np.packbits(row).tobytes()
            if name not in number_of:
                number_of[name] = len(rows)
                rows.append(row)
            of[place] = number_of[name]
    matrix = np.array(rows, dtype=bool).reshape(len(rows), len(everyone))
    return PeopleSets(matrix, of, everyone)
