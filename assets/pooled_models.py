"""pooled_models: repeated-outcome models across all waves."""

from __future__ import annotations

from assets.building.build import Build
from assets.building.recipe import Recipe, Rows
from study.statistics.levels import covariate_levels


def make(build: Build) -> Rows:
    """Risk ratios over the stacked waves, clustered by person."""
    from study.analyses.pooled import fit_pooled

    stacked = build.read("select * from analysis_set order by wave, person")
    return Rows(fit_pooled(stacked, build.protocol, covariate_levels()))


RECIPE = Recipe(
    name="pooled_models",
    group="analysis",
    description="Repeated-outcome models across all waves; intervals allow for people who answer more than once.",
    partition=None,
    upstream=("analysis_set",),
    make=make,
    protocol=("models", "exposures", "disclosure", "study.mode"),
    codebook=("participants",),
    kinds=frozenset({"python"}),
    owner="team:statistics",
)
