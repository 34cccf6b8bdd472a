"""risk_ratios: the published models of a wave."""

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
    kinds={"python"},
    also={"risk_ratios_people": "Who is behind each of these estimates; never published."},
)
def risk_ratios(context: dg.AssetExecutionContext, warehouse: Reader, study: Study, made: set[str]) -> Rows:
    """Risk ratios of both exposures, overall and in subgroups, with trends, the joint table and interactions."""
    from stegvis.analyses.risk_ratios import ANALYSES
    from stegvis.storage.wave_people import fit_wave

    return fit_wave("risk_ratios", ANALYSES, warehouse, study, context.log.info, made)
