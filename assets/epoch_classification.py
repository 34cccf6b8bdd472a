"""epoch_classification: the recordings of a batch, and their 5-second epochs in the lake.

Whether a raw recording can be used is known when it is classified, so the tables ``recordings`` and ``delivered_days``
are made by the same function and published in the same transaction.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import dagster as dg

from stegvis.assets.home import BATCHES, SOURCES, StegvisHome
from stegvis.assets.table import table
from stegvis.assets.withdrawals import withdrawals
from stegvis.sql import sql_text
from stegvis.storage.reader import Reader
from stegvis.storage.rows import Rows
from stegvis.study.study import Study

if TYPE_CHECKING:
    import pandas as pd

STATUS = {"raw": "classified", "signal": "classified", "epochs": "delivered"}
# Progress of long work, beside the run's log; ``stegvis refresh`` shows it on the terminal.
PROGRESS = logging.getLogger("stegvis.progress")


@table(
    deps=[SOURCES["recordings"], withdrawals],
    partitions_def=BATCHES,
    group_name="accelerometry",
    kinds={"duckdb", "parquet", "dask", "numpy"},
    also={
        "recordings": "One row per recording of a batch: level (raw, signal, epochs, days), devices, start, hours, "
        "quality of clocks, wear and calibration, hash, status and reason.",
        "delivered_days": "Day totals that were delivered as such: seconds per activity, person and day.",
    },
)
def epoch_classification(context: dg.AssetExecutionContext, warehouse: Reader, study: Study, home: StegvisHome) -> Rows:
    """5-second epochs of activity, confidence, wear and walking speed, in the lake.

    The table has one row per recording, with counts and the digest of its epochs.
    """
    from stegvis.storage.lake import EpochLake
    from stegvis.storage.lake_copy import LakeCopy
    from stegvis.storage.landing_mirror import MirroredObjects
    from stegvis.storage.recordings import read_recordings
    from stegvis.storage.remote_files import FaultyObjectsError

    def report(line: str) -> None:
        context.log.info(line)
        PROGRESS.info(line)

    batch = context.partition_key
    lake = EpochLake(home.home().lake, batch, LakeCopy.of(home.home().root))
    warehouse.remove_damaged_files("epoch_classification")
    if former := lake.former_files():
        report(
            f"{len(former):,} files of the lake have a row for each epoch, as earlier versions stored them: classified "
            "recordings are stored as bouts now, delivered epochs are read again"
        )
    try:
        read = read_recordings(lake, home.landing().drops("recordings", batch), warehouse, study, report)
    except FaultyObjectsError as error:  # the next scan rejects their drop
        MirroredObjects.of(home.home().root).mark_faulty(error.files)
        raise
    profile = warehouse.over_epochs(sql_text("epoch_classification"), list(read.shards.values()))
    frame = _with_status(read.rows, profile, batch)
    return Rows(
        frame,
        also={"recordings": read.rows, "delivered_days": read.days},
        summary=read.summary(),
        problems=read.delivered.all_problems(),
        metadata={"epochs": int(frame["epochs"].sum()), "recordings": len(frame), "shards": len(read.shards)},
        on_publish=lambda: read.publish(lake),
        lake_files=[lake.file(name) for name in read.shards],
    )


def _with_status(recordings: pd.DataFrame, profile: pd.DataFrame, batch: str) -> pd.DataFrame:
    """One row per accepted recording that has epochs, by person."""
    accepted = recordings[(recordings["status"] == "accepted") & recordings["level"].isin(STATUS)]
    frame = accepted[["person", "level"]].sort_values("person").merge(profile, on="person", how="left")
    frame["status"] = frame["level"].map(STATUS)
    counts = ["epochs", "unknown_activities", "repeated_epochs", "speeds_without_walking"]
    frame[counts] = frame[counts].fillna(0).astype("int64")
    frame.insert(0, "batch", batch)
    return frame.astype(dict.fromkeys(("batch", "person", "level", "status", "content"), "string"))
