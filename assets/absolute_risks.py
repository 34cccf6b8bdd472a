"""absolute_risks: standardized risks, risk differences and numbers needed of a wave."""

from __future__ import annotations

import dagster as dg

from stegvis.assets.analysis_set import analysis_set
from stegvis.assets.daily_exposures import daily_exposures
from stegvis.assets.eligible_people import eligible_people
from stegvis.assets.home import WAVES
from stegvis.assets.table import table
from stegvis.assets.walking_exposures import walking_exposures
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(
    deps=[analysis_set, eligible_people, walking_exposures, daily_exposures],
    partitions_def=WAVES,
    group_name="analysis",
    owners=["team:statistics"],
    kinds={"python", "statsmodels"},
    also={"absolute_risks_people": "Who is behind each of these estimates; never published."},
)
def absolute_risks(context: dg.AssetExecutionContext, warehouse: Reader, study: Study, made: set[str]) -> Rows:
    """Standardized risks, differences, numbers needed; the same ratios by other estimators; overlap of categories."""
    from stegvis.analyses.absolute_risks import ANALYSES
    from stegvis.storage.wave_people import fit_wave

    return fit_wave("absolute_risks", ANALYSES, warehouse, study, context.log.info, made)
