"""eligible_people: everyone a wave could have been about, answered or not."""

from __future__ import annotations

from stegvis.assets.building.recipe import Recipe, select

RECIPE = Recipe(
    name="eligible_people",
    group="cohort",
    description="Everyone exposed and free of the outcome at baseline, whether or not they answered the wave.",
    partition="wave",
    upstream=("exclusions", "cohort", "walking_exposures", "outcome_questionnaire"),
    make=select,
    sql=("eligible_people",),
    kinds=frozenset({"duckdb", "sql"}),
    owner="team:statistics",
)
