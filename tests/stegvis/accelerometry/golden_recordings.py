"""Golden recordings: a raw pair of two hours and a 50 Hz signal that use every part of the classification.

Postures are made from fixed seeds. Walking and running are pieces of the twin's gait, stored in ``golden/gait.npz``
(int16, 1/1024 g, 50 Hz), so that a changed twin does not change these recordings. The expected epochs and the settings
they were classified with are in ``golden/<CLASSIFICATION_VERSION>``; to write them again:

    python -m tests.stegvis.accelerometry.golden_recordings
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from stegvis.accelerometry.method import CLASSIFICATION_VERSION, Method
from stegvis.storage.classification import ClassificationTask, classify_recording, keep_classified
from stegvis.storage.lake import EpochLake, read_epochs
from stegvis.storage.recording_records import RecordingRecords
from stegvis.twin.cwa import Device, write_cwa
from tests.stegvis.accelerometry.simulated_signals import (
    RATE,
    SEATED,
    SUPINE,
    UPRIGHT,
    clock,
    pedaling,
    posture,
    table,
)
from tests.study import CODEBOOK, PROTOCOL

GAIT = Path(__file__).parent / "golden" / "gait.npz"
EXPECTED = Path(__file__).parent / "golden" / CLASSIFICATION_VERSION
LEVELS = ("raw", "signal")
# Confidence, cadence and speed are rounded to integers, so another processor may differ by one.
ROUNDED = ("confidence", "cadence", "centimeters_per_second")
START = np.datetime64("2018-05-02T23:10:00", "us")
SKIN, ROOM = 33.0, 21.0  # degrees Celsius
OFF_MINUTES = (74, 104)  # the thigh sensor lies on a table
BACK_RATE, THIGH_RATE = 50.4, 49.7
THIGH_AHEAD, THIGH_DRIFT = 7.3, 3.0  # seconds, seconds per day
# What the back sensor shows of true g: (g - offset) / gain.
BACK_OFFSET, BACK_GAIN = np.array([0.03, -0.02, 0.015]), np.array([0.99, 1.012, 1.004])


def gait(kind: str, seconds: float) -> np.ndarray:
    """At most 40 s of ``slow``, ``moderate`` or ``brisk`` walking, or of ``running``: (n, 6) g."""
    with np.load(GAIT) as pieces:
        return pieces[kind][: round(seconds * RATE)] / 1024


def bouts(kind: str, minutes: float, seed: int) -> np.ndarray:
    """Gait with pauses, by which the two clocks can be compared: (n, 6) g."""
    rng = np.random.default_rng(seed)
    parts: list[np.ndarray] = []
    while sum(map(len, parts)) < 60 * minutes * RATE:
        parts.append(gait(kind, rng.uniform(20, 40)))
        parts.append(posture(UPRIGHT, rng.uniform(6, 14), seed + len(parts), noise=0.01))
    return np.concatenate(parts)[: round(60 * minutes * RATE)]


def turning(minutes: float, seed: int) -> np.ndarray:
    """The back still in another direction every 20 s, so that its calibration can be fitted; the thigh supine."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((round(3 * minutes), 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.concatenate(
        [posture((*direction, *SUPINE[3:]), 20, seed + number, 0.004) for number, direction in enumerate(directions)]
    )


def true_signal() -> np.ndarray:
    """(n, 6) g at 50 Hz, 130 minutes."""
    return np.concatenate(
        [
            posture(SUPINE, 20 * 60, 1),
            turning(20, 100),
            posture(UPRIGHT, 5 * 60, 2, noise=0.01),
            bouts("slow", 6, 200),
            posture(SEATED, 5 * 60, 3, noise=0.01),
            bouts("brisk", 6, 300),
            bouts("running", 2, 800),
            pedaling(4 * 60, 5),
            posture(SEATED, 6 * 60, 6, noise=0.02),
            posture(SEATED, 30 * 60, 7, noise=0.02),
            bouts("moderate", 8, 400),
            posture(UPRIGHT, 6 * 60, 8, noise=0.01),
            bouts("slow", 6, 500),
            posture(SEATED, 6 * 60, 9, noise=0.01),
        ]
    )


