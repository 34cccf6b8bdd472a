"""pooled_models: repeated-outcome models across all waves."""

from __future__ import annotations

from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows
from stegvis.statistics.levels import covariate_levels
from stegvis.study.codebook import codebook


def make(build: Build) -> Rows:
    """Estimates over the stacked waves, clustered by person."""
    from stegvis.analyses.across_waves import rows_across_waves
    from stegvis.statistics.results import members_of, to_frame

    stacked = build.read("select * from analysis_set order by wave, person")
    histories = build.read(build.sql("pain_histories"))
    rows = rows_across_waves(stacked, histories, build.protocol, covariate_levels(codebook()))
    return Rows(to_frame(rows), also={"pooled_models_people": members_of(rows)})


RECIPE = Recipe(
    name="pooled_models",
    group="analysis",
    description="Models across all waves: pooled, by wave, the course of pain, and what a next wave would add.",
    partition=None,
    upstream=("analysis_set", "cohort", "walking_exposures", "outcome_questionnaire"),
    make=make,
    protocol=("models", "exposures", "exposures.minimum_valid_days", "disclosure", "projection", "study.mode"),
    codebook=("participants",),
    files=("sql/pain_histories.sql",),
    kinds=frozenset({"python"}),
    owner="team:statistics",
)
