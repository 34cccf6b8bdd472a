"""pooled_models: repeated-outcome models across all waves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stegvis.assets.analysis_set import analysis_set
from stegvis.assets.cohort import cohort
from stegvis.assets.outcome_questionnaire import outcome_questionnaire
from stegvis.assets.table import table
from stegvis.assets.walking_exposures import walking_exposures
from stegvis.sql import sql_text
from stegvis.statistics.levels import covariate_levels
from stegvis.storage.reader import Reader
from stegvis.study.study import Study

if TYPE_CHECKING:
    import pandas as pd


@table(
    deps=[analysis_set, cohort, walking_exposures, outcome_questionnaire],
    group_name="analysis",
    owners=["team:statistics"],
    kinds={"python"},
)
def pooled_models(warehouse: Reader, study: Study) -> pd.DataFrame:
    """Models across all waves: pooled, by wave, the course of pain, and what a next wave would add."""
    from stegvis.analyses.across_waves import fit_across_waves

    stacked = warehouse.frame("select * from analysis_set order by wave, person")
    histories = warehouse.frame(sql_text("pain_histories"))
    return fit_across_waves(stacked, histories, study.protocol, covariate_levels(study.codebook))
