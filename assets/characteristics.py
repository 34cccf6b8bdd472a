"""characteristics: Table 1 of a wave: who was analyzed, by walking volume; and how many have which exposure."""

from __future__ import annotations

from stegvis.analyses.characteristics import characteristics, characteristics_members
from stegvis.analyses.histogram import histogram
from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows
from stegvis.statistics.levels import characteristic_levels, covariate_levels
from stegvis.study.codebook import codebook

READ = "select * from analysis_set where wave = getvariable('wave') order by person"


def make(build: Build) -> Rows:
    """Counts, percentages, means and standard deviations by category of walking volume.

    Beside it the table ``exposure_histogram``: people by bin of each exposure, small bins hidden, the others rounded.
    """
    people = build.read(READ)
    table = characteristics(people, build.protocol, covariate_levels(codebook()) | characteristic_levels(codebook()))
    members = characteristics_members(table, people, build.protocol)
    also = {"exposure_histogram": histogram(people, build.protocol), "characteristics_people": members}
    return Rows(table, also=also)


RECIPE = Recipe(
    name="characteristics",
    group="analysis",
    description="Table 1: the analyzed people by category of walking volume.",
    partition="wave",
    upstream=("analysis_set",),
    make=make,
    protocol=("exposures", "characteristics", "histogram", "disclosure", "release.rounding_base"),
    codebook=("participants",),
    kinds=frozenset({"python"}),
    owner="team:statistics",
)
