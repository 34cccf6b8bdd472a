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
from functools import partial
from typing import Any

import pandas as pd
from stegvis.assets.building.build import Build
from stegvis.assets.building.delivered import Delivered, read_file
from stegvis.assets.building.recipe import Recipe, Rows, code_digest, fingerprint, sql_text

from stegvis.deliveries.contract import contract_days
from stegvis.storage.batch import RecordingBatch, Source
from stegvis.storage.delivered_epochs import delivered_epochs, people_of, problems_of, rows_of
from stegvis.storage.lake import EpochLake
from stegvis.storage.landing import Drop, LandedFile
from stegvis.storage.reading import TABLE_ENDINGS, UnreadableFile
from stegvis.storage.recording_records import Note, RecordingNotes
from stegvis.study.codebook import codebook
from stegvis.study.protocol import protocol

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
HALVES = ("_back", "_thigh")
MODEL_FILE = "stegvis/accelerometry/model/epoch_classifier.npz"
# What of the protocol decides how a raw pair or a signal is classified.
CLASSIFIED_BY = ("epochs", "walking_speed", "raw_recordings", "synchronization", "calibration", "wear")


def make(build: Build) -> Rows:
    """Every recording of the batch, each read once and held to its contract."""
    withdrawn = build.withdrawn()
    delivered = Delivered()
    found: list[dict[str, Any]] = []
    days: list[pd.DataFrame] = []
    to_classify: list[tuple[str, Source]] = []
    for drop in build.drops:
        for place, file in enumerate(drop.files, start=1):
            if file.path.suffix.lower() in TABLE_ENDINGS and file.path.stem in ("days", "epochs"):
                found += _table(drop, file, delivered, days)
            else:
                to_classify += [(drop.name, source) for source in _source(drop, file, delivered, found)]
            if place % 50 == 0:
                build.log.info("read %d of %d files of %s", place, len(drop.files), drop.name)
    to_classify = [(delivery, source) for delivery, source in to_classify if source.person not in withdrawn]
    batch = _recording_batch(build)
    outcomes = batch.classify([source for _, source in to_classify])
    for (delivery, source), outcome in zip(to_classify, outcomes, strict=True):
        found.append(_classified(delivery, source, outcome.note, delivered) | {"shard": outcome.shard})

    rows = pd.DataFrame(found, columns=list(COLUMNS)).assign(batch=build.key).astype(COLUMNS)
    rows = rows[~rows["person"].isin(withdrawn)].sort_values("status", ascending=False, kind="stable")
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
        on_publish=lambda: batch.notes.keep_only(batch.asked_for),
    )


def _recording_batch(build: Build) -> RecordingBatch:
    """The batch's recordings; a note is named after the method, the code of the classification and its own parts."""
    method = build.recipe.method(build.protocol)
    decides = [*(f"protocol {name}" for name in CLASSIFIED_BY), "codebook [signal]", f"file {MODEL_FILE}"]
    parts = {name: method[name] for name in decides} | {"code": code_digest("stegvis.storage.classification")}
    return RecordingBatch(
        EpochLake(build.home.lake, build.key),
        RecordingNotes(build.home.lake, build.key),
        lambda kind, own: f"{kind}-{fingerprint(parts | dict(own))}",
        build.tell,
    )


# --- tables of many people ------------------------------------------------------------------------------------------


def _table(drop: Drop, file: LandedFile, delivered: Delivered, days: list[pd.DataFrame]) -> list[dict[str, Any]]:
    label = f"{drop.name}/{file.name}"
    common = {"delivery": drop.name, "file": file.name, "sha256": file.sha256, "status": "accepted"}
    read = _days(file, label, delivered, days) if file.path.stem == "days" else _epochs(file, label, delivered)
    return [common | facts for facts in read]


def _days(file: LandedFile, label: str, delivered: Delivered, days: list[pd.DataFrame]) -> list[dict[str, Any]]:
    if not read_file(file.path, label, codebook()["days"], delivered, partial(contract_days, rules=protocol().days)):
        return []
    frame = delivered.frames.pop()
    days.append(frame[DAY_COLUMNS])
    per_person = frame.groupby("person", sort=False).size()
    return [{"person": person, "level": "days", "hours": 24.0 * count} for person, count in per_person.items()]


def _epochs(file: LandedFile, label: str, delivered: Delivered) -> list[dict[str, Any]]:
    try:
        with delivered_epochs(file.path, codebook()["epochs"], sql_text("delivered_epochs")) as connection:
            problems, people, rows = problems_of(connection, label), people_of(connection), rows_of(connection)
    except UnreadableFile as error:
        delivered.refuse(label, "unreadable", error.reason)
        return []
    delivered.files_read += 1
    delivered.rows_read += rows
    delivered.rows_quarantined += len(problems)
    delivered.problems.append(problems)
    return [dict(facts) | {"level": "epochs"} for _, facts in people.iterrows()]


# --- recordings of one person ---------------------------------------------------------------------------------------


def _source(drop: Drop, file: LandedFile, delivered: Delivered, found: list[dict[str, Any]]) -> list[Source]:
    """The signal or raw pair a file is, if it is one; a pair is told once, with its back half."""
    label = f"{drop.name}/{file.name}"
    stem, ending = file.path.stem, file.path.suffix.lower()
    if ending in TABLE_ENDINGS:
        return [Source(stem, "signal", (file,))]
    if ending != ".cwa":
        delivered.refuse(label, "unknown_file", "not a recording: expected day totals, epochs, a signal or a raw pair")
        return []
    half = next((half for half in HALVES if stem.endswith(half) and stem != half), None)
    if half is None:
        delivered.refuse(label, "file_name", "a raw recording is named <person>_back.cwa or <person>_thigh.cwa")
        return []
    person = stem.removesuffix(half)
    other = next((f for f in drop.files if f.path.stem == person + HALVES[1 - HALVES.index(half)]), None)
    if other is not None:
        return [Source(person, "raw", (file, other))] if half == "_back" else []
    reason = "the other half of the raw pair is missing"
    delivered.refuse(label, "half_missing", reason)
    facts = {"person": person, "level": "raw", "delivery": drop.name, "file": file.name, "sha256": file.sha256}
    found.append(facts | {"status": "refused", "rule": "half_missing", "reason": reason})
    return []


def _classified(delivery: str, source: Source, note: Note, delivered: Delivered) -> dict[str, Any]:
    """The row of a recording that was classified or refused; what is wrong with it goes into quarantine."""
    file = " + ".join(file.name for file in source.files)
    row = {
        "person": source.person,
        "level": source.level,
        "delivery": delivery,
        "file": file,
        "sha256": _hash(source.files),
        "start": pd.Timestamp(note["start"]) if note["start"] else None,
        "hours": note["hours"],
        "rule": note["rule"],
        "reason": note["reason"],
    }
    if note["rule"] is not None:
        _refuse(f"{delivery}/{file}", note, delivered)
        return row | {"status": "refused"}
    delivered.files_read += len(source.files)
    quality: Mapping[str, Any] | None = note["quality"]
    if quality is None:
        return row | {"status": "accepted"}
    told = {"problems": ", ".join(note["problems"]), "quality": json.dumps(quality)}
    return row | {"status": "accepted"} | told | {name: quality[name] for name in QUALITY}


def _refuse(label: str, note: Note, delivered: Delivered) -> None:
    breaches = note["breaches"]
    if not breaches:
        delivered.refuse(label, note["rule"], note["reason"])
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
    files=("sql/delivered_epochs.sql", MODEL_FILE),
    kinds=frozenset({"duckdb", "parquet", "dask", "numpy"}),
)  # fmt: skip
