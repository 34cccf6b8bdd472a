"""fitted_models: every estimate of a wave as one row."""

from __future__ import annotations

from assets.building.build import Build
from assets.building.recipe import Recipe, Rows
from study.statistics.levels import covariate_levels

READ = "select * from analysis_set where wave = getvariable('wave') order by person"


def make(build: Build) -> Rows:
    """Risk ratios, trends and joint tests of both exposures."""
    from study.statistics.wave_models import fit_wave

    results = fit_wave(build.read(READ), build.protocol, covariate_levels())
    build.log.info("fitted %d estimates of wave %s", len(results), build.key)
    return Rows(results, metadata={"not_estimable": int((results["status"] == "not_estimable").sum())})


RECIPE = Recipe(
    name="fitted_models",
    group="analysis",
    description="Every estimate of a wave as one row: age-adjusted and adjusted risk ratios, trends, tests.",
    partition="wave",
    upstream=("analysis_set",),
    make=make,
    protocol=("models", "exposures", "disclosure", "study.mode"),
    codebook=("participants",),
    kinds=frozenset({"python", "statsmodels"}),
    owner="team:statistics",
)
