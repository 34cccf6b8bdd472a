"""The numbers of a wave to publish: those of the release that published it, or those that disclosure control allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from stegvis.analyses.histogram import HISTOGRAM_COLUMNS
from stegvis.disclosure.control import People, control_disclosure
from stegvis.disclosure.published import of_wave, with_shared_baseline
from stegvis.disclosure.suppression import SUPPRESSED_COLUMNS, Controlled
from stegvis.disclosure.tables import Tables, typed
from stegvis.reporting.thumbnails import wave_pictures
from stegvis.statistics.results import GROUPS
from stegvis.storage.publication import ORIGIN, is_new_edition, origin_now
from stegvis.storage.releases import newest_published
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
    """The numbers published before; of a new wave those from which no small count can be derived.

    Raises:
        ReleaseError: an earlier release cannot be read.
    """
    wave, warehouse = sources.key, sources.warehouse
    before, now = newest_published(sources.home.releases), origin_now(sources, wave)
    carried = of_wave(before.tables, wave) if before else None
    gone = retracted_waves(sources.home.root) & {wave}
    if before and carried and (gone or not is_new_edition(before, wave, now)):
        sources.log.info("the numbers of wave %s are %s", wave, "retracted" if gone else "carried forward")
        log = pd.DataFrame(before.suppressed, columns=list(SUPPRESSED_COLUMNS)).astype("str")
        mine = before.histogram["wave"].astype("str") == wave
        found = Controlled(typed(carried), log[log["wave"] == wave], 0)
        return _rows(sources, found, before.histogram[mine], before.origin(wave))
    people = People(
        [_with_people(sources, group) for group in GROUPS],
        {wave: warehouse.frame(TABLE_ONE_PEOPLE)},
        warehouse.frame(EXCLUSIONS),
    )
    computed = Tables(*warehouse.frames(RESULTS, ATTRITION, CHARACTERISTICS))
    found = control_disclosure(computed, people, sources.protocol, carried)
    if before and not carried:
        smallest = sources.protocol.disclosure.smallest_count
        found = replace(found, tables=with_shared_baseline(found.tables, before.tables, smallest))
    sources.log.info("disclosure control suppressed %d numbers of wave %s", len(found.suppressed), wave)
    return _rows(sources, found, warehouse.frame(HISTOGRAM), now)


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
            "published_origins": pd.DataFrame([{"wave": wave, **{name: origin.get(name, "") for name in ORIGIN}}]),
        },
        summary={"unprotected": float(found.unprotected)},
        metadata={"suppressed": len(found.suppressed)},
        pictures=lambda: wave_pictures(tables.attrition, tables.results, wave, synthetic, sources.protocol),
    )
