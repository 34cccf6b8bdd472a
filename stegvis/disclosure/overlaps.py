"""Sets of people, and how many people each two of them have in common.

Nearly everything that disclosure control asks follows from these numbers: which sets are nested or disjoint, which are
the sum of others, and what lies in their linear span.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

# Columns that are turned into numbers at once; so many sets of people stay small in memory.
_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Sets of people over groups of people who are in the same sets.

    Attributes:
        matrix: S x G (bool), which groups are in which set.
        people: G, the people in each group; by default one.
        common: S x S, the people that each two sets have in common; whole numbers.
        sizes: S, the people in each set.
    """

    matrix: np.ndarray
    people: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype="int64"))
    common: np.ndarray = field(init=False)
    sizes: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        if not len(self.people):
            object.__setattr__(self, "people", np.ones(self.matrix.shape[1], dtype="int64"))
        common = _common(self.matrix, self.people)
        object.__setattr__(self, "common", common)
        object.__setattr__(self, "sizes", common.diagonal().astype("int64"))


def alike(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The columns that are equal: the group of each column, and the size of each group.

    Args:
        matrix: S x N (bool), who is in which set.
    """
    return group_rows(np.packbits(np.ascontiguousarray(matrix.T), axis=1))


def group_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The equal rows of bytes: the group of each row, in the order of their first row, and the size of each group."""
    names = np.empty(len(rows), dtype="object")
    names[:] = [row.tobytes() for row in np.ascontiguousarray(rows)]
    group, _ = pd.factorize(names)
    return group, np.bincount(group)


def _common(matrix: np.ndarray, people: np.ndarray) -> np.ndarray:
    """``matrix @ diag(people) @ matrix.T``, exact: whole numbers up to 2**24 are exact in a float32."""
    found = np.zeros((len(matrix), len(matrix)))
    alone = people == 1
    for start in range(0, matrix.shape[1], _AT_ONCE):
        some = slice(start, start + _AT_ONCE)
        single = matrix[:, some][:, alone[some]].astype("float32")
        found += single @ single.T
        several = matrix[:, some][:, ~alone[some]].astype("float32")
        found += (several * people[some][~alone[some]].astype("float32")) @ several.T
    return found
