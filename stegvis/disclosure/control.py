"""Disclosure control of the tables of a wave, and of the results across waves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pandas as pd

from stegvis.disclosure.decision import Decision, decide
from stegvis.disclosure.digits import with_published_digits
from stegvis.disclosure.imprecise import without_imprecise, without_too_few
from stegvis.disclosure.people_sets import PeopleSets, SetsError, Source, people_sets
from stegvis.disclosure.rounding import rounded
from stegvis.disclosure.suppression import Controlled, suppressed
from stegvis.disclosure.tables import (
    COUNT_COLUMNS,
    ROW_KEYS,
    Tables,
    attrition_source,
    characteristics_source,
    result_source,
    typed,
)
from stegvis.statistics.results import KEY_COLUMNS
from stegvis.study.protocol import Protocol
from stegvis.study.waves import ACROSS


@dataclass(frozen=True)
class People:
    """The people behind the counts of tables, as they were recorded.

    Attributes:
        results: (rows of results, people recorded for them) of each group of analyses and wave.
        characteristics: people recorded for Table 1, by wave.
        exclusions: ``wave``, ``person``, ``reason``: everyone in the cohort.
    """

    results: list[tuple[pd.DataFrame, pd.DataFrame]]
    characteristics: dict[str, pd.DataFrame] = field(default_factory=dict)
    exclusions: pd.DataFrame | None = None


def control_disclosure(tables: Tables, people: People, protocol: Protocol, before: Tables | None = None) -> Controlled:
    """The tables of a wave as they may be published, the first time or as a new edition of the same people.

    Args:
        tables: as they were computed.
        people: behind their counts.
        protocol: the rules.
        before: what was published of the same people by an earlier method; its sets come first.

    Raises:
        SetsError: the people were recorded for other tables.
    """
    tables = typed(tables)
    sets = people_sets(_sources(tables, people))
    fixed = frozenset(_counted_before(tables, typed(before), sets, protocol)) if before else frozenset()
    return _controlled(tables, sets, decide(tables, sets, protocol, fixed), protocol)


def control_across_waves(
    tables: Tables, published: Tables, people: People, protocol: Protocol, before: pd.DataFrame | None = None
) -> Controlled:
    """The results across waves as they may be published together with the tables of each wave.

    Args:
        tables: of all waves, and the results across them, as they were computed.
        published: the published tables of all waves.
        people: behind the computed counts.
        protocol: the rules.
        before: the results across the same waves as an earlier method gave them; their sets come first.

    Returns:
        The results across waves alone. They have no counts where a published count of a wave is another one today:
        the difference is the people who left or joined.

    Raises:
        SetsError: the people were recorded for other tables.
    """
    tables, published = typed(tables), typed(published)
    across = Tables(
        tables.results[tables.results["wave"] == ACROSS], tables.attrition.iloc[:0], tables.characteristics.iloc[:0]
    )
    sets = people_sets(_sources(tables, people))
    fixed, agree = _published_sets(tables, published, sets, protocol)
    if not agree:
        everything = frozenset(range(len(sets.sizes)))
        return _controlled(across, sets, Decision(everything, 0, every=True), protocol)
    if before is not None:
        fixed |= frozenset(_counted_before(across, typed(Tables.of_results(before)), sets, protocol))
    across_rows = set(across.results.index)
    of_waves = {
        number for (table, row, _), number in sets.of.items() if not (table == "results" and row in across_rows)
    }
    decision = decide(tables, sets, protocol, fixed, frozenset(of_waves) - fixed)
    return _controlled(across, sets, decision, protocol)


def sets_behind(tables: Tables, people: People) -> PeopleSets:
    """The distinct sets of people behind the counts of tables.

    Args:
        tables: as ``typed`` gives them.
        people: as they were recorded.

    Raises:
        SetsError: the people were recorded for other tables.
    """
    return people_sets(_sources(tables, people))


def _controlled(tables: Tables, sets: PeopleSets, decision: Decision, protocol: Protocol) -> Controlled:
    controlled = suppressed(tables, sets, decision, protocol)
    precise = without_imprecise(controlled.tables, protocol)
    # Where every count is suppressed, a main ratio without an estimate does not mean that people were too few.
    kept = precise if decision.every else without_too_few(precise)
    return replace(controlled, tables=with_published_digits(kept, protocol))


def _sources(tables: Tables, people: People) -> Iterator[Source]:
    """The people behind each part of the tables; every row of results with a count must have some."""
    index_of = {key: index for index, key in zip(tables.results.index, _keys(tables.results), strict=True)}
    for rows, members in people.results:
        at = [index_of.get(key, -1) for key in _keys(typed(Tables.of_results(rows)).results)]
        if -1 in at:
            raise SetsError("people were recorded for rows that the results do not have")
        yield result_source(tables.results.loc[at], members)
    for wave, members in people.characteristics.items():
        yield characteristics_source(tables.characteristics[tables.characteristics["wave"] == wave], members)
    if people.exclusions is not None:
        for of_wave, excluded in people.exclusions.groupby("wave", sort=False):
            yield attrition_source(tables.attrition[tables.attrition["wave"] == of_wave], excluded)


def _keys(results: pd.DataFrame) -> list[tuple[str, ...]]:
    return list(results[list(KEY_COLUMNS)].itertuples(index=False, name=None))


def _counted_before(tables: Tables, before: Tables, sets: PeopleSets, protocol: Protocol) -> Iterator[int]:
    """The sets that were published before: those of the same rows with the same counts."""
    for name, column, computed, then in _side_by_side(tables, before):
        today = rounded(computed, protocol.release.rounding, protocol.release.rounding_base)
        for index in computed.index[(then == today).fillna(False)]:
            if (name, index, column) in sets.of:
                yield sets.of[name, index, column]


def _published_sets(
    tables: Tables, published: Tables, sets: PeopleSets, protocol: Protocol
) -> tuple[frozenset[int], bool]:
    """The sets of the waves that are published, and whether every published count is today's."""
    fixed: set[int] = set()
    agree = True
    for name, column, computed, then in _side_by_side(_of_waves(tables), published):
        today = rounded(computed, protocol.release.rounding, protocol.release.rounding_base)
        agree &= bool((then == today).fillna(True).all())
        fixed |= {
            sets.of[name, index, column] for index in computed.index[then.notna()] if (name, index, column) in sets.of
        }
    return frozenset(fixed), agree


def _of_waves(tables: Tables) -> Tables:
    return replace(tables, results=tables.results[tables.results["wave"] != ACROSS])


def _side_by_side(tables: Tables, published: Tables) -> Iterator[tuple[str, str, pd.Series, pd.Series]]:
    """(table, column, computed counts, published counts of the same rows); missing where nothing is published."""
    for name, keys in ROW_KEYS.items():
        computed: pd.DataFrame = getattr(tables, name)
        known = getattr(published, name).drop_duplicates(keys).set_index(keys)
        found = known.reindex(pd.MultiIndex.from_frame(computed[keys]))
        for column in COUNT_COLUMNS[name]:
            yield name, column, computed[column], found[column].astype("Int64").set_axis(computed.index)
