"""outcome_questionnaire: chronic low back pain at follow-up, with severity."""

from __future__ import annotations

from stegvis.assets.building.recipe import Recipe, select

RECIPE = Recipe(
    name="outcome_questionnaire",
    group="outcome",
    description="Chronic low back pain at follow-up by the two-step question, with severity.",
    partition="wave",
    upstream=("followup_questionnaire", "cohort"),
    make=select,
    sql=("outcome_questionnaire",),
    kinds=frozenset({"duckdb", "sql"}),
)
