"""The numbers of a wave to publish: those of the release that published it, or those that disclosure control allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pandas as pd

from stegvis.analyses.histogram import HISTOGRAM_COLUMNS
from stegvis.disclosure.control import People, control_disclosure, sets_behind
from stegvis.disclosure.people_sets import PeopleSets
from stegvis.disclosure.published import of_wave, with_main_ratios, with_shared_baseline, without_shared_baseline
from stegvis.disclosure.suppression import SUPPRESSED_COLUMNS, Controlled
from stegvis.disclosure.tables import Tables, typed
from stegvis.reporting.thumbnails import wave_pictures
from stegvis.statistics.results import GROUPS
from stegvis.storage.decisions import ORIGIN
from stegvis.storage.editions import edition, kind_of
from stegvis.storage.lost import lost
from stegvis.storage.publication import EDITION, origin_now
from stegvis.storage.releases import Published, ReleaseError, newest_published
from stegvis.storage.report_inputs import study_words
from stegvis.storage.retraction import retracted_waves
from stegvis.storage.rows import Rows
from stegvis.storage.sources import Sources

OF_WAVE = "where wave = getvariable('wave')"
RESULTS = f"select * from fitted_models {OF_WAVE} order by rowid"
ATTRITION = f"select * from attrition {OF_WAVE} order by step"
HISTOGRAM = f"select * from exposure_histogram {OF_WAVE} order by rowid"
CHARACTERISTICS = f"select * from characteristics {OF_WAVE} order by rowid"
TABLE_ONE_PEOPLE = f"select * from characteristics_people {OF_WAVE}"
EXCLUSIONS = f"select wave, person, reason from exclusions {OF_WAVE} order by person"


def wave_to_publish(sources: Sources) -> Rows:
    """The numbers published before, or a new edition of them; of a new wave those that disclosure control allows.

    Raises:
        ReleaseError: an earlier release cannot be read, or the wave's own is gone and nobody has decided.
    """
    wave = sources.key
    gone = lost(sources.home.releases)
    if gone.holds(wave):
        raise ReleaseError(gone.sentence(wave))
    before, now = newest_published(sources.home.releases), origin_now(sources, wave)
    carried = of_wave(before.tables, wave) if before and not gone.is_gone(wave) else None
    computed = cache(lambda: _computed(sources))  # a wave that is carried forward needs none of it
    if not before or not carried:
        found = control_disclosure(*computed(), sources.protocol)
        if before:
            smallest = sources.protocol.disclosure.smallest_count
            found = replace(found, tables=with_shared_baseline(found.tables, before.tables, smallest))
        elif gone.missing:
            found = replace(found, tables=without_shared_baseline(found.tables))
        return _anew(sources, found, now, "")
    then = before.origin(wave)
    is_retracted = wave in retracted_waves(sources.home.root)
    new = None if is_retracted else edition(sources, then, now, lambda: _with_sets(*computed()))
    if new and new.whole:
        found = control_disclosure(*computed(), sources.protocol, carried)
        if _others_have_changed(sources, before):
            smallest = sources.protocol.disclosure.smallest_count
            found = replace(found, tables=with_shared_baseline(found.tables, carried, smallest))
        return _anew(sources, found, now, new.kind or kind_of(carried.results, found.tables.results))
    sources.log.info("the numbers of wave %s are %s", wave, "retracted" if is_retracted else "carried forward")
    log = pd.DataFrame(before.suppressed, columns=list(SUPPRESSED_COLUMNS)).astype("str")
    found = Controlled(typed(carried), log[log["wave"] == wave], 0)
    histogram = before.histogram[before.histogram["wave"].astype("str") == wave]
    if new is None:
        return _rows(sources, found, histogram, then)
    found = replace(found, tables=with_main_ratios(found.tables, computed()[0].results, new.decimals, new.kind))
    return _rows(sources, found, histogram, {**now, EDITION: new.kind})


def _others_have_changed(sources: Sources, before: Published) -> bool:
    """Whether people may have left or changed since another wave was published, which is then carried forward.

    Counts of the shared baseline that were made today, beside those of that wave, would say how many.
    """
    waves = before.tables.attrition["wave"].astype("str").unique()
    return any(
        before.origin(wave).get("deliveries") != origin_now(sources, wave)["deliveries"]
        for wave in waves
        if wave != sources.key
    )


def _computed(sources: Sources) -> tuple[Tables, People]:
    """The tables of the wave as they were computed, and the people behind their counts."""
    warehouse = sources.warehouse
    with warehouse.session():  # opened once, of one moment
        people = People(
            [_with_people(sources, group) for group in GROUPS],
            {sources.key: warehouse.frame(TABLE_ONE_PEOPLE)},
            warehouse.frame(EXCLUSIONS),
        )
        return Tables(*warehouse.frames(RESULTS, ATTRITION, CHARACTERISTICS)), people


def _with_sets(computed: Tables, people: People) -> tuple[pd.DataFrame, PeopleSets]:
    tables = typed(computed)
    return tables.results, sets_behind(tables, people)


def _anew(sources: Sources, found: Controlled, now: Mapping[str, str], kind: str) -> Rows:
    sources.log.info("disclosure control suppressed %d numbers of wave %s", len(found.suppressed), sources.key)
    return _rows(sources, found, sources.warehouse.frame(HISTOGRAM), {**now, EDITION: kind})


def _with_people(sources: Sources, group: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a group of analyses (a constant, never input), and the people behind them."""
    rows, people = sources.warehouse.frames(
        f"select * from {group} {OF_WAVE} order by rowid", f"select * from {group}_people {OF_WAVE}"
    )
    return rows, people


def _rows(sources: Sources, found: Controlled, histogram: pd.DataFrame, origin: Mapping[str, str]) -> Rows:
    wave, synthetic, tables = sources.key, sources.landing.synthetic, found.tables
    return Rows(
        found.suppressed,
        also={
            "published_results": tables.results,
            "published_attrition": tables.attrition,
            "published_characteristics": tables.characteristics,
            "published_histogram": histogram.astype(HISTOGRAM_COLUMNS),
            "published_origins": pd.DataFrame(
                [{"wave": wave, **{name: origin.get(name, "") for name in (*ORIGIN, EDITION)}}]
            ),
        },
        summary={"unprotected": float(found.unprotected)},
        metadata={"suppressed": len(found.suppressed)},
        pictures=lambda: wave_pictures(tables.attrition, tables.results, wave, synthetic, study_words(sources.study)),
    )
