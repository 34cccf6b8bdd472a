"""Epochs in the schema of the lake, and why a signal is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from stegvis.accelerometry.method import Method
from stegvis.storage.classification import ClassificationTask, classify_recording, keep_classified, to_lake_schema
from stegvis.storage.lake import EpochLake
from stegvis.storage.recording_records import RecordingRecord, RecordingRecords
from tests.study import CODEBOOK, PROTOCOL

METHOD = Method.of(PROTOCOL)
SIGNAL = CODEBOOK["signal"]


def test_pace_is_stored_as_small_integers_and_zero_where_there_is_none() -> None:
    epochs = pd.DataFrame(
        {
            "epoch_start": pd.date_range("2018-03-01", periods=4, freq="5s").astype("datetime64[ms]"),
            "activity": np.array([4, 4, 4, 1], dtype="uint8"),
            "speed": np.array([2, 3, 1, 0], dtype="uint8"),
            "confidence": np.array([255, 200, 90, 0], dtype="uint8"),
            "stairs": False,
            "cadence": [104.4, 160.0, np.nan, np.nan],
            "speed_km_per_hour": [4.5, 9.9, 2.0, np.nan],
        }
    )
    kept = to_lake_schema(epochs)
    assert kept["cadence"].to_list() == [104, 160, 0, 0]
    assert kept["centimeters_per_second"].to_list() == [125, 255, 56, 0]
    assert set(kept.dtypes[["cadence", "centimeters_per_second"]].map(str)) == {"uint8"}
    assert "stairs" not in kept


def signal(file: Path, hertz: float = 50.0, **cells: object) -> Path:
    """A minute of stationary sensors."""
    stamps = pd.Timestamp("2018-03-01") + pd.to_timedelta(np.arange(3000) / hertz, unit="s")
    axes = {f"{place}_{axis}": -1.0 if axis == "x" else 0.0 for place in ("back", "thigh") for axis in "xyz"}
    pd.DataFrame({"timestamp": stamps, **axes, **cells}).to_csv(file, index=False)
    return file


def record_of(file: Path) -> RecordingRecord:
    lake, records = EpochLake(file.parent / "lake", "north"), RecordingRecords(file.parent / "lake", "north")
    found = classify_recording(ClassificationTask(file.stem, "P1", "signal", (file,), METHOD, SIGNAL))
    keep_classified(file.stem, found, lake, records)
    record = found.record
    assert records.read(file.stem) == record
    assert (lake.shard(file.stem) is None) == (record["rule"] is not None)
    return record


def test_a_signal_is_classified_or_refused_with_a_rule(tmp_path: Path) -> None:
    good = record_of(signal(tmp_path / "good.csv"))
    assert (good["rule"], good["start"]) == (None, "2018-03-01T00:00:00")
    slow = record_of(signal(tmp_path / "slow.csv", hertz=40.0))
    assert slow["rule"] == "implausible_signal"
    assert "40.0 Hz" in slow["reason"]
    far = record_of(signal(tmp_path / "far.csv", back_y=99.0))
    assert far["rule"] == "out_of_range"
    assert [breach["column"] for breach in far["breaches"]] == ["back_y"]
    (tmp_path / "empty.csv").write_bytes(b"")
    assert record_of(tmp_path / "empty.csv")["rule"] == "unreadable"
