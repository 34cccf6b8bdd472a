"""claims: each published claim, held against a wave's current estimates."""

from __future__ import annotations

from assets.building.build import Build
from assets.building.recipe import Recipe, Rows
from study.claims import judge_claims
from study.disclosure import suppress_results

READ = "select * from fitted_models where wave = getvariable('wave')"


def make(build: Build) -> Rows:
    """One verdict per claim: supported, not supported or unclear, with its evidence, from what may be told."""
    told, _ = suppress_results(build.read(READ), build.protocol.disclosure.smallest_count)
    frame = judge_claims(told, build.key)
    verdicts = frame["verdict"].value_counts()
    return Rows(frame, metadata={f"claims_{str(name).replace(' ', '_')}": int(n) for name, n in verdicts.items()})


RECIPE = Recipe(
    name="claims",
    group="reporting",
    description="Each published claim as a rule over the current estimates: supported, not supported or unclear.",
    partition="wave",
    upstream=("fitted_models",),
    make=make,
    protocol=("disclosure",),
    files=("study/claims.toml",),
    kinds=frozenset({"python"}),
    owner="team:statistics",
)
