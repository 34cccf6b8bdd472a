"""Read every recording of a batch, whatever its level: raw pair, signal, epochs or day totals.

Each is checked against its contract, raw pairs and signals are classified by workers, and delivered epochs are copied
to the lake. Epochs are staged in the lake as shards, each named after everything that decides its content, so a shard
that is already there is not made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from stegvis.accelerometry.method import CLASSIFICATION_VERSION
from stegvis.provenance.code import code_parts, data_digest, sql_digest
from stegvis.provenance.fingerprint import fingerprint
from stegvis.provenance.libraries import library_versions
from stegvis.storage.batch import RecordingBatch, Source
from stegvis.storage.delivered_files import DeliveryContract, read_delivered
from stegvis.storage.drops import Delivered, count_file
from stegvis.storage.kept_bouts import KeptBouts
from stegvis.storage.lake import EpochLake
from stegvis.storage.landing import Drop, LandedFile
from stegvis.storage.objects import ObjectStorageError
from stegvis.storage.reader import Reader
from stegvis.storage.recording_files import recordings_of, sensor_of
from stegvis.storage.recording_records import ENDING, RecordingRecord, RecordingRecords
from stegvis.storage.stored_identifiers import stored_identifiers, stored_name
from stegvis.storage.withdrawal_list import WithdrawalList
from stegvis.study.study import Study

# Of a raw pair, as ``stegvis.accelerometry.pair_classification`` names them, those of the back missing for a thigh
# sensor alone; the column ``quality`` has all of them.
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
MODELS = (
    "accelerometry/model/epoch_classifier.npz",
    "accelerometry/model/thigh_50hz.npz",
    "accelerometry/model/thigh_12hz.npz",
)
MANY = 1_000  # people whose delivered epochs take a second to store, which is reported
# The sections of the protocol that decide how a raw pair or a signal is classified.
CLASSIFIED_BY = ("epochs", "walking_speed", "raw_recordings", "synchronization", "calibration", "wear")


@dataclass
class Recordings:
    """The recordings of a batch after reading.

    Attributes:
        rows: the table ``recordings``: one row per person and level.
        days: the table ``delivered_days``: delivered day totals.
        shards: the files of the batch's epochs, by name; staged, or in place from before.
        delivered: what was read, refused and quarantined.
        records: of the classification, to remove those that are no longer needed.
    """

    rows: pd.DataFrame
    days: pd.DataFrame
    shards: Mapping[str, Path]
    delivered: Delivered
    records: RecordingBatch

    def summary(self) -> dict[str, float]:
        """Counts of rows, files and recordings."""
        accepted = int((self.rows["status"] == "accepted").sum())
        counts = {"recordings_accepted": float(accepted), "recordings_refused": float(len(self.rows) - accepted)}
        return self.delivered.summary() | counts

    def publish(self, lake: EpochLake) -> None:
        """Move the shards into place, and remove those and the records that no longer belong to the batch."""
        lake.publish(self.shards)
        self.records.records.keep_only(self.records.used_records)
        if lake.copy:
            try:
                lake.copy.keep_only("epochs", lake.batch, [lake.file(name).name for name in self.shards])
                names = [f"{name}{ENDING}" for name in self.records.used_records]
                lake.copy.keep_only("recordings", lake.batch, names)
            except ObjectStorageError as error:  # what is too much harms nobody, and goes the next time
                self.records.report(str(error))


@dataclass
class _Reading:
    """What is known so far; ``bouts`` are those of epochs files, by drop and file, kept in the folder ``bouts_in``."""

    contract: DeliveryContract
    bouts_in: Path
    report: Callable[[str], None]
    delivered: Delivered = field(default_factory=Delivered)
    rows: list[dict[str, Any]] = field(default_factory=list)
    days: list[pd.DataFrame] = field(default_factory=list)
    to_classify: list[tuple[str, Source]] = field(default_factory=list)
    withdrawn: list[tuple[str, str, str]] = field(default_factory=list)
    bouts: dict[tuple[str, str], KeptBouts] = field(default_factory=dict)

    def shown(self, file: str) -> str:
        """The name of a file as it is stored."""
        return stored_name(file, self.contract.stored)

    def delivered_people(self) -> pd.DataFrame:
        """Who was delivered, by which delivery and in which file."""
        people = [*self.withdrawn, *((each["person"], each["delivery"], each["file"]) for each in self.rows)]
        people += [
            (source.person, name, self.shown(file.name)) for name, source in self.to_classify for file in source.files
        ]
        return pd.DataFrame(people, columns=["person", "delivery", "delivered_file"], dtype="str")


def read_recordings(
    lake: EpochLake, drops: Sequence[Drop], warehouse: Reader, study: Study, report: Callable[[str], None]
) -> Recordings:
    """Read every recording of a batch once.

    Args:
        lake: of the batch.
        drops: its deliveries, in the order they apply.
        warehouse: knows whose consent is withdrawn.
        study: protocol and codebook.
        report: called with one line of progress at a time.

    Raises:
        stegvis.storage.tasks.ClusterLostError: the workers disappeared; completed recordings are kept.
    """
    withdrawn = warehouse.withdrawn()
    stored = stored_identifiers(warehouse.warehouse.home.root, study.protocol)
    contract = DeliveryContract(study.codebook, study.protocol, stored=stored)
    reading = _Reading(contract, lake.staging, report)
    try:
        return _read(lake, drops, warehouse, study, reading, withdrawn)
    finally:
        for bouts in reading.bouts.values():
            bouts.close()


def _read(
    lake: EpochLake,
    drops: Sequence[Drop],
    warehouse: Reader,
    study: Study,
    reading: _Reading,
    withdrawn: WithdrawalList,
) -> Recordings:
    for drop in drops:
        _read_drop(drop, reading, withdrawn)
    warehouse.without_withdrawn(reading.delivered_people())
    batch = _recording_batch(lake, study, reading.report)
    to_classify = [(delivery, source) for delivery, source in reading.to_classify if source.person not in withdrawn]
    outcomes = batch.classify([source for _, source in to_classify])
    for (delivery, source), outcome in zip(to_classify, outcomes, strict=True):
        row = _classified(delivery, source, outcome.record, reading)
        reading.rows.append(row | {"shard": outcome.shard})
    rows = pd.DataFrame(reading.rows, columns=list(COLUMNS)).assign(batch=lake.batch).astype(COLUMNS)
    rows = rows[~withdrawn.among(rows["person"])].sort_values("status", ascending=False, kind="stable")
    # Of two of one level the one that can be used, else the later one.
    rows = _mark_superseded(rows.drop_duplicates(["person", "level"], keep="last"))
    rows = rows.sort_values(["person", "level"], ignore_index=True)
    used = rows[rows["status"] == "accepted"]
    classified = {name: lake.shard(name) for name in used["shard"].dropna()}
    # One that is gone from the lake leaves its recording without epochs, which the expectations do not let pass.
    shards = {name: path for name, path in classified.items() if path}
    shards |= _delivered_shards(lake, used[used["level"] == "epochs"], reading)
    # Before they are published: what the tables name is in the copy as well.
    if copied := lake.store_copies(shards) + batch.records.store_copies(batch.used_records):
        reading.report(f"{copied:,} files of the lake written to object storage")
    return Recordings(rows, _days(reading.days, rows, lake.batch), shards, reading.delivered, batch)


def _read_drop(drop: Drop, reading: _Reading, withdrawn: WithdrawalList) -> None:
    by_name = {file.name: file for file in drop.files}
    recordings, issues = recordings_of(by_name)
    for issue in issues:
        if named := withdrawn.named_in(issue.file):
            # Named after them, so no name: they are counted with the drop.
            reading.withdrawn += [(person, drop.name, "") for person in map(reading.contract.stored, named)]
            continue
        reading.delivered.refuse(f"{drop.name}/{reading.shown(issue.file)}", issue.rule, issue.message)
        if issue.rule == "half_missing":
            reading.rows.append(_half(drop, by_name[issue.file], issue.message, reading))
    for place, recording in enumerate(recordings, start=1):
        files = tuple(by_name[name] for name in recording.files)
        if recording.person is None:
            reading.rows += _table(drop, files[0], reading)
        else:
            person = reading.contract.stored(recording.person)
            delivered_as = recording.person if person != recording.person else ""
            reading.to_classify.append((drop.name, Source(person, recording.level, files, delivered_as)))
        if place % 50 == 0:
            reading.report(f"read {place} of {len(recordings)} recordings of {drop.name}")


def _recording_batch(lake: EpochLake, study: Study, report: Callable[[str], None]) -> RecordingBatch:
    """The batch's recordings; a record is named after the method of the classification and its own parts."""
    layout = study.codebook["signal"]
    # Raw recordings cost core-days: they are classified again for a new version of the method, not for every edit.
    parts = {f"protocol {name}": json.dumps(study.protocol.value(name)) for name in CLASSIFIED_BY}
    parts |= {"codebook signal": json.dumps(layout.model_dump(mode="json"))}
    parts |= {f"file {model}": data_digest(model) for model in MODELS}
    parts |= {"method version": CLASSIFICATION_VERSION}
    return RecordingBatch(
        lake,
        RecordingRecords(lake.root, lake.batch, lake.copy),
        lambda kind, own: f"{kind}-{fingerprint(parts | dict(own))}",
        report,
        study.protocol,
        layout,
    )


