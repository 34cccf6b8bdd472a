"""withdrawals: people whose consent is withdrawn, erased from every table, file and later release."""

from __future__ import annotations

import dagster as dg
import pandas as pd

from stegvis.assets.home import SOURCES, StegvisHome
from stegvis.assets.table import table
from stegvis.storage.delivered_files import DeliveryContract
from stegvis.storage.drops import empty, read_drops
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(deps=[SOURCES["withdrawals"]], group_name="deliveries", kinds={"duckdb", "csv"})
def withdrawals(context: dg.AssetExecutionContext, study: Study, home: StegvisHome) -> Rows:
    """People whose consent is withdrawn: erased from every table, file and later release."""
    contract = DeliveryContract(study.codebook, study.protocol)
    drops = home.landing().drops("withdrawals")
    delivered = read_drops("withdrawals", drops, None, contract, context.log.info)
    frame = empty("withdrawals", study.codebook, "delivery")
    if delivered.frames:
        people = pd.concat(delivered.frames, ignore_index=True).drop_duplicates("person", keep="first")
        frame = people[["person", "delivery"]].sort_values("person", ignore_index=True)
    return Rows(
        frame,
        summary=delivered.summary(),
        problems=delivered.all_problems(),
        erased_from=("released_people",),
    )
