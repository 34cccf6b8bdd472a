"""attrition: the exclusion steps of a wave with their counts."""

from __future__ import annotations

from stegvis.assets.building.recipe import Recipe, select

RECIPE = Recipe(
    name="attrition",
    group="cohort",
    description="The ordered exclusion steps of a wave: how many each takes and how many remain.",
    partition="wave",
    upstream=("exclusions",),
    make=select,
    sql=("attrition",),
    kinds=frozenset({"duckdb", "sql"}),
)
