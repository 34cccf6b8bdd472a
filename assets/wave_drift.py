"""wave_drift: how each wave's answers differ from those of the earlier waves."""

from __future__ import annotations

from stegvis.assets.eligible_people import eligible_people
from stegvis.assets.outcome_questionnaire import outcome_questionnaire
from stegvis.assets.table import sql_table

wave_drift = sql_table(
    "wave_drift",
    "How each wave's answers differ from those of the earlier waves: numbers, response, pain, people.",
    deps=[outcome_questionnaire, eligible_people],
    group_name="outcome",
)
