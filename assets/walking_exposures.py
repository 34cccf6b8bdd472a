"""walking_exposures: one row per person: counted days, walking minutes per day and mean walking METs."""

from __future__ import annotations

from stegvis.assets.building.recipe import Recipe, select

RECIPE = Recipe(
    name="walking_exposures",
    group="accelerometry",
    description="Each person's counted days, walking minutes per day (volume) and mean walking METs (intensity).",
    partition=None,
    upstream=("daily_exposures",),
    make=select,
    sql=("walking_exposures",),
    kinds=frozenset({"duckdb", "sql"}),
)
