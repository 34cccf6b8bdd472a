"""epoch_classification: 5-second epochs of a batch in the lake, and one row per recording that says what they hold.

Raw pairs and signals were classified when they were read (``recordings``); delivered epochs are taken over here. Each
recording's epochs (of delivered epochs, each file's) are a shard named after everything that decides its content, so a
shard that is already there is not made again.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from stegvis.assets.building.build import Build
from stegvis.assets.building.recipe import Recipe, Rows, fingerprint, sql_text
from stegvis.storage.delivered_epochs import delivered_epochs, write_shard
from stegvis.storage.lake import EpochLake, create_epochs_view
from stegvis.storage.landing import LandedFile
from stegvis.study.codebook import codebook

MADE = {"raw": "classified", "signal": "classified", "epochs": "delivered"}


def make(build: Build) -> Rows:
    """Epochs of every accepted raw pair, signal and epochs recording of the batch."""
    lake = EpochLake(build.home.lake, build.key)
    build.remove_damaged_files("epoch_classification")
    listed = build.read(
        """
        select person, level, delivery, file, sha256, shard from recordings
        where batch = getvariable('batch') and status = 'accepted' and level in ('raw', 'signal', 'epochs')
        order by person
        """
    )
    shards = {name: lake.shard(name) for name in listed["shard"].dropna()}
    shards |= _delivered(build, lake, listed[listed["level"] == "epochs"])
    # One that is gone from the lake leaves its recording without epochs, which the expectations do not let pass.
    there = {name: path for name, path in shards.items() if path}
    with build.session() as connection:
        create_epochs_view(connection, list(there.values()))
        profile = connection.execute(build.sql()).df()
    frame = _with_status(listed, profile, build.key)
    return Rows(
        frame,
        metadata={"epochs": int(frame["epochs"].sum()), "recordings": len(frame), "shards": len(shards)},
        on_publish=lambda: lake.publish(shards),
        lake_files=[lake.folder / f"{name}.parquet" for name in there],
    )


def _delivered(build: Build, lake: EpochLake, listed: pd.DataFrame) -> dict[str, Path | None]:
    """The shards of delivered epochs, one of each file."""
    files = {(drop.name, file.name): file for drop in build.drops for file in drop.files}
    # What decides the epochs: not how they are counted and judged afterwards.
    method = {
        name: value
        for name, value in build.recipe.method(build.protocol).items()
        if not name.startswith(("sql/", "expectations"))
    }
    shards: dict[str, Path | None] = {}
    for (delivery, file, sha256), rows in listed.groupby(["delivery", "file", "sha256"]):
        people = rows["person"].to_list()
        name = "epochs-" + fingerprint(method | {"file": str(sha256), "people": ",".join(people)})
        seconds = build.protocol.epochs.seconds
        shards[name] = lake.shard(name) or _take_over(lake, name, people, files[str(delivery), str(file)], seconds)
    return shards


def _take_over(lake: EpochLake, name: str, people: list[str], file: LandedFile, seconds: int) -> Path:
    with delivered_epochs(file.path, codebook()["epochs"], sql_text("delivered_epochs"), seconds) as epochs:
        return write_shard(epochs, lake, name, people)


def _with_status(listed: pd.DataFrame, profile: pd.DataFrame, batch: str) -> pd.DataFrame:
    frame = listed[["person", "level"]].merge(profile, on="person", how="left")
    frame["status"] = frame["level"].map(MADE)
    counts = ["epochs", "unknown_activities", "repeated_epochs", "speeds_without_walking"]
    frame[counts] = frame[counts].fillna(0).astype("int64")
    frame.insert(0, "batch", batch)
    return frame.astype(dict.fromkeys(("batch", "person", "level", "status", "content"), "string"))


RECIPE = Recipe(
    name="epoch_classification",
    group="accelerometry",
    description="5-second epochs of activity, confidence, wear and walking speed, in the lake; here one row per "
    "recording with counts and the epochs' digest.",
    partition="batch",
    upstream=("recordings",),
    make=make,
    delivery="recordings",
    sql=("epoch_classification",),
    protocol=("epochs.seconds",),
    codebook=("epochs",),
    files=("sql/delivered_epochs.sql",),
    kinds=frozenset({"duckdb", "parquet"}),
)
