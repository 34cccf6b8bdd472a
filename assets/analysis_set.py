"""analysis_set: the modeling table of a wave: exposures with their categories, covariates and outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stegvis.assets.eligible_people import eligible_people
from stegvis.assets.home import WAVES
from stegvis.assets.table import table
from stegvis.sql import sql_text
from stegvis.storage.reader import Reader
from stegvis.study.study import Study

if TYPE_CHECKING:
    import pandas as pd


@table(
    deps=[eligible_people],
    partitions_def=WAVES,
    group_name="analysis",
    owners=["team:statistics"],
    kinds={"duckdb", "sql"},
)
def analysis_set(warehouse: Reader, study: Study) -> pd.DataFrame:
    """The modeling table: one row per analyzed person with exposures, categories, covariates and outcome."""
    from stegvis.statistics.categories import add_categories
    from stegvis.study.protocol_models import EXPOSURES

    people = warehouse.frame(sql_text("analysis_set"))
    absent = [exposure for exposure in EXPOSURES if exposure not in study.protocol.exposures.names]
    return add_categories(people.drop(columns=absent), study.protocol)
