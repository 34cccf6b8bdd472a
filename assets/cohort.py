"""cohort: everyone at baseline, with typed covariates."""

from __future__ import annotations

from stegvis.assets.baseline_questionnaire import baseline_questionnaire
from stegvis.assets.epoch_classification import epoch_classification
from stegvis.assets.table import sql_table

cohort = sql_table(
    "cohort",
    "Everyone at baseline, with typed covariates and chronic low back pain at baseline.",
    deps=[baseline_questionnaire, epoch_classification],
    group_name="cohort",
)
