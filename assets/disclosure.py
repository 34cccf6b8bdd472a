"""disclosure: a wave's published tables, and the log of what was suppressed.

The report's page and the release both read ``published_results``, ``published_attrition``,
``published_characteristics`` and ``published_histogram``, which are published with the log in one transaction: no page
shows a count that the release's tables suppress.

What may be published depends on what was published before, so these tables depend on the releases that exist when they
are made. Later releases of an unchanged wave repeat the same numbers, so they never make these tables stale.
"""

from __future__ import annotations

import dagster as dg

from stegvis.analyses.histogram import HISTOGRAM_COLUMNS, carry_bins_forward
from stegvis.assets.attrition import attrition
from stegvis.assets.characteristics import characteristics
from stegvis.assets.fitted_models import fitted_models
from stegvis.assets.home import WAVES, StegvisHome
from stegvis.assets.table import table
from stegvis.disclosure.leaving import control_disclosure
from stegvis.disclosure.tables import Tables
from stegvis.reporting.thumbnails import wave_pictures
from stegvis.storage.reader import Reader
from stegvis.storage.releases import published_histogram, published_tables
from stegvis.storage.rows import Rows
from stegvis.study.study import Study

RESULTS = "select * from fitted_models where wave = getvariable('wave') order by rowid"
ATTRITION = "select * from attrition where wave = getvariable('wave') order by step"
HISTOGRAM = "select * from exposure_histogram where wave = getvariable('wave') order by rowid"
CHARACTERISTICS = "select * from characteristics where wave = getvariable('wave') order by rowid"


@table(
    deps=[fitted_models, attrition, characteristics],
    partitions_def=WAVES,
    group_name="reporting",
    owners=["team:statistics"],
    kinds={"python"},
    also={
        "published_results": "The estimates of a wave that may be published.",
        "published_attrition": "The exclusion steps of a wave that may be published.",
        "published_characteristics": "Table 1 of a wave as it may be published.",
        "published_histogram": "The histogram of each exposure as it may be published.",
    },
)
def disclosure(context: dg.AssetExecutionContext, warehouse: Reader, study: Study, home: StegvisHome) -> Rows:
    """What is suppressed in a wave: small counts, and counts too close to an earlier release."""
    tables = Tables(*warehouse.frames(RESULTS, ATTRITION, CHARACTERISTICS))
    counted = warehouse.frame(HISTOGRAM).astype(HISTOGRAM_COLUMNS)
    wave, protocol, releases = context.partition_key, study.protocol, home.home().releases
    found = control_disclosure(tables, protocol, published_tables(releases))
    bins = carry_bins_forward(counted, published_histogram(releases), protocol.release.rounding_base)
    context.log.info("disclosure control suppressed %d numbers of wave %s", len(found.suppressed), wave)
    synthetic = home.landing().synthetic
    return Rows(
        found.suppressed,
        also={
            "published_results": found.tables.results,
            "published_attrition": found.tables.attrition,
            "published_characteristics": found.tables.characteristics,
            "published_histogram": bins,
        },
        summary={"exposed": float(len(found.unprotected))},
        metadata={"suppressed": len(found.suppressed)},
        pictures=lambda: wave_pictures(found.tables.attrition, found.tables.results, wave, synthetic, protocol),
    )
