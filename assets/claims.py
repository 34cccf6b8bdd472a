"""claims: each published claim, held against a wave's current estimates."""

from __future__ import annotations

from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows
from stegvis.claims.evaluation import evaluate_claims

# From published results only: the evidence of a claim must not contain a suppressed number.
READ = "select * from published_results where wave = getvariable('wave') order by rowid"


def make(build: Build) -> Rows:
    """One verdict per claim: supported, not supported or unclear, with its evidence, from what may be told."""
    frame = evaluate_claims(build.read(READ), build.key)
    verdicts = frame["verdict"].value_counts()
    return Rows(frame, metadata={f"claims_{str(name).replace(' ', '_')}": int(n) for name, n in verdicts.items()})


RECIPE = Recipe(
    name="claims",
    group="reporting",
    description="Each published claim as a rule over the current estimates: supported, not supported or unclear.",
    partition="wave",
    upstream=("disclosure",),
    make=make,
    protocol=("disclosure",),
    kinds=frozenset({"python"}),
    owner="team:statistics",
)
