"""bias_models: what selection, attrition, missing covariates and measurement error could change."""

from __future__ import annotations

import dagster as dg

from stegvis.assets.analysis_set import analysis_set
from stegvis.assets.cohort import cohort
from stegvis.assets.daily_exposures import daily_exposures
from stegvis.assets.eligible_people import eligible_people
from stegvis.assets.home import WAVES
from stegvis.assets.outcome_questionnaire import outcome_questionnaire
from stegvis.assets.table import table
from stegvis.assets.walking_exposures import walking_exposures
from stegvis.sql import sql_text
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(
    deps=[analysis_set, eligible_people, walking_exposures, daily_exposures, cohort, outcome_questionnaire],
    partitions_def=WAVES,
    group_name="analysis",
    owners=["team:statistics"],
    kinds={"python", "statsmodels"},
    also={"bias_models_people": "Who is behind each of these estimates; never published."},
)
def bias_models(context: dg.AssetExecutionContext, warehouse: Reader, study: Study, made: set[str]) -> Rows:
    """How much selection, attrition, missing covariates, few days and misreported pain could change the estimates."""
    from stegvis.analyses.bias_models import ANALYSES
    from stegvis.storage.wave_people import fit_wave

    everyone = warehouse.frame(sql_text("cohort_selection"))
    return fit_wave("bias_models", ANALYSES, warehouse, study, context.log.info, made, everyone)
