"""baseline_questionnaire: canonical columns, one row per person; later drops correct earlier ones."""

from __future__ import annotations

from stegvis.assets.building.build import Build
from stegvis.assets.building.delivered import newest_per_person, read_drops
from stegvis.assets.building.recipe import Recipe, Rows


def make(build: Build) -> Rows:
    """Each person's newest baseline row."""
    delivered = read_drops(build, "participants", build.drops, file_stem="participants")
    return Rows(newest_per_person(build, delivered, "participants"), delivered.summary(), delivered.all_problems())


RECIPE = Recipe(
    name="baseline_questionnaire",
    group="deliveries",
    description="The baseline questionnaire and clinic data as canonical columns, one row per person. "
    "Later drops correct earlier ones.",
    partition=None,
    upstream=("withdrawals",),
    make=make,
    delivery="baseline",
    codebook=("participants",),
    kinds=frozenset({"duckdb", "csv"}),
)
