"""The numbers of a release: what each wave publishes, and the results across waves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pandas as pd

from stegvis.disclosure.audit import refusal
from stegvis.disclosure.control import People, control_across_waves
from stegvis.disclosure.published import across_of, of_wave, retracted, without_numbers
from stegvis.disclosure.suppression import SUPPRESSED_COLUMNS, Controlled
from stegvis.disclosure.tables import Tables
from stegvis.statistics.results import GROUPS, RESULT_COLUMNS
from stegvis.storage.editions import everyone, is_granted
from stegvis.storage.lost import Lost
from stegvis.storage.publication import origin_now
from stegvis.storage.published_people import PublishedPeople, digests
from stegvis.storage.releases import Published, ReleaseError
from stegvis.storage.retraction import retracted_waves
from stegvis.storage.sources import Sources
from stegvis.study.waves import ACROSS

# In the place of results across waves that were published by a release that is gone.
NOT_AGAIN = "not published again: an earlier release is gone"


def check_editions(root: Path, published: Published | None, gone: Lost, new: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse a release with an edition whose audit did not pass, or with a wave whose own release is gone.

    Args:
        root: the home's folder.
        published: by the newest release.
        gone: releases that are gone.
        new: what the numbers of the waves that are published now were made from, by wave.

    Raises:
        ReleaseError: with the sentence of the refusal.
    """
    for wave, origin in new.items():
        if gone.holds(wave):
            raise ReleaseError(gone.sentence(wave))
        known = published is not None and not gone.is_gone(wave) and of_wave(published.tables, wave) is not None
        if not known or published is None:
            continue
        same_people = published.origin(wave).get("deliveries") == origin["deliveries"]
        if not same_people and not is_granted(root, wave, origin):
            raise ReleaseError(refusal(wave))


def computed_tables(sources: Sources) -> tuple[Tables, People]:
    """The tables of all published waves and across them as they were computed, and the people behind their counts."""
    with sources.warehouse.session() as connection:
        waves = "where wave in (select wave from published_results)"
        fitted = connection.execute(f"select * from fitted_models {waves} order by wave, rowid").df()
        pooled = connection.execute("select * from pooled_models order by rowid").df()
        computed = Tables(
            pd.concat([fitted, pooled], ignore_index=True),
            connection.execute(f"select * from attrition {waves} order by wave, step").df(),
            connection.execute(f"select * from characteristics {waves} order by wave, rowid").df(),
        )
        groups = [_with_people(connection, group, waves) for group in (*GROUPS, "pooled_models")]
        excluded = connection.execute(f"select wave, person, reason from exclusions {waves} order by wave, person").df()
        table_one = connection.execute(f"select * from characteristics_people {waves}").df()
    people = People(
        [each for pair in groups for each in _by_wave(*pair)],
        {str(wave): rows for wave, rows in table_one.groupby("wave")},
        excluded,
    )
    return computed, people


def everything_to_publish(
    sources: Sources, published: Published | None, gone: Lost, computed: tuple[Tables, People]
) -> tuple[Controlled, dict[str, str]]:
    """Everything that may be published, and what the results across waves come from.

    These are published once for each set of waves, and again only by another method with the same deliveries.

    Args:
        sources: the home.
        published: by the newest release.
        gone: releases that are gone.
        computed: see ``computed_tables``.
    """
    with sources.warehouse.session() as connection:
        tables = Tables(
            connection.execute("select * from published_results order by wave, rowid").df(),
            connection.execute("select * from published_attrition order by wave, step").df(),
            connection.execute("select * from published_characteristics order by wave, rowid").df(),
        )
        suppressed = connection.execute("select * from disclosure order by wave, rowid").df()
    waves = [str(wave) for wave in tables.attrition["wave"].unique()]
    again = across_of(published.tables, waves) if published else None
    now = origin_now(sources, ACROSS)
    then = published.waves.get(ACROSS, {}) if published else {}
    other_method = then.get("deliveries") == now["deliveries"] and then.get("method") != now["method"]
    if published and again is not None and not other_method:
        log = pd.DataFrame(published.suppressed, columns=list(SUPPRESSED_COLUMNS)).astype("str")
        across = Controlled(Tables.of_results(again.astype(RESULT_COLUMNS)), log[log["wave"] == ACROSS], 0)
        origin = {str(name): str(value) for name, value in then.items()}
    else:
        across, origin = control_across_waves(computed[0], tables, computed[1], sources.protocol, again), now
        if any(gone.is_gone(wave) for wave in waves):
            across = Controlled(without_numbers(across.tables, {ACROSS}, NOT_AGAIN), across.suppressed, 0)
    suppressed = pd.concat([suppressed, across.suppressed], ignore_index=True)
    sources.log.info("disclosure control suppressed %d numbers", len(suppressed))
    results = pd.concat([tables.results.astype(RESULT_COLUMNS), across.tables.results], ignore_index=True)
    every = Tables(results, tables.attrition, tables.characteristics)
    found = Controlled(retracted(every, retracted_waves(sources.home.root)), suppressed, across.unprotected)
    return found, origin


def across_origin(origin: Mapping[str, str], release: str) -> dict[str, dict[str, str]]:
    """What the manifest says of the results across waves."""
    return {ACROSS: {"release": release, **origin}} if origin else {}


def published_now(sources: Sources, release: str, waves: list[str]) -> dict[str, PublishedPeople]:
    """The people behind the numbers of waves that a release publishes for the first time, or anew.

    Args:
        sources: the home.
        release: its name.
        waves: which.
    """
    found = {}
    for wave in waves:
        rows = digests(sources.home.root, everyone(sources, wave))
        counts = int(rows["analyzed"].sum()), len(rows)
        found[wave] = PublishedPeople(release, *counts, rows, sources.protocol.identifiers.stored)
    return found


def _with_people(connection: duckdb.DuckDBPyConnection, group: str, waves: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a group of analyses (a constant, never input), and the people behind them."""
    of_waves = "" if group == "pooled_models" else waves
    rows = connection.execute(f"select * from {group} {of_waves} order by rowid").df()
    return rows, connection.execute(f"select * from {group}_people {of_waves}").df()


def _by_wave(rows: pd.DataFrame, people: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Each wave's rows with their people; those across waves count people of several waves."""
    for wave, mine in rows.groupby("wave", sort=False):
        yield mine, people if wave == ACROSS else people[people["wave"] == wave]
