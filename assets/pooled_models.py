"""pooled_models: repeated-outcome models across all waves."""

from __future__ import annotations

from stegvis.assets.analysis_set import analysis_set
from stegvis.assets.cohort import cohort
from stegvis.assets.outcome_questionnaire import outcome_questionnaire
from stegvis.assets.table import table
from stegvis.assets.walking_exposures import walking_exposures
from stegvis.sql import sql_text
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(
    deps=[analysis_set, cohort, walking_exposures, outcome_questionnaire],
    group_name="analysis",
    owners=["team:statistics"],
    kinds={"python"},
    also={"pooled_models_people": "Who is behind each estimate across waves; never published."},
)
def pooled_models(warehouse: Reader, study: Study) -> Rows:
    """Models across all waves: pooled, by wave, the course of pain, and what a next wave would add."""
    from stegvis.analyses.across_waves import rows_across_waves
    from stegvis.statistics.levels import covariate_levels
    from stegvis.statistics.results import members_of, to_frame
    from stegvis.study.covariates import composed

    stacked = warehouse.frame("select * from analysis_set order by wave, person")
    histories = warehouse.frame(composed("pain_histories", sql_text("pain_histories"), study.codebook))
    rows = rows_across_waves(stacked, histories, study.protocol, covariate_levels(study.codebook))
    return Rows(to_frame(rows), also={"pooled_models_people": members_of(rows)})
