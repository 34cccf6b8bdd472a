"""eligible_people: participants with valid days and without the outcome at baseline, respondents or not."""

from __future__ import annotations

from stegvis.assets.cohort import cohort
from stegvis.assets.exclusions import exclusions
from stegvis.assets.home import WAVES
from stegvis.assets.outcome_questionnaire import outcome_questionnaire
from stegvis.assets.table import table
from stegvis.assets.vital_status import vital_status
from stegvis.assets.walking_exposures import walking_exposures
from stegvis.sql import sql_text
from stegvis.study.study import Study


@table(
    deps=[exclusions, cohort, walking_exposures, outcome_questionnaire, vital_status],
    partitions_def=WAVES,
    group_name="cohort",
    owners=["team:statistics"],
    kinds={"duckdb", "sql"},
)
def eligible_people(study: Study) -> str:
    """Participants with valid accelerometer days and without the outcome at baseline, respondents or not."""
    from stegvis.study.covariates import composed

    return composed("eligible_people", sql_text("eligible_people"), study.codebook)
