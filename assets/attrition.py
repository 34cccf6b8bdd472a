"""attrition: the exclusion steps of a wave with their counts."""

from __future__ import annotations

from stegvis.assets.exclusions import exclusions
from stegvis.assets.home import WAVES
from stegvis.assets.table import sql_table

attrition = sql_table(
    "attrition",
    "The ordered exclusion steps of a wave: how many each excludes and how many remain.",
    deps=[exclusions],
    partitions_def=WAVES,
    group_name="cohort",
)
