"""exclusions: each person's first exclusion of a wave."""

from __future__ import annotations

from stegvis.assets.building.recipe import Recipe, select

RECIPE = Recipe(
    name="exclusions",
    group="cohort",
    description="Each person's first exclusion in the protocol's order; none for the analyzed.",
    partition="wave",
    upstream=("cohort", "walking_exposures", "outcome_questionnaire"),
    make=select,
    sql=("exclusions",),
    kinds=frozenset({"duckdb", "sql"}),
)
