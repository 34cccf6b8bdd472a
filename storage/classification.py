"""One recording, from its delivered files to its shard of epochs: the work a Dask worker does.

Belongs here: reading, classifying and writing one recording. Does not belong here: how recordings are spread over
processes (``storage/fan_out.py``), the science (``study/accelerometry``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from storage.lake import EpochLake
from storage.reading import read_table
from study.accelerometry.signal import AXES, SignalError
from study.codebook import codebook
from study.contract import contract_signal


@dataclass(frozen=True)
class Recording:
    """A recording to classify: the shard's name, whose it is, its level, its files, and where the shard goes."""

    shard: str
    person: str
    level: str
    files: tuple[Path, ...]
    lake: EpochLake


@dataclass(frozen=True)
class Classified:
    """What came of a recording: its shard, or why there is none; quality as plain numbers."""

    shard: str
    person: str
    refused: str | None = None
    quality: dict[str, float] = field(default_factory=dict)


def classify(recording: Recording) -> Classified:
    """Classify one recording and write its shard; one that cannot be used is refused with its reason, not raised."""
    from study.accelerometry.classifier import classify_signal

    (file,) = recording.files
    try:
        signal = contract_signal(read_table(file, infer_types=True), codebook()["signal"], file.name).frame
        epochs = classify_signal(signal["timestamp"].to_numpy(), signal[list(AXES)].to_numpy("float32"))
    except SignalError as error:  # says what is wrong with the signal, never a value of it
        return Classified(recording.shard, recording.person, refused=str(error))
    epochs.insert(0, "person", recording.person)
    recording.lake.write(recording.shard, epochs)
    return Classified(recording.shard, recording.person)
