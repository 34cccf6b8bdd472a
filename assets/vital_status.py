"""vital_status: who died or emigrated and when, one row per person, as a register delivers it."""

from __future__ import annotations

import dagster as dg

from stegvis.assets.baseline_questionnaire import baseline_questionnaire
from stegvis.assets.home import SOURCES, StegvisHome
from stegvis.assets.table import table
from stegvis.assets.withdrawals import withdrawals
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(
    deps=[SOURCES["registry"], withdrawals, baseline_questionnaire], group_name="deliveries", kinds={"duckdb", "csv"}
)
def vital_status(context: dg.AssetExecutionContext, warehouse: Reader, study: Study, home: StegvisHome) -> Rows:
    """Who died or emigrated and when, one row per person; empty where no register was delivered.

    Later drops replace the rows of the same person.
    """
    from stegvis.storage.delivered_files import DeliveryContract
    from stegvis.storage.stored_identifiers import stored_identifiers
    from stegvis.storage.vital_status import read_vital_status

    stored = stored_identifiers(home.home().root, study.protocol)
    contract = DeliveryContract(study.codebook, study.protocol, stored=stored)
    people = warehouse.frame("select person, baseline_date from baseline_questionnaire")
    drops = home.landing().drops("registry")
    rows, delivered = read_vital_status(drops, contract, people, warehouse.without_withdrawn, context.log.info)
    unlinked = float((~rows["in_cohort"]).mean()) if len(rows) else 0.0
    summary = delivered.summary() | {"unlinked_share": unlinked}
    return Rows(rows, summary=summary, problems=delivered.all_problems())
