"""One recording, from its delivered files to its shard of epochs: the work a Dask worker does.

Belongs here: reading, classifying and writing one recording, and the note of how it went. Does not belong here: how the
recordings of a batch are brought together and spread over processes (``stegvis/storage/batch.py``, ``stegvis/storage/fan_out.py``), the
science (``stegvis/accelerometry``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stegvis.accelerometry.signal import AXES, SignalError
from stegvis.deliveries.contract import contract_signal
from stegvis.storage.lake import EpochLake
from stegvis.storage.reading import UnreadableFile, read_table
from stegvis.storage.recording_records import Note, RecordingNotes
from stegvis.study.codebook import codebook

if TYPE_CHECKING:
    from stegvis.accelerometry.calibration import Calibration

# Digits (g) to which the directions a device lay still in are remembered; a device counts in 1/256 g or coarser.
DIGITS = 5


@dataclass(frozen=True)
class Recording:
    """A recording to classify: name of its shard and note, whose it is, its level, its files, and where to put them.

    A raw recording has two files, back before thigh; a signal has one. ``calibrations``: of devices by serial number,
    where the recording's own week cannot tell.
    """

    name: str
    person: str
    level: str
    files: tuple[Path, ...]
    lake: EpochLake
    notes: RecordingNotes
    calibrations: dict[int, Calibration] = field(default_factory=dict)


@dataclass(frozen=True)
class RawFile:
    """One file of a raw pair, whose device's calibration is asked for."""

    name: str
    file: Path
    notes: RecordingNotes


def classify(recording: Recording) -> Note:
    """Classify one recording, write its shard and its note; one that cannot be used is refused in the note, not raised.

    Returns:
        The note: ``rule`` and ``reason`` (why it is refused, else none), ``breaches`` (of the contract: row, column,
        rule, message), ``start``, ``hours`` and number of its ``epochs`` (if there are any), ``problems`` (rules) and
        ``quality`` of a raw pair.
    """
    from stegvis.accelerometry.pair_classification import PairError

    try:
        epochs, note = _pair(recording) if recording.level == "raw" else _signal(recording)
    # What is wrong with the recording, never a value of it.
    except PairError as error:
        epochs, note = None, refused(error.rule, str(error))
    except SignalError as error:
        epochs, note = None, refused("implausible_signal", str(error))
    if epochs is not None:
        epochs.insert(0, "person", recording.person)
        recording.lake.write(recording.name, epochs)
        note["epochs"] = len(epochs)
    # The note last: where there is one, nothing is left to do.
    recording.notes.write(recording.name, note)
    return note


def lay_still(raw: RawFile) -> Note:
    """The device of a raw file and the directions it lay still in, as a note.

    Returns:
        ``device`` (none if the file cannot be used) and ``directions`` (k, 3) in g.
    """
    from stegvis.accelerometry.pair_problems import PairError
    from stegvis.accelerometry.raw_sensor import still_directions_of

    try:
        device, directions = still_directions_of(raw.file)
        note: Note = {"device": device, "directions": np.round(directions, DIGITS).tolist()}
    except PairError:
        note = {"device": None, "directions": []}
    raw.notes.write(raw.name, note)
    return note


def _pair(recording: Recording) -> tuple[pd.DataFrame, Note]:
    from stegvis.accelerometry.pair_classification import process_pair

    back, thigh = recording.files
    result = process_pair(back, thigh, calibrations=recording.calibrations)
    note = _accepted(result.epochs["epoch_start"].iloc[0], float(result.quality["hours_in_common"]))
    note["problems"] = [problem.rule for problem in result.problems]
    note["quality"] = {name: _plain(value) for name, value in result.quality.items()}
    return in_the_lakes_form(result.epochs), note


def _signal(recording: Recording) -> tuple[pd.DataFrame | None, Note]:
    from stegvis.accelerometry.classifier import classify_windows

    (file,) = recording.files
    try:
        contracted = contract_signal(read_table(file, infer_types=True), codebook()["signal"], file.name)
    except UnreadableFile as error:
        return None, refused("unreadable", error.reason)
    if contracted.refused:
        breaches = contracted.problems[["row", "column", "rule", "message"]].astype(object)
        listed = breaches.where(breaches.notna(), None).to_dict("records")
        return None, refused(listed[0]["rule"], listed[0]["message"]) | {"breaches": listed}
    signal = contracted.frame
    stamps = signal["timestamp"]
    hours = (stamps.iloc[-1] - stamps.iloc[0]).total_seconds() / 3600
    found = classify_windows(stamps.to_numpy(), signal[list(AXES)].to_numpy("float32"))
    return in_the_lakes_form(found.epochs), _accepted(stamps.iloc[0], hours)


def in_the_lakes_form(epochs: pd.DataFrame) -> pd.DataFrame:
    """Classified epochs as the lake keeps them: small integers, and zero where there is no pace.

    Args:
        epochs: of ``chain.process_pair``, or of ``classifier.classify_windows``, which knows nothing of wear.
    """
    kept = ["epoch_start", "activity", "speed", "confidence", "wear_back", "wear_thigh"]
    centimeters = epochs["speed_km_per_hour"] / 3.6 * 100
    return epochs[[name for name in kept if name in epochs]].assign(
        cadence=_small(epochs["cadence"]), centimeters_per_second=_small(centimeters)
    )


def _small(values: pd.Series[float]) -> pd.Series[int]:
    return values.round().fillna(0).clip(0, 255).astype("uint8")


def _accepted(start: pd.Timestamp, hours: float) -> Note:
    note = refused(None, None)
    return note | {"start": start.isoformat(), "hours": hours}


def refused(rule: str | None, reason: str | None) -> Note:
    """The note of a recording that cannot be used; of one that can, to be filled in, where there is no rule."""
    return {
        "rule": rule, "reason": reason, "breaches": [], "start": None, "hours": None, "problems": [], "quality": None,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
