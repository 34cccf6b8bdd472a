"""The tables of a wave or a release, and the sets of people behind their numbers.

Which rows belong together (a block of disjoint rows, people with their cases) is read from the rows' keys and held
against the recorded people: names never decide what is protected.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd

from stegvis.analyses.characteristics import CHARACTERISTICS_COLUMNS
from stegvis.disclosure.people_sets import PeopleSets, Place, Source
from stegvis.statistics.results import KEY_COLUMNS, RESULT_COLUMNS

ROW_KEYS = {
    "results": list(KEY_COLUMNS),
    "attrition": ["wave", "rule"],
    "characteristics": ["wave", "exposure", "category", "variable", "level"],
}
COUNT_COLUMNS = {"results": ("n", "events"), "attrition": ("excluded", "remaining"), "characteristics": ("n",)}
# The rows of a block differ in these columns alone.
_DIFFERING = {"results": ("level", "population"), "attrition": ("rule",), "characteristics": ("category", "level")}
# Among so many rows every combination is tried: women and men, younger and older are two blocks of four rows.
_FEW_ROWS = 6


@dataclass(frozen=True)
class Tables:
    """The tables of a release, or of a wave.

    Attributes:
        results: columns of ``stegvis.statistics.results.RESULT_COLUMNS``.
        attrition: ``wave``, ``step``, ``rule``, ``excluded``, ``remaining``, ``status``; in order.
        characteristics: columns of ``stegvis.analyses.characteristics.CHARACTERISTICS_COLUMNS``.
    """

    results: pd.DataFrame
    attrition: pd.DataFrame
    characteristics: pd.DataFrame

    @classmethod
    def of_results(cls, results: pd.DataFrame) -> Tables:
        """Results alone."""
        steps = pd.DataFrame(columns=["wave", "step", "rule", "excluded", "remaining", "status"])
        return cls(results, steps, pd.DataFrame(columns=list(CHARACTERISTICS_COLUMNS)))


def typed(tables: Tables) -> Tables:
    """Tables read back from a database or file come with other types, in which a count cannot be missing."""
    results = tables.results.reset_index(drop=True)
    texts = [name for name, kind in RESULT_COLUMNS.items() if kind == "str"]
    results = results.astype(RESULT_COLUMNS | dict.fromkeys(texts, "object"))
    results[texts] = results[texts].fillna("")
    steps = {"step": "int32", "excluded": "Int64", "remaining": "Int64"}
    table_one = tables.characteristics.reset_index(drop=True).astype(CHARACTERISTICS_COLUMNS | {"level": "object"})
    table_one["level"] = table_one["level"].fillna("")
    return Tables(
        results.astype(RESULT_COLUMNS),
        tables.attrition.reset_index(drop=True).astype(steps),
        table_one.astype(CHARACTERISTICS_COLUMNS),
    )


def result_source(results: pd.DataFrame, members: pd.DataFrame) -> Source:
    """Results (with their own index) and the people recorded for their rows, in the same order."""
    places = [("results", index, column) for index in results.index for column in ("n", "events")]
    return Source(members, places, _counts(results, ("n", "events")))


def characteristics_source(table: pd.DataFrame, members: pd.DataFrame) -> Source:
    """Table 1 and the people recorded for its rows, in the same order; it counts no events."""
    places: list[Place | None] = []
    counts: list[int | None] = []
    for index, count in zip(table.index, _counts(table, ("n",)), strict=True):
        places += [("characteristics", index, "n"), None]
        counts += [count, None]
    return Source(members, places, counts)


def attrition_source(steps: pd.DataFrame, exclusions: pd.DataFrame) -> Source:
    """The exclusion steps of a wave, and the people behind them.

    Args:
        steps: as in ``Tables``, of one wave.
        exclusions: ``wave``, ``person``, ``reason`` (the first step that excludes; missing for the analyzed).
    """
    order = {str(rule): position for position, rule in enumerate(steps["rule"])}
    out = exclusions["reason"].map(order).fillna(len(order)).to_numpy(dtype="int64")
    bits = np.array([who for at in range(len(order)) for who in (out == at, out > at)], dtype=bool)
    packed = np.packbits(bits.reshape(2 * len(order), len(out)), axis=0).T
    numbers = pd.Series([row.tobytes() for row in packed], index=exclusions.index, dtype="object")
    places = [("attrition", index, column) for index in steps.index for column in ("excluded", "remaining")]
    return Source(exclusions.assign(numbers=numbers), places, _counts(steps, ("excluded", "remaining")))


def pairs(tables: Tables, sets: PeopleSets) -> list[tuple[int, int]]:
    """(people, cases) of the rows that count both."""
    found = []
    for index in tables.results.index:
        people, cases = (sets.of.get(("results", index, column)) for column in ("n", "events"))
        if people is not None and cases is not None:
            found.append((people, cases))
    return list(dict.fromkeys(found))


def blocks(tables: Tables, sets: PeopleSets) -> list[tuple[int, ...]]:
    """Sets of rows that have nobody in common and differ in one thing: categories, strata, levels, steps."""
    return list(dict.fromkeys(tuple(each.values()) for each in _blocks(tables, sets)))


def categories(tables: Tables, sets: PeopleSets) -> set[Hashable]:
    """Rows of results about one part of several: their estimate says nearly what their counts say."""
    found: set[Hashable] = set()
    for block in _blocks(tables, sets):
        found |= {place[1] for place in block if place[0] == "results"}
    return found


def groups_of_rows(tables: Tables) -> Iterator[tuple[str, str, str, list[Hashable]]]:
    """(table, the column in which they differ, the column of a count, rows): what may be a total and its parts."""
    for name, apart in _DIFFERING.items():
        frame: pd.DataFrame = getattr(tables, name)
        for differing in apart:
            rows: dict[tuple[object, ...], list[Hashable]] = {}
            keys = frame[[key for key in ROW_KEYS[name] if key != differing]]
            for index, key in zip(frame.index, zip(*(keys[each] for each in keys), strict=True), strict=True):
                rows.setdefault(key, []).append(index)
            for mine, column in product(rows.values(), COUNT_COLUMNS[name]):
                yield name, differing, column, mine


def _blocks(tables: Tables, sets: PeopleSets) -> Iterator[dict[Place, int]]:
    for name, _, column, rows in groups_of_rows(tables):
        places: list[Place] = [(name, index, column) for index in rows]
        yield from _apart({place: sets.of[place] for place in places if place in sets.of}, sets)


def _apart(rows: dict[Place, int], sets: PeopleSets) -> Iterator[dict[Place, int]]:
    """The largest blocks of disjoint sets among rows: all of them, or (of few rows) some."""
    found: list[set[int]] = []
    distinct = list(dict.fromkeys(rows.values()))
    fewest = 2 if len(distinct) <= _FEW_ROWS else len(distinct)
    for size in range(len(distinct), max(fewest, 2) - 1, -1):
        for block in combinations(distinct, size):
            if not any(set(block) <= each for each in found) and _disjoint(block, sets):
                found.append(set(block))
                yield {place: number for place, number in rows.items() if number in block}


def _disjoint(block: Sequence[int], sets: PeopleSets) -> bool:
    common = sets.overlaps.common[np.ix_(block, block)]
    return bool(common.sum() == common.trace())


def _counts(frame: pd.DataFrame, columns: Sequence[str]) -> list[int | None]:
    values: Mapping[str, list[int | None]] = {
        column: [None if pd.isna(count) else int(count) for count in frame[column]] for column in columns
    }
    return [count for row in zip(*values.values(), strict=True) for count in row]
