"""fitted_models: every estimate of a wave as one row, from all groups of analyses."""

from __future__ import annotations

from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows

GROUPS = (
    "risk_ratios",
    "absolute_risks",
    "bias_models",
    "dose_response",
    "sensitivity_models",
    "time_use_models",
)


def make(build: Build) -> Rows:
    """The estimates of all groups, one after the other."""
    import pandas as pd

    from stegvis.analyses.diagnostics import diagnostic_counts, with_diagnostics
    from stegvis.statistics.results import RESULT_COLUMNS, validate

    # Group names are constants of this module, never input.
    parts = build.read_each(*(f"select * from {group} where wave = getvariable('wave')" for group in GROUPS))
    results = pd.concat(parts, ignore_index=True).astype(RESULT_COLUMNS)[list(RESULT_COLUMNS)]
    results = with_diagnostics(results, build.protocol)
    validate(results)
    build.log.info("%d estimates of wave %s", len(results), build.key)
    return Rows(
        results,
        summary={name: float(count) for name, count in diagnostic_counts(results).items()},
        metadata={"not_estimable": int((results["status"] == "not_estimable").sum())},
    )


RECIPE = Recipe(
    name="fitted_models",
    group="analysis",
    description="Every estimate of a wave as one row: all groups of analyses together.",
    partition="wave",
    upstream=GROUPS,
    make=make,
    protocol=("diagnostics", "models", "exposures.categories", "study.mode"),
    kinds=frozenset({"python"}),
    owner="team:statistics",
)
