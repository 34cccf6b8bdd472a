"""wave_drift: how each wave's answers differ from those of the earlier waves."""

from __future__ import annotations

from stegvis.assets.building.recipe import Recipe, select

RECIPE = Recipe(
    name="wave_drift",
    group="outcome",
    description="How each wave's answers differ from those of the earlier waves: numbers, response, pain, people.",
    partition=None,
    upstream=("outcome_questionnaire", "eligible_people"),
    make=select,
    sql=("wave_drift",),
    kinds=frozenset({"duckdb", "sql"}),
)
