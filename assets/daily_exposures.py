"""daily_exposures: one row per person and day of a batch: seconds per activity and speed class, and whether the day counts."""

from __future__ import annotations

from assets.building.build import Build
from assets.building.recipe import Recipe, Rows
from storage.lake import EpochLake, create_epochs_view


def make(build: Build) -> Rows:
    """Days from the batch's epochs and from its delivered day totals."""
    lake = EpochLake(build.home.lake, build.key)
    with build.session() as connection:
        create_epochs_view(connection, sorted(lake.folder.glob("*.parquet")))
        return Rows(connection.execute(build.sql()).df())


RECIPE = Recipe(
    name="daily_exposures",
    group="accelerometry",
    description="Seconds per activity and walking speed for each person and day, with the day's validity and its reason.",
    partition="batch",
    upstream=("recordings", "epoch_classification"),
    make=make,
    sql=("daily_exposures",),
    code=("storage.lake",),
    kinds=frozenset({"duckdb", "sql"}),
)
