"""recordings: one row per recording of a batch, whatever its level: raw pair, signal, epochs or day totals.

Every recording is read here, and only here is it decided whether it can be used. Reading a raw pair or a signal for its
quality is most of the way to its epochs, so workers classify it on the way and leave the epochs in the lake, where
``epoch_classification`` takes them up. Day totals are small and are kept beside, in the table ``delivered_days``,
published in the same transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd

from stegvis.accelerometry.method import CLASSIFICATION_VERSION
from stegvis.assets.building.build import Build
from stegvis.assets.building.delivered import Delivered, read_file
from stegvis.assets.building.recipe import Recipe, Rows, fingerprint, sql_text
from stegvis.storage.batch import RecordingBatch, Source
from stegvis.storage.delivered_files import DeliveryContract
from stegvis.storage.lake import EpochLake
from stegvis.storage.landing import Drop, LandedFile
from stegvis.storage.recording_files import recordings_of, sensor_of
from stegvis.storage.recording_records import RecordingRecord, RecordingRecords
from stegvis.study.codebook import codebook

# Of a raw pair, as ``stegvis.accelerometry.pair_classification`` names them; the column ``quality`` has all of them.
QUALITY = {
    "back_device_id": "Int64",
    "thigh_device_id": "Int64",
    "back_rate_hz": "Float64",
    "thigh_rate_hz": "Float64",
    "back_gap_seconds": "Float64",
    "thigh_gap_seconds": "Float64",
    "back_sectors_masked": "Int64",
    "thigh_sectors_masked": "Int64",
    "back_wear_hours": "Float64",
    "thigh_wear_hours": "Float64",
    "wear_hours": "Float64",
    "back_calibration": "string",
    "thigh_calibration": "string",
    "back_calibration_error_after_g": "Float64",
    "thigh_calibration_error_after_g": "Float64",
    "synchronization": "string",
    "offset_seconds": "Float64",
    "drift_seconds_per_day": "Float64",
    "synchronization_error_seconds": "Float64",
    "swapped": "boolean",
    "back_worn_as": "string",
    "thigh_worn_as": "string",
}
COLUMNS = {
    "batch": "string",
    "person": "string",
    "level": "string",
    "delivery": "string",
    "file": "string",
    "sha256": "string",
    "start": "datetime64[us]",
    "hours": "float64",
    "status": "string",
    "rule": "string",
    "reason": "string",
    "problems": "string",
    **QUALITY,
    "quality": "string",
    "shard": "string",
}
DAY_COLUMNS = [
    "person", "day", "lying", "sitting", "standing", "walking_slow", "walking_moderate", "walking_brisk", "walking",
    "running", "cycling",
]  # fmt: skip
FINEST_FIRST = ["raw", "signal", "epochs", "days"]
MODEL_FILE = "file accelerometry/model/epoch_classifier.npz"
# What of the protocol decides how a raw pair or a signal is classified.
CLASSIFIED_BY = ("epochs", "walking_speed", "raw_recordings", "synchronization", "calibration", "wear")


def make(build: Build) -> Rows:
    """Every recording of the batch, each read once and held to its contract."""
    withdrawn = build.withdrawn()
    build.remove_damaged_files("epoch_classification")
    delivered = Delivered()
    found: list[dict[str, Any]] = []
    days: list[pd.DataFrame] = []
    contract = DeliveryContract(codebook(), build.protocol, sql_text("delivered_epochs"))
    to_classify: list[tuple[str, Source]] = []
    left_out: list[tuple[str, str, str]] = []
    for drop in build.drops:
        by_name = {file.name: file for file in drop.files}
        recordings, issues = recordings_of(by_name)
        for issue in issues:
            if named := withdrawn.named_in(issue.file):
                left_out += [(person, drop.name, issue.file) for person in named]
                continue
            delivered.refuse(f"{drop.name}/{issue.file}", issue.rule, issue.message)
            if issue.rule == "half_missing":
                found.append(_half(drop, by_name[issue.file], issue.message))
        for place, recording in enumerate(recordings, start=1):
            files = tuple(by_name[name] for name in recording.files)
            if recording.person is None:
                found += _table(drop, files[0], contract, delivered, days)
            else:
                to_classify.append((drop.name, Source(recording.person, recording.level, files)))
            if place % 50 == 0:
                build.log.info("read %d of %d recordings of %s", place, len(recordings), drop.name)
    left_out += [(each["person"], each["delivery"], each["file"]) for each in found]
    left_out += [(source.person, name, file.name) for name, source in to_classify for file in source.files]
    build.without_withdrawn(pd.DataFrame(left_out, columns=["person", "delivery", "delivered_file"], dtype="str"))
    to_classify = [(delivery, source) for delivery, source in to_classify if source.person not in withdrawn]
    batch = _recording_batch(build)
    outcomes = batch.classify([source for _, source in to_classify])
    for (delivery, source), outcome in zip(to_classify, outcomes, strict=True):
        found.append(_classified(delivery, source, outcome.record, delivered) | {"shard": outcome.shard})

    rows = pd.DataFrame(found, columns=list(COLUMNS)).assign(batch=build.key).astype(COLUMNS)
    rows = rows[~withdrawn.among(rows["person"])].sort_values("status", ascending=False, kind="stable")
    # Of two of one level the one that can be used, else the later one.
    rows = _mark_superseded(rows.drop_duplicates(["person", "level"], keep="last"))
    rows = rows.sort_values(["person", "level"], ignore_index=True)
    totals = pd.concat(days, ignore_index=True) if days else _no_days()
    totals = totals.drop_duplicates(["person", "day"], keep="last")
    kept = rows.loc[(rows["level"] == "days") & (rows["status"] == "accepted"), "person"]
    totals = totals[totals["person"].isin(kept)].sort_values(["person", "day"], ignore_index=True)
    totals.insert(0, "batch", build.key)
    accepted = int((rows["status"] == "accepted").sum())
    return Rows(
        rows,
        delivered.summary() | {"recordings_accepted": accepted, "recordings_refused": len(rows) - accepted},
        delivered.all_problems(),
        also={"delivered_days": totals.astype({"batch": "string"})},
        on_publish=lambda: batch.records.keep_only(batch.used_records),
    )


def _recording_batch(build: Build) -> RecordingBatch:
    """The batch's recordings; a record is named after the method, the code of the classification and its own parts."""
    method = build.recipe.method(build.protocol)
    decides = [*(f"protocol {name}" for name in CLASSIFIED_BY), "codebook [signal]", MODEL_FILE]
    # Raw recordings cost core-days: they are classified again for a new version of the method, not for every edit.
    parts = {name: method[name] for name in decides} | {"method version": CLASSIFICATION_VERSION}
    return RecordingBatch(
        EpochLake(build.home.lake, build.key),
        RecordingRecords(build.home.lake, build.key),
        lambda kind, own: f"{kind}-{fingerprint(parts | dict(own))}",
        build.tell,
        build.protocol,
        codebook()["signal"],
    )


