"""daily_exposures: seconds per activity and walking speed for each person and day, and whether the day counts."""

from __future__ import annotations

import dagster as dg

from stegvis.assets.epoch_classification import epoch_classification
from stegvis.assets.home import BATCHES, StegvisHome
from stegvis.assets.table import table
from stegvis.sql import sql_text
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(
    deps=[epoch_classification],
    partitions_def=BATCHES,
    group_name="accelerometry",
    kinds={"duckdb", "sql"},
    until_accepted=True,
)
def daily_exposures(context: dg.AssetExecutionContext, warehouse: Reader, study: Study, home: StegvisHome) -> Rows:
    """Seconds per activity and walking speed for each person and day, with the validity of the day.

    A new batch that is far from the other ones, or from what the protocol expects, waits until it is accepted.
    """
    from stegvis.plausibility.measures import batch_profile
    from stegvis.plausibility.ranges import compare
    from stegvis.storage.lake import EpochLake

    rules = study.protocol.plausibility
    files = EpochLake(home.home().lake, context.partition_key).files()
    days = warehouse.over_epochs(sql_text("daily_exposures"), files)
    profile = batch_profile(days)
    compared = compare(profile, warehouse.other_profiles(), rules.batch.items(), rules)
    return Rows(days, profile=profile, compared=compared)