def write_pair(folder: Path) -> tuple[Path, Path]:
    """Write the raw pair: ``G_back.cwa`` and ``G_thigh.cwa``."""
    signal = true_signal()
    back, thigh = signal[:, :3], signal[:, 3:].copy()
    off = slice(*(60 * RATE * minute for minute in OFF_MINUTES))
    thigh[off] = posture((0.0, 0.0, 1.0, 0.0, 0.0, 1.0), 30 * 60, 10, noise=0.002)[:, 3:]
    files = folder / "G_back.cwa", folder / "G_thigh.cwa"
    device = Device(4711, 1, BACK_RATE)
    write_cwa(files[0], sampled((back - BACK_OFFSET) / BACK_GAIN, BACK_RATE), START, device, SKIN)
    device = Device(4712, 1, THIGH_RATE, clock_drift_seconds_per_day=THIGH_DRIFT)
    samples = sampled(thigh, THIGH_RATE)
    minute = np.arange(-(-len(samples) // device.samples_per_sector)) * device.samples_per_sector / THIGH_RATE / 60
    cool = (minute >= OFF_MINUTES[0] + 2) & (minute < OFF_MINUTES[1])
    ahead = np.timedelta64(round(1e6 * THIGH_AHEAD), "us")
    write_cwa(files[1], samples, START + ahead, device, np.where(cool, ROOM, SKIN))
    return files


def sampled(values: np.ndarray, rate: float) -> np.ndarray:
    """A 50 Hz signal (n, 3) at another rate."""
    there = np.arange(int((len(values) - 1) / RATE * rate)) / rate
    return np.stack([np.interp(there, np.arange(len(values)) / RATE, axis) for axis in values.T], axis=1)


def write_signal(folder: Path) -> Path:
    """Write the 50 Hz signal, six minutes with a gap: ``G.parquet``."""
    parts = [posture(SUPINE, 60, 21), posture(SEATED, 60, 22), bouts("slow", 1.5, 600), pedaling(40, 23)]
    frame = table(np.concatenate([*parts, bouts("brisk", 1.5, 700), posture(UPRIGHT, 20, 24)]))
    stamps = clock(len(frame))
    stamps[len(frame) // 2 :] += np.timedelta64(7_300, "ms")
    file = folder / "G.parquet"
    frame.assign(timestamp=stamps).to_parquet(file, index=False)
    return file


def write_recordings(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Write both recordings: their files by level."""
    return {"raw": write_pair(folder), "signal": (write_signal(folder),)}


def classify(recordings: Mapping[str, tuple[Path, ...]], folder: Path, method: Method) -> dict[str, pd.DataFrame]:
    """The shard of each recording that is not refused, by level."""
    lake, records = EpochLake(folder, "golden"), RecordingRecords(folder, "golden")
    layout = CODEBOOK["signal"]
    for level, files in recordings.items():
        found = classify_recording(ClassificationTask(level, "G", level, files, method, layout))
        keep_classified(level, found, lake, records)
    shards = {level: lake.shard(level) for level in recordings}
    return {level: read_epochs(shard).to_pandas() for level, shard in shards.items() if shard}


def expected_method() -> Method:
    """The settings that the expected epochs were classified with."""
    return Method.model_validate_json((EXPECTED / "method.json").read_text(encoding="utf-8"))


def expected_epochs(level: str) -> pd.DataFrame:
    """The expected shard of a recording."""
    return pd.read_parquet(EXPECTED / f"{level}.parquet")


def differences(found: Mapping[str, pd.DataFrame]) -> list[str]:
    """Where classified epochs differ from the expected ones; empty if they agree."""
    listed = []
    for level in LEVELS:
        expected = expected_epochs(level)
        if level not in found:
            listed.append(f"{level}: refused")
            continue
        if not found[level]["epoch_start"].equals(expected["epoch_start"]):
            listed.append(f"{level}: other epochs")
            continue
        for column in expected:
            ours, theirs = found[level][column], expected[column]
            if column in ROUNDED:
                different = (ours.astype("int64") - theirs.astype("int64")).abs() > 1
            else:
                different = (ours != theirs) & ~(ours.isna() & theirs.isna())
            if different.any():
                listed.append(f"{level}: {column} differs in {different.sum()} of {len(expected)} epochs")
    return listed


def main() -> None:
    """Write the expected epochs of the current version, with the settings of the shipped protocol."""
    method = Method.of(PROTOCOL)
    # The golden pair is shorter than a real one may be.
    short = method.raw_recordings.model_copy(update={"smallest_overlap_hours": 2.0})
    method = method.model_copy(update={"raw_recordings": short})
    EXPECTED.mkdir(exist_ok=True)
    (EXPECTED / "method.json").write_text(method.model_dump_json(indent=2) + "\n", encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        for level, epochs in classify(write_recordings(Path(name)), Path(name), method).items():
            epochs.to_parquet(EXPECTED / f"{level}.parquet", index=False)
            print(f"wrote {EXPECTED / level}.parquet, {len(epochs)} epochs")


if __name__ == "__main__":
    main()
