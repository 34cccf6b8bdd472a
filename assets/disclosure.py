"""disclosure: a wave's published tables, and the log of what was suppressed.

The report's page and the release both read ``published_results``, ``published_attrition``,
``published_characteristics`` and ``published_histogram``, which are published with the log in one transaction: no page
shows a count that the release's tables suppress.

What may be published depends on what was published before, so these tables depend on the releases that exist when they
are made. Later releases of an unchanged wave repeat the same numbers, so they never make these tables stale.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import dagster as dg

from stegvis.analyses.histogram import HISTOGRAM_COLUMNS, carry_bins_forward
from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows
from stegvis.disclosure.leaving import control_disclosure
from stegvis.disclosure.tables import Tables
from stegvis.storage.releases import ReleaseError, published_histogram, published_tables

Published = TypeVar("Published")

RESULTS = "select * from fitted_models where wave = getvariable('wave') order by rowid"
ATTRITION = "select * from attrition where wave = getvariable('wave') order by step"
HISTOGRAM = "select * from exposure_histogram where wave = getvariable('wave') order by rowid"
CHARACTERISTICS = "select * from characteristics where wave = getvariable('wave') order by rowid"


def make(build: Build) -> Rows:
    """Suppress small counts, counts that differ little from an earlier release's, and what would reveal either."""
    with build.session() as connection:
        tables = Tables(*(connection.execute(query).df() for query in (RESULTS, ATTRITION, CHARACTERISTICS)))
        counted = connection.execute(HISTOGRAM).df()
    found = control_disclosure(tables, build.protocol, earlier_tables(build))
    build.log.info("disclosure control suppressed %d numbers of wave %s", len(found.suppressed), build.key)
    return Rows(
        found.suppressed,
        also={
            "published_results": found.tables.results,
            "published_attrition": found.tables.attrition,
            "published_characteristics": found.tables.characteristics,
            "published_histogram": carry_bins_forward(
                counted.astype(HISTOGRAM_COLUMNS),
                _of_earlier_releases(published_histogram, build),
                build.protocol.release.rounding_base,
            ),
        },
        summary={"exposed": float(len(found.unprotected))},
        metadata={"held_back": len(found.suppressed)},
    )


def earlier_tables(build: Build) -> list[Tables]:
    """What earlier releases published.

    Raises:
        dagster.Failure: a release cannot be read, so that nobody knows what was published.
    """
    return _of_earlier_releases(published_tables, build)


def _of_earlier_releases(read: Callable[[Path], Published], build: Build) -> Published:
    try:
        return read(build.home.releases)
    except ReleaseError as error:
        raise dg.Failure(f"{error}: without it nobody knows what may still be published", allow_retries=False) from None


RECIPE = Recipe(
    name="disclosure",
    group="reporting",
    description="What is held back of a wave: small counts, and counts too close to an earlier release.",
    partition="wave",
    upstream=("fitted_models", "attrition", "characteristics"),
    make=make,
    protocol=("disclosure", "release.protection_width", "release.rounding", "release.rounding_base",
              "release.carried_forward_share", "additive_interaction.low_categories"),
    kinds=frozenset({"python"}),
    owner="team:statistics",
)  # fmt: skip
