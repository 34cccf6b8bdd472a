"""One recording, from its delivered files to its shard of epochs: the work a Dask worker does.

Belongs here: reading, classifying and writing one recording. Does not belong here: how recordings are spread over
processes (``storage/fan_out.py``), the science (``study/accelerometry``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from storage.lake import EpochLake
from storage.reading import read_table
from study.accelerometry.signal import AXES, SignalError
from study.codebook import codebook
from study.contract import contract_signal


@dataclass(frozen=True)
class Recording:
    """A recording to classify: the shard's name, whose it is, its level, its files, and where the shard goes.

    A raw recording has two files, back before thigh; a signal has one.
    """

    shard: str
    person: str
    level: str
    files: tuple[Path, ...]
    lake: EpochLake


@dataclass(frozen=True)
class Classified:
    """What came of a recording: its shard, or why there is none."""

    shard: str
    person: str
    refused: str | None = None


def classify(recording: Recording) -> Classified:
    """Classify one recording and write its shard; one that cannot be used is refused with its reason, not raised."""
    from study.accelerometry.chain import PairError

    try:
        epochs, note = _pair(recording) if recording.level == "raw" else _signal(recording)
    except (SignalError, PairError) as error:  # say what is wrong with the recording, never a value of it
        return Classified(recording.shard, recording.person, refused=str(error))
    epochs.insert(0, "person", recording.person)
    # The note first: a shard that is there is complete.
    recording.lake.write_note(recording.shard, note)
    recording.lake.write(recording.shard, epochs)
    return Classified(recording.shard, recording.person)


def _signal(recording: Recording) -> tuple[pd.DataFrame, dict[str, Any]]:
    from study.accelerometry.classifier import classify_signal

    (file,) = recording.files
    signal = contract_signal(read_table(file, infer_types=True), codebook()["signal"], file.name).frame
    return classify_signal(signal["timestamp"].to_numpy(), signal[list(AXES)].to_numpy("float32")), {}


def _pair(recording: Recording) -> tuple[pd.DataFrame, dict[str, Any]]:
    from study.accelerometry.chain import process_pair

    back, thigh = recording.files
    result = process_pair(back, thigh)
    note = {
        "problems": [problem.rule for problem in result.problems],
        "messages": [problem.message for problem in result.problems],
        "quality": {name: _plain(value) for name, value in result.quality.items()},
    }
    return result.epochs[["epoch_start", "activity", "speed", "confidence"]].copy(), note


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