# --- tables of many people ------------------------------------------------------------------------------------------


def _table(
    drop: Drop, file: LandedFile, contract: DeliveryContract, delivered: Delivered, days: list[pd.DataFrame]
) -> list[dict[str, Any]]:
    label = f"{drop.name}/{file.name}"
    common = {"delivery": drop.name, "file": file.name, "sha256": file.sha256, "status": "accepted"}
    level: Literal["days", "epochs"] = "days" if file.path.stem == "days" else "epochs"
    if not read_file(file.path, label, level, delivered, contract):
        return []
    frame = delivered.frames.pop()
    if level == "epochs":
        return [common | dict(facts) | {"level": level} for _, facts in frame.iterrows()]
    days.append(frame[DAY_COLUMNS])
    per_person = frame.groupby("person", sort=False).size()
    return [common | {"person": who, "level": level, "hours": 24.0 * count} for who, count in per_person.items()]


# --- recordings of one person ---------------------------------------------------------------------------------------


def _half(drop: Drop, file: LandedFile, reason: str) -> dict[str, Any]:
    """The row of a raw recording of which one sensor is missing."""
    sensor = sensor_of(file.name)
    facts = {"person": sensor and sensor[0], "level": "raw", "delivery": drop.name, "file": file.name}
    return facts | {"sha256": file.sha256, "status": "refused", "rule": "half_missing", "reason": reason}


def _classified(delivery: str, source: Source, record: RecordingRecord, delivered: Delivered) -> dict[str, Any]:
    """The row of a recording that was classified or refused; what is wrong with it goes into quarantine."""
    file = " + ".join(file.name for file in source.files)
    row = {
        "person": source.person,
        "level": source.level,
        "delivery": delivery,
        "file": file,
        "sha256": _hash(source.files),
        "start": pd.Timestamp(record["start"]) if record["start"] else None,
        "hours": record["hours"],
        "rule": record["rule"],
        "reason": record["reason"],
    }
    if record["rule"] is not None:
        _refuse(f"{delivery}/{file}", record, delivered)
        return row | {"status": "refused"}
    delivered.files_read += len(source.files)
    quality: Mapping[str, Any] | None = record["quality"]
    if quality is None:
        return row | {"status": "accepted"}
    reported = {"problems": ", ".join(record["problems"]), "quality": json.dumps(quality)}
    return row | {"status": "accepted"} | reported | {name: quality[name] for name in QUALITY}


def _refuse(label: str, record: RecordingRecord, delivered: Delivered) -> None:
    breaches = record["breaches"]
    if not breaches:
        delivered.refuse(label, record["rule"], record["reason"])
        return
    delivered.files_refused += 1
    delivered.problems.append(pd.DataFrame(breaches).assign(file=label).astype({"row": "Int64"}))


def _hash(files: Sequence[LandedFile]) -> str:
    if len(files) == 1:
        return files[0].sha256
    return hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()


def _mark_superseded(rows: pd.DataFrame) -> pd.DataFrame:
    """Of a person's accepted recordings in the batch only the finest level is used."""
    accepted = rows["status"] == "accepted"
    rank = rows["level"].map({level: place for place, level in enumerate(FINEST_FIRST)})
    finest = rank.where(accepted).groupby(rows["person"]).transform("min")
    superseded = accepted & (rank > finest)
    reason = "the batch holds a finer recording of the same person"
    rows.loc[superseded, ["status", "rule", "reason"]] = ["superseded", "finer_recording", reason]
    return rows


def _no_days() -> pd.DataFrame:
    numbers = dict.fromkeys(DAY_COLUMNS[2:], "float64")
    return pd.DataFrame(columns=DAY_COLUMNS).astype({"person": "string", "day": "int64"} | numbers)


RECIPE = Recipe(
    name="recordings",
    group="deliveries",
    description="One row per recording of a batch: level (raw, signal, epochs, days), devices, start, hours, quality "
    "of clocks, wear and calibration, hash, status and reason. Raw pairs and signals are classified on the way; "
    "delivered day totals are kept beside it.",
    partition="batch",
    upstream=("withdrawals",),
    make=make,
    delivery="recordings",
    codebook=("days", "epochs", "signal"),
    protocol=(
        "days.days_per_recording", "days.seconds_per_day", "days.speed_sum_tolerance_seconds", *CLASSIFIED_BY,
    ),
    files=("sql/delivered_epochs.sql",),
    kinds=frozenset({"duckdb", "parquet", "dask", "numpy"}),
    makes_files_of="epoch_classification",
)  # fmt: skip
