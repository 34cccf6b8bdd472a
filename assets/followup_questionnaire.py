"""followup_questionnaire: canonical columns, one row per answer of a wave."""

from __future__ import annotations

import dagster as dg

from stegvis.assets.home import SOURCES, WAVES, StegvisHome
from stegvis.assets.table import table
from stegvis.assets.withdrawals import withdrawals
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(deps=[SOURCES["followup"], withdrawals], partitions_def=WAVES, group_name="deliveries", kinds={"duckdb", "csv"})
def followup_questionnaire(
    context: dg.AssetExecutionContext, warehouse: Reader, study: Study, home: StegvisHome
) -> Rows:
    """A wave's follow-up questionnaire as canonical columns, one row per answer.

    A correction, or late answers, are a later drop of the same wave.
    """
    from stegvis.storage.delivered_files import DeliveryContract
    from stegvis.storage.drops import newest_per_person, read_drops
    from stegvis.storage.stored_identifiers import stored_identifiers

    wave = context.partition_key
    stored = stored_identifiers(home.home().root, study.protocol)
    contract = DeliveryContract(study.codebook, study.protocol, stored=stored)
    drops = home.landing().drops("followup", wave)
    delivered = read_drops("questionnaire", drops, "questionnaire", contract, context.log.info)
    answers = newest_per_person(delivered, "questionnaire", study.codebook, warehouse.without_withdrawn)
    answers.insert(0, "wave", wave)
    return Rows(answers.astype({"wave": "string"}), summary=delivered.summary(), problems=delivered.all_problems())
