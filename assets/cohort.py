"""cohort: everyone at baseline, with typed covariates."""

from __future__ import annotations

from stegvis.assets.building.recipe import Recipe, select

RECIPE = Recipe(
    name="cohort",
    group="cohort",
    description="Everyone at baseline, with typed covariates and chronic low back pain at baseline.",
    partition=None,
    upstream=("baseline_questionnaire", "recordings"),
    make=select,
    sql=("cohort",),
    kinds=frozenset({"duckdb", "sql"}),
)
