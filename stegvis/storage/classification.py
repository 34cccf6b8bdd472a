"""Classify one recording: from its delivered files to its shard of epochs and its processing record.

This is the work of one Dask task. Tasks are plain values: files and settings. Shard and record go back with the result,
so that a worker writes to no folder but its own scratch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stegvis.accelerometry.method import Method
from stegvis.accelerometry.mixed_epochs import split_mixed
from stegvis.accelerometry.signal import AXES, SignalError
from stegvis.storage.delivered_files import read_signal
from stegvis.storage.lake import EpochLake, shard_of
from stegvis.storage.reading import UnreadableFile
from stegvis.storage.recording_records import RecordingRecord, RecordingRecords
from stegvis.storage.remote_files import RemoteFile, local_files
from stegvis.study.codebook import Layout

if TYPE_CHECKING:
    from stegvis.accelerometry.calibration import Calibration

# Decimals (g) of stored directions of a stationary device; its resolution is 1/256 g or coarser.
DECIMALS = 5


@dataclass(frozen=True)
class ClassificationTask:
    """A recording to classify.

    Attributes:
        name: of its shard and its record.
        person: identifier.
        level: ``raw`` or ``signal``.
        files: two for a raw recording, back before thigh; one for a signal.
        method: the settings of the classification.
        layout: the codebook's layout of a signal.
        calibrations: pooled calibrations by the device's serial number, for devices that could not be calibrated from
            this recording alone.
    """

    name: str
    person: str
    level: str
    files: tuple[Path | RemoteFile, ...]
    method: Method
    layout: Layout
    calibrations: Mapping[int, Calibration] = field(default_factory=dict)


@dataclass(frozen=True)
class DirectionsTask:
    """One file of a raw pair, to find the directions of its device while stationary."""

    name: str
    file: Path | RemoteFile
    method: Method


@dataclass(frozen=True)
class Classified:
    """The record of a recording, and the content of its shard if it has one."""

    record: RecordingRecord
    shard: bytes | None


def classify_recording(task: ClassificationTask) -> Classified:
    """Classify one recording. An unusable recording is refused in the record.

    Returns:
        The shard, and the record: ``rule`` and ``reason`` (why it is refused, else null), ``breaches`` (of the
        contract: row, column, rule, message), ``start``, ``hours`` and the number of ``epochs`` (if there are any),
        ``problems`` (rules) and ``quality`` of a raw pair.
    """
    with local_files(task.files) as files:
        return _classified(task, files)


def _classified(task: ClassificationTask, files: Sequence[Path]) -> Classified:
    from stegvis.accelerometry.pair_problems import PairError

    try:
        epochs, record = _pair(task, files) if task.level == "raw" else _signal(task, files)
    # These messages describe the fault and never contain a value of the recording.
    except PairError as error:
        epochs, record = None, refused(error.rule, str(error))
    except SignalError as error:
        epochs, record = None, refused("implausible_signal", str(error))
    if epochs is None:
        return Classified(record, None)
    epochs.insert(0, "person", task.person)
    seconds = task.method.epochs.seconds
    return Classified(record | {"epochs": int(epochs["seconds"].sum()) // seconds}, shard_of(epochs, seconds))


def keep_classified(name: str, found: Classified, lake: EpochLake, records: RecordingRecords) -> None:
    """Stage the shard and write the record, which is last: that it exists means that the recording is complete."""
    if found.shard is not None:
        lake.stage(name, found.shard)
    records.write(name, found.record)


def find_still_directions(task: DirectionsTask) -> RecordingRecord:
    """Find the directions of a raw file's device while stationary; the result is the record.

    Returns:
        ``device`` (null if the file is unusable) and ``directions`` (k, 3) in g.
    """
    from stegvis.accelerometry.pair_problems import PairError
    from stegvis.accelerometry.raw_sensor import still_directions_of

    try:
        with local_files([task.file]) as (file,):
            device, directions = still_directions_of(file, task.method)
    except PairError:
        return {"device": None, "directions": []}
    return {"device": device, "directions": np.round(directions, DECIMALS).tolist()}


def _pair(task: ClassificationTask, files: Sequence[Path]) -> tuple[pd.DataFrame, RecordingRecord]:
    from stegvis.accelerometry.pair_classification import classify_pair

    back, thigh = files
    result = classify_pair(back, thigh, task.method, calibrations=task.calibrations)
    record = _accepted(result.epochs["epoch_start"].iloc[0], float(result.quality["hours_in_common"]))
    record["problems"] = [problem.rule for problem in result.problems]
    record["quality"] = {name: _plain(value) for name, value in result.quality.items()}
    return to_lake_schema(split_mixed(result.epochs, result.mixed, task.method.epochs.seconds)), record


def _signal(task: ClassificationTask, files: Sequence[Path]) -> tuple[pd.DataFrame | None, RecordingRecord]:
    from stegvis.accelerometry.classifier import classify_windows

    (file,) = files
    try:
        contracted = read_signal(file, file.name, task.layout)
    except UnreadableFile as error:
        return None, refused("unreadable", error.reason)
    if contracted.refused:
        breaches = contracted.problems[["row", "column", "rule", "message"]].astype(object)
        listed = breaches.where(breaches.notna(), None).to_dict("records")
        return None, refused(listed[0]["rule"], listed[0]["message"]) | {"breaches": listed}
    signal = contracted.frame
    stamps = signal["timestamp"]
    hours = (stamps.iloc[-1] - stamps.iloc[0]).total_seconds() / 3600
    found = classify_windows(stamps.to_numpy(), signal[list(AXES)].to_numpy("float32"), task.method)
    epochs = split_mixed(found.epochs, found.mixed, task.method.epochs.seconds)
    return to_lake_schema(epochs), _accepted(stamps.iloc[0], hours)


def to_lake_schema(epochs: pd.DataFrame) -> pd.DataFrame:
    """Classified epochs in the lake's schema: small integers, and zero where there is no pace.

    Args:
        epochs: of ``split_mixed``, from ``pair_classification.classify_pair`` or ``classifier.classify_windows``, which
            has no wear.
    """
    kept = ["epoch_start", "seconds", "activity", "speed", "confidence", "wear_back", "wear_thigh"]
    centimeters = epochs["speed_km_per_hour"] / 3.6 * 100
    return epochs[[name for name in kept if name in epochs]].assign(
        cadence=_small(epochs["cadence"]), centimeters_per_second=_small(centimeters)
    )


def _small(values: pd.Series[float]) -> pd.Series[int]:
    return values.round().fillna(0).clip(0, 255).astype("uint8")


def _accepted(start: pd.Timestamp, hours: float) -> RecordingRecord:
    return _record(None, None) | {"start": start.isoformat(), "hours": hours}


def refused(rule: str, reason: str) -> RecordingRecord:
    """The record of a recording that cannot be used."""
    return _record(rule, reason)


def _record(rule: str | None, reason: str | None) -> RecordingRecord:
    return {
        "rule": rule, "reason": reason, "breaches": [], "start": None, "hours": None, "problems": [], "quality": None,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
