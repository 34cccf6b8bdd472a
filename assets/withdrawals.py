"""withdrawals: whose consent is withdrawn, by delivery and row; the people are on the home's list as keyed hashes.

No identifier is in the table, so identifiers are read as delivered, whatever the home stores. From the next time the
warehouse is opened they are gone from every table and file.
"""

from __future__ import annotations

import dagster as dg

from stegvis.assets.home import SOURCES, StegvisHome
from stegvis.assets.table import table
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(deps=[SOURCES["withdrawals"]], group_name="deliveries", kinds={"duckdb", "csv"})
def withdrawals(context: dg.AssetExecutionContext, study: Study, home: StegvisHome) -> Rows:
    """Whose consent is withdrawn, by delivery and row: erased from every table, file and later release."""
    import pandas as pd

    from stegvis.storage.delivered_files import DeliveryContract
    from stegvis.storage.drops import empty, read_drops
    from stegvis.storage.withdrawal_list import add_to_list

    contract = DeliveryContract(study.codebook, study.protocol)
    drops = home.landing().drops("withdrawals")
    delivered = read_drops("withdrawals", drops, None, contract, context.log.info)
    frame = empty("withdrawals", study.codebook, "delivery")[["delivery"]].assign(source_row=pd.Series(dtype="int64"))
    if delivered.frames:
        people = pd.concat(delivered.frames, ignore_index=True).drop_duplicates("person", keep="first")
        for drop, named in people.groupby("delivery", sort=False):
            add_to_list(home.home().root, str(drop), named["person"])
        frame = people[["delivery", "source_row"]].sort_values(["delivery", "source_row"], ignore_index=True)
    return Rows(frame, summary=delivered.summary(), problems=delivered.all_problems())
