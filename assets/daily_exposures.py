"""daily_exposures: seconds per activity and walking speed for each person and day, and whether the day counts."""

from __future__ import annotations

from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows
from stegvis.storage.lake import EpochLake, create_epochs_view


def make(build: Build) -> Rows:
    """Days from the batch's epochs and from its delivered day totals."""
    shards = sorted(EpochLake(build.home.lake, build.key).folder.glob("*.parquet"))
    return Rows(build.sql(), prepare=lambda connection: create_epochs_view(connection, shards))


RECIPE = Recipe(
    name="daily_exposures",
    group="accelerometry",
    description="Seconds per activity and walking speed for each person and day, with the validity of the day.",
    partition="batch",
    upstream=("recordings", "epoch_classification"),
    make=make,
    sql=("daily_exposures",),
    kinds=frozenset({"duckdb", "sql"}),
)