def _delivered_shards(lake: EpochLake, listed: pd.DataFrame, reading: _Reading) -> dict[str, Path]:
    """The shards of delivered epochs, one of each file."""
    layout, seconds = reading.contract.codebook["epochs"], reading.contract.protocol.epochs.seconds
    method = code_parts("stegvis.storage.epochs_file") | library_versions()
    method |= {"codebook epochs": json.dumps(layout.model_dump(mode="json")), "epochs.seconds": str(seconds)}
    method |= {"sql": sql_digest("delivered_epochs")}
    shards: dict[str, Path] = {}
    for (delivery, file, sha256), rows in listed.groupby(["delivery", "file", "sha256"]):
        people = rows["person"].to_list()
        name = "epochs-" + fingerprint(method | {"file": str(sha256), "people": ",".join(people)})
        found = lake.shard(name)
        if found is None:
            if len(people) >= MANY:
                reading.report(f"storing the epochs of {len(people):,} people of {delivery}/{file}")
            found = reading.bouts[str(delivery), str(file)].write_shard(lake, name, people)
        shards[name] = found
    return shards


def _days(days: Sequence[pd.DataFrame], rows: pd.DataFrame, batch: str) -> pd.DataFrame:
    """The delivered day totals that are used, one row per person and day."""
    numbers = dict.fromkeys(DAY_COLUMNS[2:], "float64")
    nothing = pd.DataFrame(columns=DAY_COLUMNS).astype({"person": "string", "day": "int64"} | numbers)
    totals = pd.concat(days, ignore_index=True) if days else nothing
    totals = totals.drop_duplicates(["person", "day"], keep="last")
    kept = rows.loc[(rows["level"] == "days") & (rows["status"] == "accepted"), "person"]
    totals = totals[totals["person"].isin(kept)].sort_values(["person", "day"], ignore_index=True)
    totals.insert(0, "batch", batch)
    return totals.astype({"batch": "string"})


