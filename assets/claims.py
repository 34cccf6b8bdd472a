"""claims: each published claim, evaluated against a wave's current estimates."""

from __future__ import annotations

import dagster as dg

from stegvis.assets.disclosure import disclosure
from stegvis.assets.home import WAVES
from stegvis.assets.table import table
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study

# From published results only: the evidence of a claim must not contain a suppressed number.
PUBLISHED = "select * from published_results where wave = getvariable('wave') order by rowid"


@table(
    deps=[disclosure],
    partitions_def=WAVES,
    group_name="reporting",
    owners=["team:statistics"],
    kinds={"python"},
)
def claims(context: dg.AssetExecutionContext, warehouse: Reader, study: Study) -> Rows:
    """Each published claim as a rule over the estimates: supported, not supported, unclear, or no answer."""
    from stegvis.claims.evaluation import evaluate_claims

    frame = evaluate_claims(warehouse.frame(PUBLISHED), context.partition_key, study.claims)
    counts = frame["verdict"].value_counts()
    return Rows(frame, metadata={f"claims_{str(name).replace(' ', '_')}": int(n) for name, n in counts.items()})
