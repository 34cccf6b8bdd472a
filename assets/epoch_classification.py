"""epoch_classification: 5-second epochs of a batch in the lake, and one row per recording that says how it went.

Signals are classified; delivered epochs are taken over. Each recording's epochs are a shard named after everything
that decides its content, so a shard that is already there is not made again: a killed run loses one recording's work.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from assets.building.build import Build
from assets.building.recipe import Recipe, Rows, fingerprint, sql_text
from assets.recordings import BOTH
from storage.classification import Recording, classify
from storage.delivered_epochs import delivered_epochs, write_shard
from storage.fan_out import LostTaskError, fan_out
from storage.lake import EpochLake, create_epochs_view
from storage.landing import LandedFile
from study.codebook import codebook

MODEL_FILE = "study/accelerometry/model/epoch_classifier.npz"


class _Listed(NamedTuple):
    person: str
    level: str
    delivery: str
    file: str
    sha256: str


def make(build: Build) -> Rows:
    """Epochs of every accepted raw pair, signal and epochs recording of the batch."""
    lake = EpochLake(build.home.lake, build.key)
    listed = build.read(
        """
        select person, level, delivery, file, sha256 from recordings
        where batch = getvariable('batch') and status = 'accepted' and level in ('raw', 'signal', 'epochs')
        order by person
        """
    )
    rows = [_Listed(*map(str, row)) for row in listed.itertuples(index=False, name=None)]
    files = {(drop.name, file.name): file for drop in build.drops for file in drop.files}
    # What decides a recording's epochs: not how they are counted and judged afterwards.
    method = {
        name: value
        for name, value in build.recipe.method(build.protocol).items()
        if not name.startswith(("sql/", "expectations"))
    }
    shards: dict[str, Path] = {}
    refused: list[dict[str, Any]] = []
    to_classify: list[Recording] = []
    named: dict[str, _Listed] = {}
    for row in (row for row in rows if row.level in ("raw", "signal")):
        name = f"{row.level}-" + fingerprint(method | {"file": row.sha256, "person": row.person})
        named[name] = row
        there = lake.shard(name)
        if there:
            shards[name] = there
        else:
            parts = tuple(files[row.delivery, part].path for part in row.file.split(BOTH))
            to_classify.append(Recording(name, row.person, row.level, parts, lake))
    if to_classify:
        # A broken model is a fault of the installation, not of a recording: it fails here, before any is blamed.
        from study.accelerometry.classifier import load_model

        load_model()
    for recording, done in zip(to_classify, fan_out(classify, to_classify, _progress(build)), strict=True):
        why = str(done) if isinstance(done, LostTaskError) else done.refused
        there = lake.shard(recording.shard)
        if why is None and there:
            shards[recording.shard] = there
        else:
            refused.append({"person": recording.person, "status": "refused", "reason": why or "no epochs were written"})
    delivered = [row for row in rows if row.level == "epochs"]
    for source in sorted({(row.delivery, row.file, row.sha256) for row in delivered}):
        people = [row.person for row in delivered if (row.delivery, row.file, row.sha256) == source]
        name = "epochs-" + fingerprint(method | {"file": source[2], "people": ",".join(people)})
        shards[name] = lake.shard(name) or _take_over(lake, name, people, files[source[:2]])
    with build.session() as connection:
        create_epochs_view(connection, list(shards.values()))
        profile = connection.execute(build.sql()).df()
    notes = {row.person: lake.note(name) for name, row in named.items()}
    frame = _with_status(listed, profile, refused, notes, build.key)
    return Rows(
        frame,
        metadata={"epochs": int(frame["epochs"].sum()), "recordings": len(frame), "shards": len(shards)},
        on_publish=lambda: lake.publish(shards),
    )


def _take_over(lake: EpochLake, name: str, people: list[str], file: LandedFile) -> Path:
    with delivered_epochs(file.path, codebook()["epochs"], sql_text("delivered_epochs")) as connection:
        return write_shard(connection, lake, name, people)


def _with_status(
    listed: pd.DataFrame,
    profile: pd.DataFrame,
    refused: list[dict[str, Any]],
    notes: dict[str, dict[str, Any]],
    batch: str,
) -> pd.DataFrame:
    why = pd.DataFrame(refused, columns=["person", "status", "reason"])
    frame = listed[["person", "level"]].merge(profile, on="person", how="left").merge(why, on="person", how="left")
    made = frame["level"].map({"raw": "classified", "signal": "classified", "epochs": "delivered"})
    frame["status"] = frame["status"].fillna(made).astype("string")
    frame["reason"] = frame["reason"].astype("string")
    counts = ["epochs", "unknown_activities", "repeated_epochs", "speeds_without_walking"]
    frame[counts] = frame[counts].fillna(0).astype("int64")
    frame["problems"] = [", ".join(notes.get(person, {}).get("problems", [])) for person in frame["person"]]
    frame["quality"] = [_json(notes.get(person, {}).get("quality")) for person in frame["person"]]
    frame.insert(0, "batch", pd.Series(batch, index=frame.index, dtype="string"))
    text = ("person", "level", "content", "problems", "quality")
    return frame.astype(dict.fromkeys(text, "string"))


def _json(quality: dict[str, Any] | None) -> str | None:
    return json.dumps(quality) if quality else None


def _progress(build: Build) -> Callable[[int, int], None]:
    started = time.monotonic()

    def tell(done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            left = (time.monotonic() - started) / done * (total - done)
            build.log.info("classified %d of %d recordings, about %.0f s left", done, total, left)

    return tell


RECIPE = Recipe(
    name="epoch_classification",
    group="accelerometry",
    description="5-second epochs of activity and walking speed, in the lake; here one row per recording with counts "
    "and the epochs' digest.",
    partition="batch",
    upstream=("recordings",),
    make=make,
    delivery="recordings",
    sql=("epoch_classification",),
    protocol=("epochs", "walking_speed", "raw_recordings", "synchronization", "calibration", "wear"),
    codebook=("epochs", "signal"),
    files=("sql/delivered_epochs.sql", MODEL_FILE),
    kinds=frozenset({"parquet", "numpy"}),
)
