"""release: the published release: tables, checks, claims, bridge and pages in an immutable, hashed folder."""

from __future__ import annotations

import dagster as dg

from stegvis.assets.absolute_risks import absolute_risks
from stegvis.assets.analysis_set import analysis_set
from stegvis.assets.attrition import attrition
from stegvis.assets.bias_models import bias_models
from stegvis.assets.characteristics import characteristics
from stegvis.assets.claims import claims
from stegvis.assets.disclosure import disclosure
from stegvis.assets.dose_response import dose_response
from stegvis.assets.exclusions import exclusions
from stegvis.assets.fitted_models import fitted_models
from stegvis.assets.home import StegvisHome
from stegvis.assets.pooled_models import pooled_models
from stegvis.assets.report import report
from stegvis.assets.risk_ratios import risk_ratios
from stegvis.assets.sensitivity_models import sensitivity_models
from stegvis.assets.table import TABLES, table
from stegvis.assets.time_use_models import time_use_models
from stegvis.assets.wave_drift import wave_drift
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(
    deps=[
        report, wave_drift, risk_ratios, absolute_risks, bias_models, dose_response, sensitivity_models,
        time_use_models, fitted_models, pooled_models, attrition, characteristics, disclosure, claims, exclusions,
        analysis_set,
    ],
    group_name="reporting",
    owners=["team:statistics"],
    kinds={"html", "csv"},
    also={"released_people": "The people whose data the newest release has; never published."},
)  # fmt: skip
def release(context: dg.AssetExecutionContext, warehouse: Reader, study: Study, home: StegvisHome) -> Rows:
    """The published release, hashed: results, attrition, Table 1, checks, claims, bridge and report pages.

    However it is started, it is not made while anything that its new numbers are made from is blocked or stale.
    """
    from stegvis.storage.lost import lost
    from stegvis.storage.partition_status import HomeState
    from stegvis.storage.release_folder import write_release
    from stegvis.storage.release_gate import hindrances
    from stegvis.storage.sources import Sources
    from stegvis.storage.tables import Records, history

    # Read before the warehouse is open: its lock is held once.
    records, landed = Records(home.home()), home.landing()
    every, as_it_is = {each.name: each for each in TABLES.values()}, Study.of(home.home().root)
    if why := hindrances(HomeState(home.home(), landed, {}, records, as_it_is, every, lost(home.home().releases))):
        raise dg.Failure("; ".join(why), allow_retries=False)
    published = list(history(TABLES.values(), records))
    rows = write_release(Sources(warehouse, study, home.home(), landed, context.log, history=published))
    if "report" in rows.metadata:
        links = {
            "report": dg.MetadataValue.url(rows.metadata["report"]),
            "folder": dg.MetadataValue.path(rows.metadata["folder"]),
        }
        rows.metadata = {**rows.metadata, **links}
    return rows
