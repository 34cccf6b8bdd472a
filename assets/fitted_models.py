"""fitted_models: every estimate of a wave as one row, from all groups of analyses."""

from __future__ import annotations

import dagster as dg

from stegvis.assets.absolute_risks import absolute_risks
from stegvis.assets.bias_models import bias_models
from stegvis.assets.dose_response import dose_response
from stegvis.assets.home import WAVES
from stegvis.assets.risk_ratios import risk_ratios
from stegvis.assets.sensitivity_models import sensitivity_models
from stegvis.assets.table import table
from stegvis.assets.time_use_models import time_use_models
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(
    deps=[risk_ratios, absolute_risks, bias_models, dose_response, sensitivity_models, time_use_models],
    partitions_def=WAVES,
    group_name="analysis",
    owners=["team:statistics"],
    kinds={"python"},
)
def fitted_models(context: dg.AssetExecutionContext, warehouse: Reader, study: Study) -> Rows:
    """Every estimate of a wave as one row: all groups of analyses together."""
    import pandas as pd

    from stegvis.analyses.diagnostics import diagnostic_counts, with_diagnostics
    from stegvis.statistics.results import GROUPS, RESULT_COLUMNS, validate

    # Names of groups are constants, never input.
    parts = warehouse.frames(*(f"select * from {group} where wave = getvariable('wave')" for group in GROUPS))
    results = pd.concat(parts, ignore_index=True).astype(RESULT_COLUMNS)[list(RESULT_COLUMNS)]
    results = with_diagnostics(results, study.protocol)
    validate(results)
    context.log.info("%d estimates of wave %s", len(results), context.partition_key)
    return Rows(
        results,
        summary={name: float(count) for name, count in diagnostic_counts(results).items()},
        metadata={"not_estimable": int((results["status"] == "not_estimable").sum())},
    )
