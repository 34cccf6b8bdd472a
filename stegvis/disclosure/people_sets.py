"""The distinct sets of people behind published counts, and which number counts which set.

Two numbers that count the same people are one set: they are published together or suppressed together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from stegvis.disclosure.overlaps import Overlaps
from stegvis.statistics.members import unpacked

# (table, row, column) of a published number.
Place = tuple[str, Any, str]
# Between wave and person; no wave holds it.
_BETWEEN = "\x1f"


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


@dataclass(frozen=True, eq=False)
class PeopleSets:
    """Distinct sets of people.

    Attributes:
        overlaps: the sets, and how many people they have in common.
        of: the number of the set behind each published count; counts of nobody have none.
    """

    overlaps: Overlaps
    of: dict[Place, int]

    @property
    def sizes(self) -> np.ndarray:
        """The people in each set."""
        return self.overlaps.sizes


def people_sets(sources: Iterable[Source]) -> PeopleSets:
    """The distinct sets behind the counts of tables.

    Raises:
        SetsError: a count is not the size of its set: the people were recorded for other rows.
    """
    sources = list(sources)
    keys = [each.members["wave"].astype("str") + _BETWEEN + each.members["person"].astype("str") for each in sources]
    codes, everyone = pd.factorize(pd.concat(keys) if keys else pd.Series(dtype="str"))
    persons = np.split(codes, np.cumsum([len(each) for each in keys])[:-1]) if keys else []
    group = np.zeros(len(everyone), dtype="int64")
    for source, mine in zip(sources, persons, strict=True):
        numbers, distinct = pd.factorize(source.members["numbers"].map(bytes))
        own = np.zeros(len(everyone), dtype="int64")
        own[mine] = numbers + 1
        group, _ = pd.factorize(group * (len(distinct) + 1) + own)
    people = np.bincount(group)
    number_of: dict[bytes, int] = {}
    of: dict[Place, int] = {}
    for source, mine in zip(sources, persons, strict=True):
        numbers_of = _numbers(source, group[mine], people, number_of)
        of |= {place: number for place, number in zip(source.places, numbers_of, strict=True) if place and number >= 0}
    width = -(-len(people) // 8)
    rows = np.frombuffer(b"".join(number_of), dtype="uint8").reshape(len(number_of), width)
    matrix = np.unpackbits(rows, axis=1, count=len(people)).astype(bool)
    return PeopleSets(Overlaps(matrix, people), of)


def _numbers(source: Source, groups: np.ndarray, people: np.ndarray, number_of: dict[bytes, int]) -> list[int]:
    """The number of the set behind each count of a table, -1 where there is none; new sets enter ``number_of``."""
    mine, first = np.unique(groups, return_index=True)
    bits = np.ascontiguousarray(unpacked(source.members["numbers"].iloc[first], len(source.places) // 2))
    several = np.flatnonzero(people[mine] > 1)
    found, sizes = [], (bits.sum(axis=1) + bits[:, several] @ (people[mine][several] - 1)).tolist()
    known: dict[bytes, int] = {}
    for place, count, row, size in zip(source.places, source.counts, bits, sizes, strict=True):
        found.append(-1)
        if place is None or count is None:
            continue
        if count != size:
            raise SetsError(f"the people behind {place[0]} were recorded for other rows: make its table again")
        if not size:
            continue
        own = row.tobytes()
        if own not in known:
            spread = np.zeros(len(people), dtype=bool)
            spread[mine] = row
            known[own] = number_of.setdefault(np.packbits(spread).tobytes(), len(number_of))
        found[-1] = known[own]
    return found
