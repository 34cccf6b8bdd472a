"""disclosure: a wave's published tables, and the log of what was suppressed.

The report's page and the release both read ``published_results``, ``published_attrition``,
``published_characteristics`` and ``published_histogram``, which are published with the log in one transaction: no page
shows a count that the release's tables suppress.

A wave is published once. Once it is in a release, these tables repeat that release's numbers, whatever has changed in
the home since; another method with unchanged deliveries makes a new edition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from stegvis.analyses.histogram import HISTOGRAM_COLUMNS
from stegvis.assets.building.build import Build
from stegvis.assets.building.publication import ORIGIN, is_new_edition, origin_now, published_before
from stegvis.assets.building.recipe import Recipe, Rows
from stegvis.assets.fitted_models import GROUPS
from stegvis.disclosure.control import People, control_disclosure
from stegvis.disclosure.published import of_wave, with_shared_baseline
from stegvis.disclosure.suppression import SUPPRESSED_COLUMNS, Controlled
from stegvis.disclosure.tables import Tables, typed

OF_WAVE = "where wave = getvariable('wave')"
RESULTS = f"select * from fitted_models {OF_WAVE} order by rowid"
ATTRITION = f"select * from attrition {OF_WAVE} order by step"
HISTOGRAM = f"select * from exposure_histogram {OF_WAVE} order by rowid"
CHARACTERISTICS = f"select * from characteristics {OF_WAVE} order by rowid"
EXCLUSIONS = f"select wave, person, reason from exclusions {OF_WAVE} order by person"


def make(build: Build) -> Rows:
    """The numbers published before; of a new wave those that no small count can be derived from."""
    before, now = published_before(build), origin_now(build, build.key)
    carried = of_wave(before.tables, build.key) if before else None
    if before and carried and not is_new_edition(before, build.key, now):
        build.log.info("the numbers of wave %s are carried forward", build.key)
        log = pd.DataFrame(before.suppressed, columns=list(SUPPRESSED_COLUMNS)).astype("str")
        mine = before.histogram["wave"].astype("str") == build.key
        found = Controlled(typed(carried), log[log["wave"] == build.key], 0)
        return _rows(build, found, before.histogram[mine], before.origin(build.key))
    computed = Tables(*build.read_each(RESULTS, ATTRITION, CHARACTERISTICS))
    people = People(
        [_with_people(build, group) for group in GROUPS],
        {build.key: build.read(f"select * from characteristics_people {OF_WAVE}")},
        build.read(EXCLUSIONS),
    )
    found = control_disclosure(computed, people, build.protocol, carried)
    if before and not carried:
        smallest = build.protocol.disclosure.smallest_count
        found = replace(found, tables=with_shared_baseline(found.tables, before.tables, smallest))
    build.log.info("disclosure control suppressed %d numbers of wave %s", len(found.suppressed), build.key)
    return _rows(build, found, build.read(HISTOGRAM), now)


def _with_people(build: Build, group: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of a group of analyses (a constant, never input), and the people behind them."""
    rows, people = build.read_each(
        f"select * from {group} {OF_WAVE} order by rowid", f"select * from {group}_people {OF_WAVE}"
    )
    return rows, people


def _rows(build: Build, found: Controlled, histogram: pd.DataFrame, origin: Mapping[str, str]) -> Rows:
    made_from = pd.DataFrame([{"wave": build.key, **{name: origin.get(name, "") for name in ORIGIN}}])
    return Rows(
        found.suppressed,
        also={
            "published_results": found.tables.results,
            "published_attrition": found.tables.attrition,
            "published_characteristics": found.tables.characteristics,
            "published_histogram": histogram.astype(HISTOGRAM_COLUMNS),
            "published_origins": made_from,
        },
        summary={"exposed": float(found.unprotected)},
        metadata={"held_back": len(found.suppressed)},
    )


RECIPE = Recipe(
    name="disclosure",
    group="reporting",
    description="What is held back of a wave: small counts, and counts too close to an earlier release.",
    partition="wave",
    upstream=(*GROUPS, "fitted_models", "attrition", "characteristics", "exclusions"),
    make=make,
    protocol=("disclosure", "exposures", "release.protection_width", "release.rounding", "release.rounding_base",
              "release.digits"),
    kinds=frozenset({"python"}),
    owner="team:statistics",
)  # fmt: skip
