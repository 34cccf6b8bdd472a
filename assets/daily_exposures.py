"""daily_exposures: seconds per activity and walking speed for each person and day, and whether the day counts."""

from __future__ import annotations

import dagster as dg

from stegvis.assets.epoch_classification import epoch_classification
from stegvis.assets.home import BATCHES, StegvisHome
from stegvis.assets.table import table
from stegvis.sql import sql_text
from stegvis.storage.lake import EpochLake
from stegvis.storage.rows import Rows


@table(deps=[epoch_classification], partitions_def=BATCHES, group_name="accelerometry", kinds={"duckdb", "sql"})
def daily_exposures(context: dg.AssetExecutionContext, home: StegvisHome) -> Rows:
    """Seconds per activity and walking speed for each person and day, with the validity of the day."""
    lake = EpochLake(home.home().lake, context.partition_key)
    return Rows(sql_text("daily_exposures"), shards=sorted(lake.folder.glob("*.parquet")))
