"""characteristics: Table 1 of a wave: who was analyzed, by walking volume."""

from __future__ import annotations

from assets.building.build import Build
from assets.building.recipe import Recipe, Rows
from study.characteristics import characteristics
from study.statistics.levels import covariate_levels

READ = "select * from analysis_set where wave = getvariable('wave') order by person"


def make(build: Build) -> Rows:
    """Counts, percentages, means and standard deviations by category of walking volume."""
    return Rows(characteristics(build.read(READ), build.protocol, covariate_levels()))


RECIPE = Recipe(
    name="characteristics",
    group="analysis",
    description="Table 1: the analyzed people by category of walking volume.",
    partition="wave",
    upstream=("analysis_set",),
    make=make,
    protocol=("exposures", "characteristics"),
    codebook=("participants",),
    kinds=frozenset({"python"}),
    owner="team:statistics",
)
