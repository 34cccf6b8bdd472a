"""baseline_questionnaire: canonical columns, one row per person."""

from __future__ import annotations

import dagster as dg

from stegvis.assets.home import SOURCES, StegvisHome
from stegvis.assets.table import table
from stegvis.assets.withdrawals import withdrawals
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(deps=[SOURCES["baseline"], withdrawals], group_name="deliveries", kinds={"duckdb", "csv"})
def baseline_questionnaire(
    context: dg.AssetExecutionContext, warehouse: Reader, study: Study, home: StegvisHome
) -> Rows:
    """The baseline questionnaire and clinic data as canonical columns, one row per person.

    Later drops correct earlier ones.
    """
    from stegvis.storage.delivered_files import DeliveryContract
    from stegvis.storage.drops import newest_per_person, read_drops
    from stegvis.storage.stored_identifiers import stored_identifiers

    stored = stored_identifiers(home.home().root, study.protocol)
    contract = DeliveryContract(study.codebook, study.protocol, stored=stored)
    drops = home.landing().drops("baseline")
    delivered = read_drops("participants", drops, "participants", contract, context.log.info)
    people = newest_per_person(delivered, "participants", study.codebook, warehouse.without_withdrawn)
    return Rows(people, summary=delivered.summary(), problems=delivered.all_problems())