def _table(drop: Drop, file: LandedFile, reading: _Reading) -> list[dict[str, Any]]:
    label = f"{drop.name}/{file.name}"
    common = {"delivery": drop.name, "file": file.name, "sha256": file.sha256, "status": "accepted"}
    level: Literal["days", "epochs"] = "days" if file.path.stem == "days" else "epochs"
    if level == "epochs":  # here, so that a lake that may not be written to is no fault of the file
        reading.bouts_in.mkdir(parents=True, exist_ok=True)
    found = read_delivered(file.path, label, level, reading.contract, reading.bouts_in, reading.report)
    count_file(found, reading.delivered)
    if found.bouts is not None:
        reading.bouts[drop.name, file.name] = found.bouts
    if found.refused:
        return []
    frame = found.frame
    if level == "epochs":
        return [
            common | {"level": level} | dict(zip(map(str, frame), facts, strict=True))
            for facts in frame.itertuples(index=False)
        ]
    reading.days.append(frame[DAY_COLUMNS])
    per_person = frame.groupby("person", sort=False).size()
    return [common | {"person": who, "level": level, "hours": 24.0 * count} for who, count in per_person.items()]


def _half(drop: Drop, file: LandedFile, reason: str, reading: _Reading) -> dict[str, Any]:
    """The row of a raw recording of which one sensor is missing."""
    sensor = sensor_of(file.name)
    person, name = sensor and reading.contract.stored(sensor[0]), reading.shown(file.name)
    facts = {"person": person, "level": "raw", "delivery": drop.name, "file": name}
    return facts | {"sha256": file.sha256, "status": "refused", "rule": "half_missing", "reason": reason}


def _classified(delivery: str, source: Source, record: RecordingRecord, reading: _Reading) -> dict[str, Any]:
    """The row of a recording that was classified or refused; what is wrong with it goes into quarantine."""
    delivered, file = reading.delivered, " + ".join(reading.shown(file.name) for file in source.files)
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
    return row | {"status": "accepted"} | reported | {name: quality.get(name) for name in QUALITY}


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
