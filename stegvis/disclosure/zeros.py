"""Class disclosure: nobody, or everybody, of a group has the outcome or a characteristic.

Such a number says something of each person in the group, however large it is. Where the protocol says that zeros are
disclosive (as acro's ``zeros_are_disclosive``), it is suppressed, and so is a number next to it in each sum that it is
a part of: that one must then not follow from the others either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from stegvis.analyses.characteristics import PEOPLE
from stegvis.disclosure.people_sets import PeopleSets, Place
from stegvis.disclosure.tables import Tables, groups_of_rows


@dataclass(frozen=True)
class Zeros:
    """Numbers about everybody or nobody of a group.

    Attributes:
        places: where they are.
        partners: sets that are suppressed with them, and must not be derived.
    """

    places: frozenset[Place] = frozenset()
    partners: frozenset[int] = frozenset()


def zeros(tables: Tables, sets: PeopleSets) -> Zeros:
    """The numbers about everybody or nobody of a group, and what protects them."""
    places = frozenset([*_of_results(tables.results), *_of_table_one(tables.characteristics)])
    partners: set[int] = set()
    for name, differing, column, rows in groups_of_rows(tables):
        closed = [index for index in rows if (name, index, column) in places]
        if not closed:
            continue
        others = [index for index in rows if index not in closed and (name, index, column) in sets.of]
        if differing == "population":  # strata of one thing or of another: whoever is not in the group
            partners |= {
                sets.of[name, other, column] for other in others for index in closed if _disjoint(sets, index, other)
            }
        elif others:
            partners.add(min((sets.of[name, other, column] for other in others), key=lambda each: sets.sizes[each]))
    return Zeros(places, frozenset(partners))


def _of_results(results: pd.DataFrame) -> Iterator[Place]:
    extreme = (results["events"] == 0) | (results["events"] == results["n"])
    yield from (("results", index, "events") for index in results.index[extreme.fillna(False)])


def _of_table_one(table: pd.DataFrame) -> Iterator[Place]:
    keys = ["wave", "exposure", "category"]
    people = table[table["variable"] == PEOPLE].drop_duplicates(keys).set_index(keys)["n"]
    everyone = people.reindex(pd.MultiIndex.from_frame(table[keys])).set_axis(table.index)
    extreme = (table["level"] != "") & ((table["n"] == 0) | (table["n"] == everyone))
    yield from (("characteristics", index, "n") for index in table.index[extreme.fillna(False)])


def _disjoint(sets: PeopleSets, one: object, other: object) -> bool:
    first, second = (sets.of.get(("results", index, "n")) for index in (one, other))
    return first is not None and second is not None and not sets.overlaps.common[first, second]
