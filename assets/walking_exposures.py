"""walking_exposures: one row per person: counted days, walking minutes per day and mean walking METs."""

from __future__ import annotations

from stegvis.assets.daily_exposures import daily_exposures
from stegvis.assets.home import StegvisHome
from stegvis.assets.table import table
from stegvis.sql import sql_text
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study


@table(deps=[daily_exposures], group_name="accelerometry", kinds={"duckdb", "sql"})
def walking_exposures(warehouse: Reader, study: Study, home: StegvisHome) -> Rows:
    """Each person's counted days, walking minutes per day (volume) and mean walking METs (intensity)."""
    from stegvis.reporting.thumbnails import walking_histogram

    smallest, synthetic = study.protocol.disclosure.smallest_count, home.landing().synthetic
    return Rows(
        sql_text("walking_exposures"),
        pictures=lambda: walking_histogram(
            warehouse.frame("select walking_minutes from walking_exposures")["walking_minutes"], smallest, synthetic
        ),
    )
