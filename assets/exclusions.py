"""exclusions: each person's first exclusion of a wave."""

from __future__ import annotations

from stegvis.assets.cohort import cohort
from stegvis.assets.home import WAVES
from stegvis.assets.outcome_questionnaire import outcome_questionnaire
from stegvis.assets.table import sql_table
from stegvis.assets.walking_exposures import walking_exposures

exclusions = sql_table(
    "exclusions",
    "Each person's first exclusion in the protocol's order; none for those analyzed.",
    deps=[cohort, walking_exposures, outcome_questionnaire],
    partitions_def=WAVES,
    group_name="cohort",
)
