"""analysis_set: the modeling table of a wave: exposures with their categories, covariates and outcome."""

from __future__ import annotations

from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows
from stegvis.statistics.categories import add_categories


def make(build: Build) -> Rows:
    """The analyzed people, with the exposure categories of the protocol."""
    return Rows(add_categories(build.read(build.sql()), build.protocol))


RECIPE = Recipe(
    name="analysis_set",
    group="analysis",
    description="The modeling table: one row per analyzed person with exposures, categories, covariates and outcome.",
    partition="wave",
    upstream=("eligible_people",),
    make=make,
    sql=("analysis_set",),
    protocol=("exposures",),
    kinds=frozenset({"duckdb", "sql"}),
    owner="team:statistics",
)
