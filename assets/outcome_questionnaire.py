"""outcome_questionnaire: chronic low back pain at follow-up, with severity."""

from __future__ import annotations

from stegvis.assets.cohort import cohort
from stegvis.assets.followup_questionnaire import followup_questionnaire
from stegvis.assets.home import WAVES
from stegvis.assets.table import sql_table

outcome_questionnaire = sql_table(
    "outcome_questionnaire",
    "Chronic low back pain at follow-up by the two-step question, with severity.",
    deps=[followup_questionnaire, cohort],
    partitions_def=WAVES,
    group_name="outcome",
)
